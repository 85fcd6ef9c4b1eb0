use super::*;
use crate::exit::{self, ExitCode};
use std::collections::BTreeSet;

/// A command, and the codes that its help lists.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Command {
    Demo,
    Status,
    Top,
    Ask,
    Export,
    Rounds,
    Registration,
    /// Those of `hydra wallet` that ask no node.
    Wallet,
    /// Those of them that know this PC's own account, too.
    WalletOwn,
    Balance,
    Send,
    /// Of `hydra stake`.
    Bond,
    Claim,
    /// `hydra pause`, `resume` and `validate`.
    Rest,
    Completions,
    Man,
    Up,
    NetworkNew,
    Member,
    Invite,
    Faucet,
    Down,
    Logs,
    Doctor,
}

use Command::{
    Ask, Balance, Bond, Claim, Completions, Demo, Doctor, Down, Export, Faucet, Invite, Logs, Man, Member,
    NetworkNew, Registration, Rest, Rounds, Send, Status, Top, Up, Wallet, WalletOwn,
};

const ALL: &[Command] = &[
    Demo,
    Status,
    Top,
    Ask,
    Export,
    Rounds,
    Registration,
    Wallet,
    WalletOwn,
    Balance,
    Send,
    Bond,
    Claim,
    Rest,
    Completions,
    Man,
    Up,
    NetworkNew,
    Member,
    Invite,
    Faucet,
    Down,
    Logs,
    Doctor,
];
/// Those that start a network; `up` by its older meaning, too.
const STARTERS: &[Command] = &[Demo, Up];
/// Those that make a folder for a network.
const FOUNDERS: &[Command] = &[Demo, Up, NetworkNew, Member];
/// Those that make this PC's part of a network.
const MAKERS: &[Command] = &[Up, NetworkNew, Member];
/// Those that look for this PC's part of a network.
const HOMES: &[Command] = &[
    Up, Invite, Down, Logs, WalletOwn, Balance, Ask, Send, Bond, Claim, Rest,
];
/// Those that may be about a local network.
const NETWORKED: &[Command] = &[
    Demo,
    Up,
    Status,
    Top,
    Ask,
    Export,
    Rounds,
    Registration,
    Balance,
    Send,
    Bond,
    Claim,
    Rest,
    Invite,
    Faucet,
];
/// Those that connect to a node that exists already.
const CLIENTS: &[Command] = &[
    Status,
    Top,
    Ask,
    Export,
    Rounds,
    Registration,
    Balance,
    Send,
    Bond,
    Claim,
    Rest,
    Invite,
    Faucet,
];
/// Those that read the file of a network.
const EVERYWHERE: &[Command] = &[
    Demo,
    Up,
    Status,
    Top,
    Ask,
    Export,
    Rounds,
    Registration,
    Balance,
    Send,
    Bond,
    Claim,
    Rest,
    Invite,
    Faucet,
    Down,
    Logs,
    NetworkNew,
    Member,
    WalletOwn,
];
/// Those that use the user's own accounts.
const OF_KEYS: &[Command] = &[
    Ask, Wallet, WalletOwn, Balance, Send, Bond, Claim, Rest, Invite, Faucet,
];
/// Those that have to do with secrets or ask before they do something.
const OF_SECRETS: &[Command] = &[
    Ask, Wallet, WalletOwn, Balance, Send, Bond, Claim, Rest, Invite, Faucet, Up, NetworkNew, Member,
];
/// Those that pay for something.
const PAYING: &[Command] = &[Ask, Send, Bond, Claim, Rest, Invite];
/// Those that need a trainer, not only show it.
const OF_TRAINER: &[Command] = &[Ask, Export, Registration];

