//! A network of PCs without trainers: in every block each does what its duty sheet says, and submits it through all that a
//! transaction goes through.
//!
//! What stands for a task's result is a hash of all that the task consists of: whoever computes rightly finds the same, whoever does
//! not finds something else. That is all that the chain can see of training.

use crate::chain::{self, check_state, id};
use codec::Encode;
use frame_support::{
    dispatch::{DispatchInfo, GetDispatchInfo},
    storage::with_transaction_unchecked,
};
use frame_system::ConsumedWeight;
use hydra_primitives::{
    BlobRef, BlockNumber, H256, ModelId, Version, content_hash,
    duty::{Asks, Duty, DutyResult, MAX_RESULTS, ModelDuties, Task},
    poll::{self, Finding, Opening, PollId},
    proposal::{Claim, PlaceKey, Score},
    status::{ModelStatus, NodeStatus},
    traits::bytes_of,
};
use hydra_runtime::{
    AccountId, Address, Balance, Executive, Runtime, RuntimeCall, RuntimeEvent, RuntimeGenesisConfig,
    RuntimeOrigin, Signature, System, TrainingProposals, TxExtension, UncheckedExtrinsic,
};
use pallet_training_proposals::{Event, ModelTerms};
use pallet_transaction_payment::ChargeTransactionPayment;
use sp_core::sr25519;
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave};
use sp_runtime::{
    BoundedVec, DispatchResult, TransactionOutcome,
    generic::Era,
    traits::{DispatchTransaction, TransactionExtension},
    transaction_validity::{TransactionSource, TransactionValidityError, ValidTransaction},
};
use std::collections::BTreeMap;

/// Whom genesis names.
pub const FOUNDERS: [Sr25519Keyring; 4] = [Alice, Bob, Charlie, Dave];
/// More than anything below may take.
const PATIENCE: BlockNumber = 300;
/// All invariants are checked so often.
const CHECK_EVERY: BlockNumber = 16;

/// What a PC does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conduct {
    /// All it owes, rightly.
    Honest,
    /// Nothing.
    Absent,
    /// All it owes, and every result is wrong; all who lie tell the same lie. What it trains from is right.
    Lying,
    /// All it owes, rightly, but that its versions have other weights, from which it then trains.
    Astray,
    /// All it owes, rightly, but that its versions are not finite.
    NotFinite,
}

/// What became of a transaction.
#[derive(Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is in the block; its call may have failed all the same.
    Included(DispatchResult),
    /// The block has no room for it.
    Full,
    /// No block takes it.
    Invalid(TransactionValidityError),
}

/// A network in the middle of a block.
pub struct Network {
    chain: TestExternalities,
    pcs: BTreeMap<AccountId, Conduct>,
    /// All that happened, with the block in which it did.
    pub log: Vec<(BlockNumber, RuntimeEvent)>,
    /// What each block has weighed.
    pub weights: Vec<ConsumedWeight>,
}

impl Network {
    /// Of the first so many founders, all of them honest.
    pub fn of(founders: usize) -> Self {
        let mut genesis = chain::genesis();
        genesis.session.keys.truncate(founders);
        genesis.reputation.nodes.truncate(founders);
        genesis.stake_voting.bonds.truncate(founders);
        Self::begin(genesis)
    }

    /// Of everyone whom a genesis names, all of them honest.
    pub fn begin(genesis: RuntimeGenesisConfig) -> Self {
        let nodes = genesis.reputation.nodes.iter();
        Self {
            pcs: nodes.map(|(who, _)| (who.clone(), Conduct::Honest)).collect(),
            chain: chain::begin(genesis),
            log: Vec::new(),
            weights: Vec::new(),
        }
    }

    /// What stands outside of the state, as a keystore does.
    pub fn extensions(&mut self) -> &mut TestExternalities {
        &mut self.chain
    }

    /// From now on the PC of `who` does this.
    pub fn conduct(&mut self, who: Sr25519Keyring, conduct: Conduct) -> &mut Self {
        self.pcs.insert(id(who), conduct);
        self
    }

    /// Asks, or does, something in the current block.
    pub fn read<R>(&mut self, read: impl FnOnce() -> R) -> R {
        self.chain.execute_with(read)
    }

    /// The current block.
    pub fn now(&mut self) -> BlockNumber {
        self.read(System::block_number)
    }

    /// The only model.
    pub fn model(&mut self) -> ModelStatus {
        self.read(|| TrainingProposals::model_status(0).expect("there is a model"))
    }

    pub fn node(&mut self, who: Sr25519Keyring) -> NodeStatus {
        self.read(|| TrainingProposals::node_status(&id(who)))
    }

    /// Puts a call into the current block, which must take it.
    #[track_caller]
    pub fn call(&mut self, who: Sr25519Keyring, call: impl Into<RuntimeCall>) -> DispatchResult {
        match self.apply(who, call, 0) {
            Applied::Included(result) => result,
            other => {
                let weight = self.read(System::block_weight);
                panic!(
                    "block {} does not take it: {other:?}; it weighs {weight:?}",
                    self.now()
                )
            }
        }
    }

