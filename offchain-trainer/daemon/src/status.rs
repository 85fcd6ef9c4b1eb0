//! Puts together what the trainer says of itself at `/v1/status`.
//!
//! Anyone on this PC may read it, so it must never hold a secret, nor name weights that are not confirmed yet.

use hydra_network::{AwayPeer, NetworkHandle, manager::Slot, reach};
use hydra_primitives::{
    duty::{DutySheet, ModelDuties, NO_ACCOUNT, Standing},
    status::Phase,
};
use hydra_trainer_api::{
    Advice, Clock, EngineStatus, LastSheet, ModelState, Peer, Reachability, Stage, Status,
};

use crate::{tasks::Shared, torch::EngineState};

/// How things are now.
pub(crate) fn status(shared: &Shared, node_rpc_port: u16) -> Status {
    let (sheet, arrived) = shared.newest_sheet().unzip();
    let network = shared.depot.network();
    let reachability = network.reachability();
    let peers = network.peers().into_iter().map(|peer| Peer {
        peer_id: peer.peer_id.to_string(),
        address: peer.address.to_string(),
        latency_ms: peer
            .latency
            .map(|l| u64::try_from(l.as_millis()).unwrap_or(u64::MAX)),
        agent: peer.agent,
        path: Some(peer.path.name().into()),
        slot: Some(slot(peer.slot).into()),
        transport: Some(peer.carrier.name().into()),
    });
    let (state, reason) = match shared.torch.state() {
        EngineState::Starting => ("starting", None),
        EngineState::Ready => ("ready", None),
        EngineState::Failed(reason) => ("failed", Some(reason)),
    };
    let last_sheet = sheet.as_deref().zip(arrived).map(|(sheet, arrived)| LastSheet {
        block: sheet.block,
        seconds_ago: arrived.elapsed().as_secs(),
    });
    let standing = sheet.as_ref().map(|sheet| match sheet.standing {
        Standing::Unregistered => "unregistered",
        Standing::Unstaked => "unstaked",
        Standing::Paused => "paused",
        Standing::Joining => "joining",
        Standing::Ready => "ready",
    });
    shared.look_around();
    Status {
        version: env!("CARGO_PKG_VERSION").into(),
        account: sheet
            .as_ref()
            .filter(|sheet| sheet.account != NO_ACCOUNT)
            .map(|sheet| format!("0x{}", hex::encode(sheet.account))),
        standing: standing.map(Into::into),
        peer_id: network.local_peer_id().to_string(),
        listen: network
            .listen_addresses()
            .iter()
            .map(ToString::to_string)
            .collect(),
        peers: peers.collect(),
        reachability: Some(Reachability {
            state: reachability.state.name().into(),
            at: reachability.at,
            reason: reachability.reason,
            advice: reachability.advice.map(advice),
        }),
        engine: EngineStatus {
            state: state.into(),
            reason,
            instructions: shared.torch.instructions(),
        },
        models: sheet.iter().flat_map(|sheet| models(shared, sheet)).collect(),
        last_sheet,
        clock: network.clock_offset().map(|offset| Clock {
            offset_ms: offset.ms,
            peers: offset.peers,
        }),
        node_rpc_port: Some(node_rpc_port),
        genesis: sheet.as_ref().map(|sheet| format!("{:?}", sheet.genesis)),
        warnings: shared.warnings.list().into_iter().chain(away(network)).collect(),
        errors: shared.errors.list(),
    }
}

fn advice(advice: reach::Advice) -> Advice {
    match advice {
        reach::Advice::OpenPorts => Advice::OpenPorts,
        reach::Advice::OpenByHand => Advice::OpenByHand,
        reach::Advice::OpenOuterRouter => Advice::OpenOuterRouter,
    }
}

fn slot(slot: Slot) -> &'static str {
    match slot {
        Slot::LongTerm => "long_term",
        Slot::Exploratory => "exploratory",
        Slot::Inbound => "inbound",
        Slot::None => "none",
    }
}

/// Bootstrap peers that are away, each with the reason. They are in the log, too: the network says so there.
fn away(network: &NetworkHandle) -> impl Iterator<Item = String> {
    // Who starts at the same time is late by a moment.
    let away = network.away().into_iter().filter(|peer| peer.attempts > 3);
    away.map(|AwayPeer { reason, attempts, .. }| {
        format!("a bootstrap peer is away, {attempts} attempts so far, and is tried again: {reason}")
    })
}

fn models(shared: &Shared, sheet: &DutySheet) -> Vec<ModelState> {
    let model = |duties: &ModelDuties| {
        let held = shared.weights.held(duties.model);
        let doing = shared.doing(duties.model);
        let phase = match duties.phase {
            Phase::Pause => "pause",
            Phase::Train => "train",
            Phase::Verify => "verify",
        };
        ModelState {
            model: duties.model,
            version: held.as_ref().map(|held| held.version),
            weights: held.map(|held| format!("{:?}", held.weights.hash)),
            state: doing.as_ref().map_or(Stage::Idle, |doing| doing.stage),
            round: duties.round,
            phase: phase.into(),
            progress: doing.as_ref().and_then(|doing| doing.progress),
            task: doing.map(|doing| doing.task),
            waiting: shared.waiting(duties.model),
        }
    };
    sheet.models.iter().map(model).collect()
}