impl Command {
    fn listed(self) -> &'static [ExitCode] {
        match self {
            Demo => exit::DEMO,
            Status => exit::STATUS,
            Top => exit::TOP,
            Ask => exit::ASK,
            Export => exit::EXPORT,
            Rounds => exit::ROUNDS,
            Registration => exit::REGISTRATION,
            Wallet => exit::WALLET,
            WalletOwn => exit::WALLET_OWN,
            Balance => exit::BALANCE,
            Send | Bond | Claim => exit::SPEND,
            Completions => exit::COMPLETIONS,
            Man => exit::MAN,
            Up => exit::UP,
            NetworkNew => exit::NETWORK_NEW,
            Member => exit::NETWORK_MEMBER,
            Rest => exit::REST,
            Invite => exit::INVITE,
            Faucet => exit::FAUCET,
            Down => exit::DOWN,
            Logs => exit::LOGS,
            Doctor => exit::DOCTOR,
        }
    }
}

/// Every kind of error, by an example, with the commands that can end with it. A kind that is missing here does not compile.
macro_rules! kinds {
    ($($pattern:pat => $example:expr, $commands:expr;)*) => {
        fn kinds() -> Vec<(Error, &'static [Command])> {
            vec![$(($example, $commands)),*]
        }

        fn position(error: &Error) -> usize {
            let mut position = 0;
            let found = match error {
                $($pattern => stringify!($pattern),)*
            };
            for pattern in [$(stringify!($pattern)),*] {
                if pattern == found {
                    return position;
                }
                position += 1;
            }
            unreachable!("every pattern is listed")
        }
    };
}

fn io() -> io::Error {
    io::Error::other("x")
}

fn text() -> String {
    "x".into()
}

