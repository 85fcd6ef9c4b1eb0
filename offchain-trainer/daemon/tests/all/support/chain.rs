//! The chain as the tests want it, and what trainers answer it.

use hydra_primitives::{
    AccountBytes, BlockNumber, H256, RoundNumber,
    digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec},
    duty::{
        AcceptedUpdate, Asks, ConfirmedWeights, DUTY_PROTOCOL, Duty, DutyResult, DutySheet, ModelDescription,
        ModelDuties, Standing, Task, VersionRecipe,
    },
    electorate::SessionIndex,
    model::ModelSpec,
    poll::{Draw, Opening, PollId, digest},
    proposal::{Claim, PlaceKey, proposal_poll, version_poll},
    status::Phase,
    task::PlaceIndex,
};

use super::Pc;

/// The chain as the tests want it. Every model is described in every sheet.
#[derive(Clone)]
pub struct Chain {
    pub genesis: H256,
    pub block: BlockNumber,
    pub heartbeat: Option<SessionIndex>,
    pub round: RoundNumber,
    pub phase_ends_at: BlockNumber,
    pub confirmed: ConfirmedWeights,
    pub newest: Option<VersionRecipe>,
    pub spec: ModelSpec,
}

impl Chain {
    /// A new chain on which these trainers have what is confirmed.
    pub fn new(pcs: &[&Pc]) -> Self {
        Self {
            genesis: H256::repeat_byte(7),
            block: 1,
            heartbeat: None,
            round: 0,
            phase_ends_at: 100,
            confirmed: ConfirmedWeights {
                version: 0,
                weights: DIGITS_INITIAL_WEIGHTS,
                providers: pcs.iter().map(|pc| pc.peer_id()).collect(),
            },
            newest: None,
            spec: digits_spec(),
        }
    }

    pub fn description(&self) -> ModelDescription {
        ModelDescription {
            model: 0,
            spec: self.spec.clone(),
            dataset: digits_manifest(),
        }
    }

    /// What `pc` owes.
    pub fn sheet(&self, pc: &Pc, duties: Vec<Duty>) -> DutySheet {
        self.sheet_of(pc.account, duties)
    }

    /// What this account owes.
    pub fn sheet_of(&self, account: AccountBytes, duties: Vec<Duty>) -> DutySheet {
        DutySheet {
            protocol: DUTY_PROTOCOL,
            genesis: self.genesis,
            block: self.block,
            account,
            standing: Standing::Ready,
            heartbeat: self.heartbeat,
            models: vec![ModelDuties {
                model: 0,
                description: self.description().id(),
                round: self.round,
                phase: Phase::Train,
                phase_ends_at: self.phase_ends_at,
                confirmed: self.confirmed.clone(),
                newest: self.newest.clone(),
                duties,
            }],
            described: vec![self.description()],
        }
    }

    /// The place that `pc` holds in this round.
    fn key(&self, pc: &Pc) -> PlaceKey {
        PlaceKey {
            model: 0,
            round: self.round,
            place: PlaceIndex::from(pc.account[0]),
        }
    }

    /// The task of that place.
    pub fn task(&self, pc: &Pc) -> Task {
        Task {
            base: self.newest.is_none().then_some(self.confirmed.weights),
            shard: (u32::from(pc.account[0]) + self.round) % 16,
            task_seed: H256::repeat_byte(pc.account[0].wrapping_add(100 + self.round as u8)),
        }
    }

    pub fn train(&self, pc: &Pc) -> Duty {
        Duty::Train {
            place: self.key(pc).place,
            task: self.task(pc),
        }
    }

    /// The poll on `proposer`'s claim.
    pub fn poll(&self, proposer: &Pc, claim: &Claim) -> PollId {
        let (key, seed) = (self.key(proposer), self.task(proposer).task_seed);
        proposal_poll(&self.genesis, &key, &proposer.account, &seed, claim)
    }

    /// The duty to do `proposer`'s task again.
    pub fn verify(&self, proposer: &Pc, claim: &Claim) -> Duty {
        Duty::Verify {
            poll: self.poll(proposer, claim),
            task: self.task(proposer),
            claim: claim.update.hash,
            closes_at: self.phase_ends_at,
        }
    }

