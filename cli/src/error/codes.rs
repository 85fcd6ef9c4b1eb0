//! Which exit code each error has.

use super::Error;
use crate::{exit::ExitCode, keys::error::KeysError};

impl Error {
    /// What the process ends with.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Stdout(_)
            | Self::File { .. }
            | Self::NoDataHome
            | Self::NoConfigHome
            | Self::DataHome { .. }
            | Self::CantListen { .. } => ExitCode::System,
            Self::BadUrl { .. }
            | Self::NotUtf8(_)
            | Self::NotAFolder(_)
            | Self::NotOurFolder { .. }
            | Self::TwoPayers
            | Self::PageAsJson
            | Self::BadPlan(_)
            | Self::BadMember { .. }
            | Self::BadModel { .. }
            | Self::Dataset(_) => ExitCode::Usage,
            Self::NodeUnreachable { .. }
            | Self::NotANode { .. }
            | Self::NotByThisName { .. }
            | Self::NetworkStopped { .. }
            | Self::PcStopped { .. }
            | Self::NetworkStarting(_)
            | Self::NodeLost { .. }
            | Self::KeysRefused { .. }
            | Self::NotHydra { .. } => ExitCode::Node,
            Self::TrainerUnreachable { .. }
            | Self::TrainerRefused(_)
            | Self::TrainerGarbled(_)
            | Self::NotOurTrainer { .. }
            | Self::TrainerBehind { .. }
            | Self::NoTrainer
            | Self::BadTokenFile(_)
            | Self::ForeignAnswer { .. }
            | Self::PaidButUnanswered { .. } => ExitCode::Trainer,
            Self::Timeout { .. } => ExitCode::Timeout,
            Self::Keys(KeysError::Interrupted) | Self::Interrupted { .. } => ExitCode::Interrupted,
            Self::Image(_)
            | Self::NoSuchImage(_)
            | Self::NoModel { .. }
            | Self::NotTrained(_)
            | Self::BadSuri
            | Self::DevelopmentOnly
            | Self::Keys(_)
            | Self::KeyFile(_)
            | Self::NoSuchReceiver(_)
            | Self::TooLittle { .. }
            | Self::NotRegistered(_)
            | Self::NothingToDo(_)
            | Self::NotBonded { .. }
            | Self::StakeLeftTooSmall { .. }
            | Self::NothingToWithdraw { .. }
            | Self::StakeTooSmall { .. }
            | Self::NothingToClaim { .. }
            | Self::TooPoor { .. }
            | Self::Syncing { .. }
            | Self::Stalled { .. }
            | Self::NoFinality { .. }
            | Self::GoalOutOfReach { .. }
            | Self::NoAccount
            | Self::NoIdentity
            | Self::Registered(_)
            | Self::NotConfirmed { .. }
            | Self::NoSender(_)
            | Self::KeyGone { .. }
            | Self::SeveralKeys { .. }
            | Self::NoPage(_)
            | Self::Exists(_)
            | Self::NoTestNetwork(_) => ExitCode::Impossible,
            Self::TransactionRefused(_) | Self::TransactionFailed(_) | Self::PaymentUnclear(_) => {
                ExitCode::Payment
            }
            Self::NoProgram { .. }
            | Self::NoDataset(_)
            | Self::PortTaken { .. }
            | Self::PortTwice(_)
            | Self::WssIncomplete
            | Self::NoNetwork(_)
            | Self::BadNetworkFile { .. }
            | Self::NoSuchPc { .. }
            | Self::PcRuns { .. }
            | Self::NoLocalNetwork(_)
            | Self::AlreadyUp(_)
            | Self::OtherChain { .. }
            | Self::NoTable { .. }
            | Self::Spawn { .. }
            | Self::DiedAtStart { .. }
            | Self::NotReady { .. }
            | Self::AllGone(_)
            | Self::NoNetworkYet
            | Self::SeveralNetworks(_)
            | Self::SeveralUp(_)
            | Self::BadSpec { .. }
            | Self::OtherNetwork { .. }
            | Self::NotJoined(_)
            | Self::NotLocal(_)
            | Self::UpRuns(_)
            | Self::StillUp { .. }
            | Self::AccountExists { .. }
            | Self::BadKey { .. }
            | Self::PortInUse { .. }
            | Self::NoSpace { .. }
            | Self::SpecRefused(_)
            | Self::FaucetRuns(_)
            | Self::BadFaucetFile { .. } => ExitCode::Local,
        }
    }
}