kinds! {
    Error::Stdout(_) => Error::Stdout(io()), ALL;
    Error::File { .. } => Error::File { action: "read", path: "x".into(), source: io() }, ALL;
    Error::NoDataHome => Error::NoDataHome, &[Demo, Up, NetworkNew, Member, Faucet];
    Error::NoConfigHome => Error::NoConfigHome, OF_KEYS;
    Error::DataHome { .. } => Error::DataHome { path: "x".into(), source: io() }, FOUNDERS;
    Error::NotUtf8(_) => Error::NotUtf8("x".into()), FOUNDERS;
    Error::NotAFolder(_) => Error::NotAFolder("x".into()), &[Demo, Up, NetworkNew, Member, Man];
    Error::NotOurFolder { .. } => Error::NotOurFolder { folder: "x".into(), found: text() }, FOUNDERS;
    Error::BadUrl { .. } => Error::BadUrl { given: text(), reason: "x", example: text() }, CLIENTS;
    Error::NoPage(_) => Error::NoPage("x"), &[Top];
    Error::PageAsJson => Error::PageAsJson, &[Top];
    Error::NodeUnreachable { .. } => Error::NodeUnreachable { url: text(), reason: text(), meant: None }, CLIENTS;
    Error::NotANode { .. } => Error::NotANode { url: text(), reason: text(), meant: None }, CLIENTS;
    Error::NotByThisName { .. } => Error::NotByThisName { url: text(), reason: text() }, CLIENTS;
    Error::NetworkStopped { .. } => Error::NetworkStopped { place: "x".into(), other: None }, CLIENTS;
    Error::PcStopped { .. } => Error::PcStopped { pc: text(), place: "x".into(), other: None }, CLIENTS;
    Error::NetworkStarting(_) => Error::NetworkStarting("x".into()), CLIENTS;
    Error::NodeLost { .. } => Error::NodeLost { url: text(), reason: text() }, CLIENTS;
    Error::NotHydra { .. } => Error::NotHydra { url: text(), reason: text(), meant: None }, CLIENTS;
    Error::TrainerUnreachable { .. } => Error::TrainerUnreachable {
        url: text(), reason: text(), state: TrainerState::Starting { pid: 1 },
    }, OF_TRAINER;
    Error::TrainerRefused(_) => Error::TrainerRefused(text()), OF_TRAINER;
    Error::TrainerGarbled(_) => Error::TrainerGarbled(text()), OF_TRAINER;
    Error::NotOurTrainer { .. } => Error::NotOurTrainer { url: text() }, &[Ask];
    Error::NoTrainer => Error::NoTrainer, &[Ask, Export];
    Error::BadTokenFile(_) => Error::BadTokenFile("x".into()), OF_TRAINER;
    Error::NoSuchImage(_) => Error::NoSuchImage(text()), &[Ask];
    Error::Image(_) => Error::Image(ImageError::Unreadable { path: "x".into(), source: io() }), &[Ask];
    Error::NoModel { .. } => Error::NoModel { model: 0, known: text() }, &[Ask, Export, Rounds, Claim];
    Error::NotTrained(_) => Error::NotTrained(0), &[Ask, Export];
    Error::TrainerBehind { .. } => Error::TrainerBehind { model: 0, held: 0, confirmed: 1 }, &[Ask];
    Error::BadSuri => Error::BadSuri, PAYING;
    Error::DevelopmentOnly => Error::DevelopmentOnly, &[Ask, Send, Bond, Claim, Rest, Invite, Faucet];
    Error::TwoPayers => Error::TwoPayers, &[Ask];
    Error::Keys(KeysError::Interrupted) => Error::Keys(KeysError::Interrupted), OF_KEYS;
    Error::Keys(_) => Error::Keys(KeysError::Declined), OF_SECRETS;
    Error::KeyFile(_) => Error::KeyFile(KeysError::Damaged.of("x".as_ref())), OF_SECRETS;
    Error::NoSuchReceiver(_) => Error::NoSuchReceiver(text()), &[Send, Balance];
    Error::TooLittle { .. } => Error::TooLittle { who: text(), least: 1 }, &[Send, Invite, Faucet];
    Error::NotRegistered(_) => Error::NotRegistered(text()), &[Bond, Rest];
    Error::NothingToDo(_) => Error::NothingToDo(text()), &[Rest];
    Error::NotBonded { .. } => Error::NotBonded { who: text(), bonded: 1 }, &[Bond];
    Error::StakeLeftTooSmall { .. } => Error::StakeLeftTooSmall { left: 1, least: 2 }, &[Bond];
    Error::NothingToWithdraw { .. } => Error::NothingToWithdraw { who: text(), until: Some(1) }, &[Bond];
    Error::StakeTooSmall { .. } => Error::StakeTooSmall { total: 1, least: 2 }, &[Bond, Registration];
    Error::NothingToClaim { .. } => Error::NothingToClaim { who: text(), model: 0 }, &[Claim];
    Error::TooPoor { .. } => Error::TooPoor { who: text(), spendable: 0, cost: 1 }, PAYING;
    Error::Syncing { .. } => Error::Syncing { url: text(), block: 0 }, PAYING;
    Error::Stalled { .. } => Error::Stalled { block: 0, seconds: 0 }, PAYING;
    Error::NoFinality { .. } => Error::NoFinality { best: 1, finalised: 0, seconds: 0 }, PAYING;
    Error::GoalOutOfReach { .. } => Error::GoalOutOfReach { running: 2, validators: 4, needed: 3 }, STARTERS;
    Error::NoAccount => Error::NoAccount, &[Registration];
    Error::Registered(_) => Error::Registered(text()), &[Registration];
    Error::NoIdentity => Error::NoIdentity, &[Registration];
    Error::KeysRefused { .. } => Error::KeysRefused { url: text(), reason: text() }, &[Rest];
    Error::NotConfirmed { .. } => Error::NotConfirmed { model: 0, got: text() }, &[Export];
    Error::ForeignAnswer { .. } => Error::ForeignAnswer { version: 0, got: text() }, &[Ask];
    Error::TransactionRefused(_) => Error::TransactionRefused(text()), PAYING;
    Error::PaymentUnclear(_) => Error::PaymentUnclear(text()), PAYING;
    Error::TransactionFailed(_) => Error::TransactionFailed(text()), PAYING;
    Error::PaidButUnanswered { .. } => Error::PaidButUnanswered { block: 0, reason: text() }, &[Ask];
    Error::NoProgram { .. } => Error::NoProgram { program: "x", tried: text(), option: "--x" }, &[Demo, Up, NetworkNew];
    Error::NoDataset(_) => Error::NoDataset("x".into()), STARTERS;
    Error::PortTaken { .. } => Error::PortTaken { port: 1, what: text(), by: PortUse::Unseen }, STARTERS;
    Error::PortTwice(_) => Error::PortTwice(1), MAKERS;
    Error::WssIncomplete => Error::WssIncomplete, &[Up];
    Error::NoNetwork(_) => Error::NoNetwork("x".into()), NETWORKED;
    Error::OtherChain { .. } => Error::OtherChain { folder: "x".into(), pcs: 4 }, STARTERS;
    Error::AlreadyUp(_) => Error::AlreadyUp("x".into()), STARTERS;
    Error::NoTable { .. } => Error::NoTable { reason: text() }, STARTERS;
    Error::BadNetworkFile { .. } => Error::BadNetworkFile { path: "x".into(), reason: text() }, EVERYWHERE;
    Error::NoSuchPc { .. } => Error::NoSuchPc { name: text(), known: vec![text(), text()] }, NETWORKED;
    Error::PcRuns { .. } => Error::PcRuns { pc: text() }, STARTERS;
    Error::NoLocalNetwork(_) => Error::NoLocalNetwork(text()), CLIENTS;
    Error::Spawn { .. } => Error::Spawn { program: "x".into(), source: io() }, &[Demo, Up, NetworkNew];
    Error::DiedAtStart { .. } => Error::DiedAtStart { who: text(), exit: text(), log: "x".into(), tail: text() }, STARTERS;
    Error::NotReady { .. } => Error::NotReady { who: text(), seconds: 1, log: "x".into(), tail: text() }, STARTERS;
    Error::AllGone(_) => Error::AllGone("x".into()), STARTERS;
    Error::Timeout { .. } => Error::Timeout { seconds: 1, goal: 1.0, seen: text(), logs: "x".into() }, STARTERS;
    Error::Interrupted { .. } => Error::Interrupted { goal: 1.0, seen: text() }, STARTERS;
    Error::NoNetworkYet => Error::NoNetworkYet, HOMES;
    Error::SeveralNetworks(_) => Error::SeveralNetworks(vec![text(), text()]), HOMES;
    Error::SeveralUp(_) => Error::SeveralUp(vec![text(), text()]), &[
        Up, Down, Logs, WalletOwn, Status, Top, Ask, Export, Rounds, Registration, Balance, Send, Bond, Claim, Rest, Invite, Faucet,
    ];
    Error::BadSpec { .. } => Error::BadSpec { path: "x".into(), reason: text() }, &[Up];
    Error::OtherNetwork { .. } => Error::OtherNetwork { folder: "x".into(), found: text() }, MAKERS;
    Error::NotJoined(_) => Error::NotJoined("x".into()), &[
        Up, NetworkNew, Member, Invite, Down, Logs, WalletOwn, Balance, Ask, Send, Bond, Claim, Rest,
    ];
    Error::NotLocal(_) => Error::NotLocal("x".into()), STARTERS;
    Error::UpRuns(_) => Error::UpRuns("x".into()), &[Up];
    Error::StillUp { .. } => Error::StillUp { pid: 1, seconds: 1 }, &[Down];
    Error::AccountExists { .. } => Error::AccountExists { account: text() }, MAKERS;
    Error::BadKey { .. } => Error::BadKey { path: "x".into(), reason: text() }, &[
        Up, NetworkNew, Member, Registration, Invite, WalletOwn, Ask, Send, Bond, Claim, Rest,
    ];
    Error::NoSender(_) => Error::NoSender("x".into()), &[Up, Invite, Ask, Send, Bond, Claim, Rest];
    Error::KeyGone { .. } => Error::KeyGone { account: text(), keystore: "x".into() }, &[WalletOwn, Balance];
    Error::SeveralKeys { .. } => Error::SeveralKeys { keystore: "x".into(), number: 2 }, &[WalletOwn, Balance];
    Error::PortInUse { .. } => Error::PortInUse { port: 1, what: "x", option: "--x", by: None }, &[Up, Faucet];
    Error::NoSpace { .. } => Error::NoSpace { path: "x".into(), free: 1, needed: 2 }, &[Up];
    Error::Exists(_) => Error::Exists("x".into()), &[NetworkNew, Member];
    Error::BadMember { .. } => Error::BadMember { path: "x".into(), reason: text() }, &[NetworkNew];
    Error::BadModel { .. } => Error::BadModel { path: "x".into(), fault: ModelFault::UnknownField }, &[NetworkNew];
    Error::Dataset(_) => Error::Dataset(FolderError::Nothing { folder: "x".into() }), &[Demo, Up, NetworkNew];
    Error::BadPlan(_) => Error::BadPlan(text()), &[NetworkNew, Member];
    Error::SpecRefused(_) => Error::SpecRefused(text()), &[NetworkNew];
    Error::NoTestNetwork(_) => Error::NoTestNetwork(text()), &[Faucet];
    Error::FaucetRuns(_) => Error::FaucetRuns("x".into()), &[Faucet];
    Error::BadFaucetFile { .. } => Error::BadFaucetFile { path: "x".into(), reason: text() }, &[Faucet];
    Error::CantListen { .. } => Error::CantListen { address: text(), source: io() }, &[Faucet];
}