    /// The duty to open the poll on `proposer`'s claim.
    pub fn open(&self, proposer: &Pc, claim: &Claim) -> Duty {
        self.open_poll(self.poll(proposer, claim), Asks::Task(self.task(proposer)))
    }

    fn open_poll(&self, poll: PollId, asks: Asks) -> Duty {
        Duty::Open {
            poll,
            draw: Draw::First,
            asks,
            opens_until: self.phase_ends_at,
        }
    }

    /// The poll on the newest version.
    fn version_poll(&self) -> PollId {
        let recipe = self.newest.as_ref().unwrap();
        version_poll(&self.genesis, 0, recipe.version, &recipe.id())
    }

    /// The duty to measure the newest version.
    pub fn attest(&self) -> Duty {
        Duty::Attest {
            poll: self.version_poll(),
            closes_at: self.phase_ends_at,
        }
    }

    /// The duty to open the poll on it.
    pub fn open_version(&self) -> Duty {
        self.open_poll(self.version_poll(), Asks::Version)
    }

    /// These claims were accepted: they make the next version, and the next round opens.
    pub fn settle(&mut self, accepted: &[(&Pc, &Claim)]) {
        let updates = accepted.iter().map(|(pc, claim)| AcceptedUpdate {
            place: self.key(pc).place,
            update: claim.update,
            shard: self.task(pc).shard,
            providers: vec![pc.peer_id()],
        });
        self.newest = Some(VersionRecipe {
            version: self.confirmed.version + 1,
            base: self.confirmed.weights,
            updates: updates.collect(),
        });
        self.round += 1;
    }

    /// The network found that the newest version has these weights.
    pub fn confirm(&mut self, weights: H256) {
        self.newest = None;
        self.confirmed.version += 1;
        self.confirmed.weights = weights;
    }
}

/// Trains on `pc` and returns its claim.
pub async fn claim_of(pc: &Pc, chain: &Chain) -> Claim {
    match pc.one_result(&chain.sheet(pc, vec![chain.train(pc)])).await {
        DutyResult::Propose {
            key,
            task_seed,
            claim,
        } if key == chain.key(pc) && task_seed == chain.task(pc).task_seed => claim,
        other => panic!("{other:?}"),
    }
}

/// Has `pc` give the digest that this duty asks for.
pub async fn digest_of(pc: &Pc, chain: &Chain, duty: &Duty) -> H256 {
    let (Duty::Verify { poll: asked, .. } | Duty::Attest { poll: asked, .. }) = duty else {
        panic!("no digest is asked for: {duty:?}")
    };
    match pc.one_result(&chain.sheet(pc, vec![duty.clone()])).await {
        DutyResult::Digest { poll, digest } if poll == *asked => digest,
        other => panic!("{other:?}"),
    }
}

/// Has `pc` open a poll.
pub async fn opening_of(pc: &Pc, chain: &Chain, duty: &Duty) -> Opening {
    let Duty::Open { poll: asked, .. } = duty else {
        panic!("nothing is to be opened: {duty:?}")
    };
    match pc.one_result(&chain.sheet(pc, vec![duty.clone()])).await {
        DutyResult::Open {
            poll,
            draw: Draw::First,
            opening,
        } if poll == *asked => opening,
        other => panic!("{other:?}"),
    }
}

/// What `pc` finds: its digest first, and then the opening, which must match it.
pub async fn found(pc: &Pc, chain: &Chain, duty: &Duty, open: &Duty) -> Opening {
    let given = digest_of(pc, chain, duty).await;
    let opening = opening_of(pc, chain, open).await;
    let Duty::Open { poll, .. } = open else {
        panic!("{open:?}")
    };
    let expected = digest(poll, &opening.finding.result(), &opening.witness, &pc.account);
    assert_eq!(given, expected);
    opening
}

/// What `pc` finds of the newest version.
pub async fn attestation(pc: &Pc, chain: &Chain) -> Opening {
    found(pc, chain, &chain.attest(), &chain.open_version()).await
}