    /// Tries to put a call into the current block.
    pub fn apply(&mut self, who: Sr25519Keyring, call: impl Into<RuntimeCall>, tip: Balance) -> Applied {
        let call = call.into();
        self.read(|| apply(&id(who), call, tip))
    }

    /// What a pool would say.
    pub fn validity(
        &mut self,
        who: Sr25519Keyring,
        call: impl Into<RuntimeCall>,
        tip: Balance,
    ) -> Result<ValidTransaction, TransactionValidityError> {
        let call = call.into();
        self.read(|| {
            let (extension, encoded, info) = prepare(&id(who), &call, tip);
            let origin = RuntimeOrigin::signed(id(who));
            extension
                .validate_only(
                    origin,
                    &call,
                    &info,
                    encoded.len(),
                    TransactionSource::External,
                    0,
                )
                .map(|(validity, ..)| validity)
        })
    }

    /// What a PC that acts as told owes now.
    pub fn owed(&mut self, who: Sr25519Keyring, conduct: Conduct) -> Vec<DutyResult> {
        self.read(|| owed(&id(who), conduct))
    }

    /// Every PC does its part, the block ends and the next begins. What happened.
    pub fn block(&mut self) -> Vec<RuntimeEvent> {
        let pcs = self.pcs.clone();
        let (number, events, weight) = self.chain.execute_with(|| {
            for (who, conduct) in pcs {
                act(&who, conduct);
            }
            let number = System::block_number();
            let (events, weight) = chain::weighed_block();
            if number.is_multiple_of(CHECK_EVERY) {
                check_state();
            }
            (number, events, weight)
        });
        self.weights.push(weight);
        self.log
            .extend(events.iter().map(|event| (number, event.clone())));
        events
    }

    /// So many blocks.
    pub fn blocks(&mut self, count: BlockNumber) {
        for _ in 0..count {
            self.block();
        }
    }

    /// Blocks until one in which `found` finds something among what happens.
    pub fn until<T>(&mut self, what: &str, found: impl Fn(&RuntimeEvent) -> Option<T>) -> T {
        for _ in 0..PATIENCE {
            if let Some(found) = self.block().iter().find_map(&found) {
                return found;
            }
        }
        panic!("{what}: not within {PATIENCE} blocks");
    }

    /// Blocks until a version is confirmed: it.
    pub fn until_confirmed(&mut self) -> Version {
        self.until("a confirmed version", |event| match event {
            RuntimeEvent::TrainingProposals(Event::VersionConfirmed { version, .. }) => Some(*version),
            _ => None,
        })
    }

    /// Blocks until the next round opens: how many places it has.
    pub fn until_opened(&mut self) -> u16 {
        self.until("a new round", |event| match event {
            RuntimeEvent::TrainingProposals(Event::RoundOpened { places, .. }) => Some(*places),
            _ => None,
        })
    }

    /// Blocks until the session has begun.
    pub fn until_session(&mut self, session: u32) {
        while self.read(hydra_runtime::Session::current_index) < session {
            self.block();
        }
    }

    /// What an account has forfeited so far.
    pub fn forfeited(&self, who: Sr25519Keyring) -> Balance {
        let forfeits = self.log.iter().filter_map(|(_, event)| match event {
            RuntimeEvent::StakeVoting(pallet_stake_voting::Event::Forfeited { who: one, amount }) => {
                (*one == id(who)).then_some(*amount)
            }
            _ => None,
        });
        forfeits.sum()
    }

    /// What the model's rounds have paid so far.
    pub fn paid(&self) -> Balance {
        let paid = self.log.iter().filter_map(|(_, event)| match event {
            RuntimeEvent::TrainingProposals(Event::RoundPaid { paid, .. }) => Some(*paid),
            _ => None,
        });
        paid.sum()
    }

    /// Checks all invariants once more.
    pub fn end(mut self) {
        self.read(check_state);
    }
}

/// A submission.
pub fn submit(results: Vec<DutyResult>) -> RuntimeCall {
    pallet_training_proposals::Call::submit {
        results: BoundedVec::truncate_from(results),
    }
    .into()
}

fn act(who: &AccountId, conduct: Conduct) {
    let most = usize::try_from(MAX_RESULTS).expect("a small number");
    for results in owed(who, conduct).chunks(most) {
        let applied = apply(who, submit(results.to_vec()), 0);
        assert_eq!(applied, Applied::Included(Ok(())), "{who}: {results:?}");
    }
}

fn owed(who: &AccountId, conduct: Conduct) -> Vec<DutyResult> {
    if conduct == Conduct::Absent {
        return Vec::new();
    }
    let sheet = TrainingProposals::duty_sheet(who);
    let mut results: Vec<_> = sheet
        .heartbeat
        .map(|session| DutyResult::Heartbeat { session })
        .into_iter()
        .collect();
    for model in &sheet.models {
        let pc = Pc { who, conduct, model };
        results.extend(model.duties.iter().map(|duty| pc.answer(duty)));
    }
    // As the off-chain worker does: an opening that decides nothing is not shown.
    results.retain(|result| TrainingProposals::all_owed(who, core::slice::from_ref(result)));
    results
}

