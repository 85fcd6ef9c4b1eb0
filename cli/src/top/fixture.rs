//! What tests of the page look at: a local network of four PCs, seen from Alice's.

use hydra_primitives::{
    AccountBytes, H256, HYDRA, Perbill,
    digits::{digits_manifest, digits_spec},
    proposal::Score,
    status::{ElectorateStatus, ModelStatus, NodeStatus, Outcome, Phase},
};
use libp2p_identity::{Keypair, PeerId};
use std::time::{Duration, SystemTime};

use super::seen::{Link, Member, Seen, Snapshot};
use crate::{
    accounts,
    chain::{Block, Funds, Happening, News, Part},
    report::{
        own::{Earned, Me},
        presence::Presence,
    },
    trainer::Status,
};

/// When all of this is looked at.
pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// So long before.
pub fn ago(seconds: u64) -> SystemTime {
    now() - Duration::from_secs(seconds)
}

/// A development account.
pub fn account(name: &str) -> AccountBytes {
    accounts::development(name).expect("a development account")
}

fn peer_id(seed: u8) -> PeerId {
    let key = Keypair::ed25519_from_bytes([seed; 32]).expect("32 bytes are a key");
    key.public().to_peer_id()
}

fn node_status(seed: u8, thousandths: u32, active: bool) -> NodeStatus {
    NodeStatus {
        registered: true,
        active,
        paused: false,
        heartbeat: 1_216,
        peer_id: peer_id(seed).to_bytes(),
        reputation: Perbill::from_parts(thousandths * 1_000_000),
        stake: 100 * HYDRA,
        unbonding: 0,
        weight: 0,
        room: 64,
        busy: 5,
        size_class: 8,
    }
}

/// Everything is well.
pub fn seen() -> Seen {
    let mut seen = Seen {
        url: "ws://127.0.0.1:9944".into(),
        node: Link::Up,
        chain: Some(snapshot()),
        trainer: Some(Link::Starting),
        status: None,
        account: None,
    };
    seen.heard(status());
    seen
}

/// Nothing has answered yet.
pub fn nothing() -> Seen {
    Seen {
        node: Link::Starting,
        chain: None,
        trainer: Some(Link::Starting),
        status: None,
        account: None,
        ..seen()
    }
}

fn status() -> Status {
    let peer = |peer_id: String, ms: u64, path: &str| {
        format!(r#"{{"peer_id":"{peer_id}","address":"a","latency_ms":{ms},"path":"{path}"}}"#)
    };
    let peers = [
        peer("12D3KooWStranger".into(), 141, "relayed"),
        peer(peer_id(3).to_string(), 23, "punched"),
        peer(peer_id(2).to_string(), 15, "direct"),
    ];
    let text = format!(
        r#"{{"version":"0.1.0","account":"0x{}","standing":"ready","peer_id":"{}","peers":[{}],
            "listen":["/ip4/192.168.1.5/tcp/30400/p2p/12D3"],
            "reachability":{{"state":"mapped","at":"203.0.113.7:30400","reason":"this PC's router passes a port on to it, so others reach it at 203.0.113.7:30400: 2 of them got in"}},
            "engine":{{"state":"ready"}},"last_sheet":{{"block":182336,"seconds_ago":1}},
            "models":[{{"model":0,"version":812,"state":"verifying","round":812,"phase":"verify",
                "task":"doing the task of poll 0x90b5…ab20 of model 0 again in round 812"}}]}}"#,
        hex::encode(account("Alice")),
        peer_id(1),
        peers.join(",")
    );
    serde_json::from_str(&text).expect("a status")
}

fn model() -> ModelStatus {
    ModelStatus {
        model: 0,
        spec: digits_spec(),
        dataset: digits_manifest(),
        round: 812,
        phase: Phase::Verify,
        waiting: None,
        phase_ends_at: 182_343,
        places: 4,
        proposals: 3,
        decided: 1,
        version: 812,
        version_poll: None,
        confirmed_version: 812,
        weights: H256::zero(),
        score: Some(Score {
            correct: 350,
            total: 360,
            loss: 90_000,
        }),
    }
}

fn snapshot() -> Snapshot {
    let names = [
        ("Alice", 1, 900, true),
        ("Bob", 2, 912, true),
        ("Charlie", 3, 871, true),
        ("Dave", 4, 655, false),
    ];
    Snapshot {
        name: "HydraAI Local".into(),
        best: block(182_336),
        time: ago(2),
        slot: Duration::from_secs(2),
        finalised: 182_333,
        highest: 182_336,
        left: None,
        peers: 3,
        syncing: false,
        clock: None,
        models: vec![model()],
        electorate: ElectorateStatus {
            session: 1_216,
            accounts: 3,
            weight: 0,
            next_accounts: 3,
            registered: 4,
            largest: 0,
        },
        members: names
            .map(|(name, seed, reputation, active)| Member {
                account: account(name),
                status: node_status(seed, reputation, active),
            })
            .to_vec(),
        needed: HYDRA + HYDRA / 5,
        me: Some(Me {
            account: account("Alice"),
            funds: Funds {
                free: 45 * HYDRA + HYDRA / 2,
                spendable: 45 * HYDRA,
                held: 100 * HYDRA,
            },
            status: node_status(1, 900, true),
            presence: Presence::In,
            unbonding: vec![],
            parts: vec![Part {
                owed: HYDRA / 4,
                shares: 28,
                of: 100,
            }],
            earned: Earned {
                amount: 6 * HYDRA,
                partly: false,
            },
            pending: HYDRA,
        }),
        blocks: blocks(),
    }
}

fn block(number: u64) -> Block {
    Block {
        number,
        hash: Default::default(),
    }
}

fn blocks() -> Vec<News> {
    let who = account;
    let earned = |name| Happening::Earned {
        who: who(name),
        amount: HYDRA,
    };
    let score = Score {
        correct: 350,
        total: 360,
        loss: 90_000,
    };
    let news = [
        (
            182_336,
            3,
            vec![
                Happening::Given { who: who("Bob") },
                Happening::Given { who: who("Charlie") },
            ],
        ),
        (182_335, 0, vec![]),
        (
            182_330,
            1,
            vec![Happening::Asked {
                who: who("Ferdie"),
                price: HYDRA / 2,
            }],
        ),
        (
            182_328,
            1,
            vec![Happening::Opened {
                round: 812,
                places: 4,
            }],
        ),
        (182_326, 4, vec![Happening::Confirmed { version: 812, score }]),
        (
            182_320,
            4,
            vec![
                earned("Alice"),
                earned("Bob"),
                earned("Charlie"),
                Happening::Settled {
                    who: who("Dave"),
                    round: 811,
                    outcome: Outcome::Rejected,
                    forfeited: HYDRA,
                },
            ],
        ),
        (
            182_200,
            1,
            vec![Happening::Sent {
                from: who("Alice"),
                to: who("Eve"),
                amount: 12 * HYDRA,
            }],
        ),
    ];
    news.into_iter()
        .map(|(number, transactions, happenings)| News {
            block: block(number),
            time: ago((182_337 - number) * 2),
            transactions,
            happenings,
        })
        .collect()
}