#[test]
fn every_error_ends_with_a_code_that_the_help_of_its_commands_lists() {
    for (index, (error, commands)) in kinds().iter().enumerate() {
        assert_eq!(position(error), index, "{error:?} is not an example of its kind");
        assert!(!commands.is_empty(), "{error:?}");
        for command in *commands {
            let code = error.exit_code();
            assert!(
                command.listed().contains(&code),
                "{command:?} can end with {code:?}: {error:?}"
            );
        }
    }
}

#[test]
fn no_help_lists_a_code_that_its_command_never_ends_with() {
    for command in ALL {
        // Success, and what the parser of the command line refuses.
        let mut used = BTreeSet::from([ExitCode::Done, ExitCode::Usage]);
        let errors = kinds();
        if *command == Doctor {
            // Its result, not its failure.
            used.insert(ExitCode::Fault);
        }
        let own = errors.iter().filter(|(_, commands)| commands.contains(command));
        used.extend(own.map(|(error, _)| error.exit_code()));
        let listed: BTreeSet<ExitCode> = command.listed().iter().copied().collect();
        assert_eq!(listed, used, "{command:?}");
    }
}

#[test]
fn every_sentence_is_one_line_and_says_something() {
    for (error, _) in kinds() {
        let sentence = error.to_string();
        // The end of a log is more than a sentence.
        if !matches!(error, Error::DiedAtStart { .. } | Error::NotReady { .. }) {
            assert!(!sentence.contains('\n'), "{sentence}");
        }
        assert!(!sentence.is_empty());
    }
}

#[test]
fn an_address_that_does_not_answer_is_explained_by_why_it_was_used() {
    let said = |meant| {
        Error::NodeUnreachable {
            url: "ws://x".into(),
            reason: "refused".into(),
            meant: Some(meant),
        }
        .to_string()
    };
    assert!(
        said(Meant::Given)
            .starts_with("no node answers at ws://x (refused), the address that --url or HYDRA_URL gives")
    );
    assert!(said(Meant::Usual).contains("hydra demo"));
    // Somebody else's program where a network was.
    let stranger = Error::NotANode {
        url: "ws://x".into(),
        reason: "404".into(),
        meant: Some(Meant::UsualAsStopped { place: "/n".into() }),
    };
    let stranger = stranger.to_string();
    assert!(
        stranger.contains("the newest local network, in /n, does not run"),
        "{stranger}"
    );
    let folder = PathBuf::from("/n");
    let stopped = said(Meant::UsualAsStopped {
        place: folder.clone().into(),
    });
    assert!(stopped.contains("hydra demo --base-path /n"), "{stopped}");
    let pc = said(Meant::Pc {
        pc: "bob".into(),
        place: folder.into(),
    });
    assert!(pc.contains("bob of the local network in /n"), "{pc}");
}