/// A PC at work on a model.
struct Pc<'a> {
    who: &'a AccountId,
    conduct: Conduct,
    model: &'a ModelDuties,
}

impl Pc<'_> {
    fn answer(&self, duty: &Duty) -> DutyResult {
        match duty {
            Duty::Train { place, task } => DutyResult::Propose {
                key: PlaceKey {
                    model: self.model.model,
                    round: self.model.round,
                    place: *place,
                },
                task_seed: task.task_seed,
                claim: Claim {
                    base: self.base(task),
                    update: BlobRef {
                        hash: self.update(task),
                        size: update_size(self.model.model),
                    },
                },
            },
            Duty::Verify { poll, task, .. } => self.digest(poll, Finding::Update(self.update(task))),
            Duty::Attest { poll, .. } => self.digest(poll, self.version(self.conduct)),
            Duty::Open { poll, draw, asks, .. } => {
                let finding = match asks {
                    Asks::Task(task) => Finding::Update(self.update(task)),
                    Asks::Version => self.version(self.conduct),
                };
                DutyResult::Open {
                    poll: *poll,
                    draw: *draw,
                    opening: Opening {
                        finding,
                        witness: witness(&finding),
                    },
                }
            }
        }
    }

    fn digest(&self, poll: &PollId, finding: Finding) -> DutyResult {
        let digest = poll::digest(poll, &finding.result(), &witness(&finding), &bytes_of(self.who));
        DutyResult::Digest { poll: *poll, digest }
    }

    /// What it trains from.
    fn base(&self, task: &Task) -> H256 {
        let conduct = match self.conduct {
            Conduct::Lying => Conduct::Honest,
            other => other,
        };
        task.base.unwrap_or_else(|| match self.version(conduct) {
            Finding::Version { weights, .. } => weights,
            Finding::Update(_) | Finding::NotFinite => H256::zero(),
        })
    }

    fn update(&self, task: &Task) -> H256 {
        let lie = self.conduct == Conduct::Lying;
        hash_of(("update", self.base(task), task.shard, task.task_seed, lie))
    }

    fn version(&self, conduct: Conduct) -> Finding {
        let newest = self
            .model
            .newest
            .as_ref()
            .expect("a version is asked about while it is the newest");
        let lie = match conduct {
            Conduct::NotFinite => return Finding::NotFinite,
            Conduct::Lying | Conduct::Astray => true,
            Conduct::Honest | Conduct::Absent => false,
        };
        Finding::Version {
            weights: hash_of(("weights", newest.id(), lie)),
            // Ever a little better.
            score: Score {
                correct: 300,
                total: 360,
                loss: 2_000_000 - 10_000 * newest.version,
            },
        }
    }
}

fn witness(finding: &Finding) -> H256 {
    hash_of(("witness", finding.result()))
}

fn hash_of(value: impl Encode) -> H256 {
    content_hash(&value.encode())
}

fn update_size(model: ModelId) -> u64 {
    ModelTerms::<Runtime>::get(model)
        .expect("there is a model")
        .update_size
}

fn apply(who: &AccountId, call: RuntimeCall, tip: Balance) -> Applied {
    if !System::inherents_applied() {
        Executive::inherents_applied();
    }
    // As in a block builder: a transaction that can't be taken leaves nothing behind.
    with_transaction_unchecked(|| {
        let (extension, encoded, info) = prepare(who, &call, tip);
        let length = encoded.len();
        System::note_extrinsic(encoded);
        match extension.dispatch_transaction(RuntimeOrigin::signed(who.clone()), call, &info, length, 0) {
            Ok(done) => {
                System::note_applied_extrinsic(&done, info);
                let result = done.map(|_| ()).map_err(|failed| failed.error);
                TransactionOutcome::Commit(Applied::Included(result))
            }
            Err(why) if why.exhausted_resources() => TransactionOutcome::Rollback(Applied::Full),
            Err(why) => TransactionOutcome::Rollback(Applied::Invalid(why)),
        }
    })
}

/// What goes with a call, the transaction as it travels, and what it weighs. Signatures are left out.
fn prepare(who: &AccountId, call: &RuntimeCall, tip: Balance) -> (TxExtension, Vec<u8>, DispatchInfo) {
    let extension: TxExtension = (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        frame_system::CheckNonce::from(System::account_nonce(who)),
        frame_system::CheckWeight::new(),
        ChargeTransactionPayment::<Runtime>::from(tip).into(),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
    );
    let encoded = UncheckedExtrinsic::new_signed(
        call.clone(),
        Address::Id(who.clone()),
        Signature::Sr25519(sr25519::Signature::from_raw([0; 64])),
        extension.clone(),
    )
    .encode();
    let mut info = call.get_dispatch_info();
    info.extension_weight = TransactionExtension::<RuntimeCall>::weight(&extension, call);
    (extension, encoded, info)
}
