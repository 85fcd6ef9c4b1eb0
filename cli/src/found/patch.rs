//! The chain spec of a new network, made of the one of the development network that the node exports: its runtime and, unless
//! others are named, its models are kept, and everything that says whose network it is becomes the members'.
//!
//! No key of the development network may ever get into it: of its genesis only what is named here is taken.

use hydra_primitives::{AccountBytes, Balance};
use serde_json::{Number, Value, json};

use super::{
    member::Member,
    models::{Genesis, longest_round},
};
use crate::{accounts, amount, args::NetworkKind};

/// What a network is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// What kind it is.
    pub kind: NetworkKind,
    /// Seconds between blocks.
    pub slot: u64,
    /// Blocks of an epoch.
    pub epoch: u64,
    /// What each member owns, its stake included.
    pub member_hydra: Balance,
    /// What each member has at stake.
    pub bond: Balance,
    /// Blocks that unbonding takes.
    pub unbonding: u32,
    /// How new coin comes.
    pub emission: Coin,
    /// What others own.
    pub allocations: Vec<(AccountBytes, Balance)>,
    /// Who makes it.
    pub members: Vec<Member>,
    /// What it trains; if none is named, what the development network does.
    pub models: Vec<Genesis>,
}

/// How new coin comes: it flows into a bucket that rewards are paid from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin {
    /// What a block brings before the first halving.
    pub per_block: Balance,
    /// Blocks between halvings; 0 for none.
    pub halving: u32,
    /// What is in the bucket from the beginning.
    pub bucket: Balance,
}

/// The plain chain spec of that network.
pub fn spec(exported: &Value, plan: &Plan) -> Result<Value, String> {
    let genesis = &exported["genesis"]["runtimeGenesis"];
    let code = genesis["code"].as_str().ok_or("the node exports no runtime")?;
    if genesis["patch"]["trainingProposals"].is_null() {
        return Err("the node exports no models".into());
    }
    let kind = match plan.kind {
        NetworkKind::Live => "Live",
        NetworkKind::Local => "Local",
    };
    let addresses = |of: fn(&Member) -> &Vec<String>| -> Vec<String> {
        plan.members
            .iter()
            .flat_map(|member| of(member).clone())
            .collect()
    };
    Ok(json!({
        "name": plan.name,
        "id": plan.id,
        "protocolId": plan.id,
        "chainType": kind,
        "bootNodes": addresses(|member| &member.node_addresses),
        "trainers": addresses(|member| &member.trainer_addresses),
        "telemetryEndpoints": null,
        "properties": exported["properties"],
        "codeSubstitutes": {},
        "genesis": { "runtimeGenesis": { "code": code, "patch": patch(plan, &genesis["patch"])? } },
    }))
}

/// The genesis. Of the one of the development network it takes the models, unless
/// others are named, and, for a network of one place, how long referenda
/// take: minutes, so that it can be tried out. Elsewhere it is days, as the runtime has it.
fn patch(plan: &Plan, development: &Value) -> Result<Value, String> {
    check(plan)?;
    let member_hydra = number(plan.member_hydra)?;
    let bond = number(plan.bond)?;
    let mut balances: Vec<Value> = Vec::new();
    let (mut keys, mut nodes, mut bonds) = (Vec::new(), Vec::new(), Vec::new());
    for member in &plan.members {
        let account = &member.account;
        balances.push(json!([account, member_hydra]));
        keys.push(json!([account, account, { "babe": member.babe, "grandpa": member.grandpa }]));
        nodes.push(json!([account, member.trainer_peer_bytes()?]));
        bonds.push(json!([account, bond]));
    }
    for (account, owns) in &plan.allocations {
        balances.push(json!([accounts::address(account), number(*owns)?]));
    }
    let models = match plan.models.as_slice() {
        [] => development["trainingProposals"].clone(),
        models => json!({ "models": models }),
    };
    let mut patch = json!({
        "network": { "slotMillis": plan.slot.saturating_mul(1_000), "epochSlots": plan.epoch },
        "balances": { "balances": balances },
        "session": { "keys": keys },
        "reputation": { "nodes": nodes },
        "stakeVoting": { "bonds": bonds, "unbondingDelay": plan.unbonding },
        "hydraToken": {
            "emissionPerBlock": number(plan.emission.per_block)?,
            "halvingBlocks": plan.emission.halving,
            "bucket": number(plan.emission.bucket)?,
        },
        "trainingProposals": models,
    });
    let governance = &development["governance"];
    if plan.kind == NetworkKind::Local && !governance.is_null() {
        patch["governance"] = governance.clone();
    }
    Ok(patch)
}

/// Refuses what the chain would not start with, or nobody could mean.
fn check(plan: &Plan) -> Result<(), String> {
    if plan.members.is_empty() {
        return Err("it has no member".into());
    }
    if plan.bond >= plan.member_hydra {
        return Err(format!(
            "a member owns {} HYDRA and would have {} at stake, which leaves nothing for fees",
            amount::exact(plan.member_hydra),
            amount::exact(plan.bond)
        ));
    }
    let longest = longest_round(&plan.models);
    if u64::from(plan.unbonding) < longest {
        return Err(format!(
            "unbonding would take {} blocks, and a round up to {longest}: whoever lied in one could be gone before it is found out; \
             give --unbonding that many at least",
            plan.unbonding
        ));
    }
    let sessions = plan.epoch.saturating_mul(2);
    if u64::from(plan.unbonding) < sessions {
        return Err(format!(
            "unbonding would take {} blocks, and two sessions are {sessions}: whoever leaves may be drawn until they are over; give \
             --unbonding that many at least, or shorter sessions with --epoch",
            plan.unbonding
        ));
    }
    let mut seen = std::collections::BTreeSet::new();
    for member in &plan.members {
        if member.network != plan.id {
            return Err(format!(
                "{} is a member of {}, and this network is {}: use the same --id",
                member.name, member.network, plan.id
            ));
        }
        let own = [
            &member.account,
            &member.babe,
            &member.grandpa,
            &member.node_peer_id,
            &member.trainer_peer_id,
        ];
        if own.into_iter().any(|key| !seen.insert(key.clone())) {
            return Err(format!("{} has a key that another member has, too", member.name));
        }
    }
    for (account, _) in &plan.allocations {
        if !seen.insert(accounts::address(account)) {
            return Err(format!("{} is given HYDRA twice", accounts::address(account)));
        }
    }
    Ok(())
}

fn number(amount: Balance) -> Result<Number, String> {
    Number::from_u128(amount).ok_or_else(|| format!("{} HYDRA are too many", amount::exact(amount)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::member::tests::member;
    use hydra_primitives::HYDRA;

    fn plan() -> Plan {
        Plan {
            name: "Net".into(),
            id: "net".into(),
            kind: NetworkKind::Live,
            slot: 10,
            epoch: 1_440,
            member_hydra: 1_000_000 * HYDRA,
            bond: 100 * HYDRA,
            unbonding: 60_480,
            emission: Coin {
                per_block: 30 * HYDRA,
                halving: 12_614_400,
                bucket: 100_000 * HYDRA,
            },
            allocations: vec![([9; 32], 5 * HYDRA)],
            members: vec![member(1), member(2)],
            models: Vec::new(),
        }
    }

    /// What the node exports, in short: public keys of Alice in every place that has one.
    fn exported() -> Value {
        let alice = accounts::address(&accounts::development("Alice").unwrap());
        json!({
            "name": "HydraAI Local", "id": "hydra-local", "protocolId": "hydra-local", "chainType": "Local",
            "bootNodes": [format!("/ip4/127.0.0.1/tcp/1/p2p/{alice}")],
            "properties": { "tokenSymbol": "HYDRA", "tokenDecimals": 12, "ss58Format": 42 },
            "genesis": { "runtimeGenesis": { "code": "0x00", "patch": {
                "network": { "slotMillis": 2000, "epochSlots": 150 },
                "balances": { "balances": [[alice, 1]] },
                "session": { "keys": [[alice, alice, { "babe": alice, "grandpa": alice }]] },
                "sudo": { "key": alice },
                "governance": { "schedule": { "voteLocking": 30 } },
                "trainingProposals": { "models": [["the digits"]] }
            } } }
        })
    }

    #[test]
    fn a_network_is_its_members_and_nobody_else_s() {
        let spec = spec(&exported(), &plan()).unwrap();
        assert_eq!(spec["id"], "net");
        assert_eq!(spec["protocolId"], "net");
        assert_eq!(spec["chainType"], "Live");
        assert_eq!(spec["properties"]["tokenSymbol"], "HYDRA");
        assert_eq!(
            spec["bootNodes"],
            json!([member(1).node_addresses[0], member(2).node_addresses[0]])
        );
        assert_eq!(spec["trainers"].as_array().unwrap().len(), 2);
        let patch = &spec["genesis"]["runtimeGenesis"]["patch"];
        assert_eq!(
            patch["network"],
            json!({ "slotMillis": 10_000, "epochSlots": 1_440 })
        );
        assert_eq!(
            patch["balances"]["balances"],
            json!([
                [member(1).account, 1_000_000_000_000_000_000_u64],
                [member(2).account, 1_000_000_000_000_000_000_u64],
                [accounts::address(&[9; 32]), 5_000_000_000_000_u64],
            ])
        );
        let keys = json!([member(1).account, member(1).account, { "babe": member(1).babe, "grandpa": member(1).grandpa }]);
        assert_eq!(patch["session"]["keys"][0], keys);
        assert_eq!(
            patch["stakeVoting"]["bonds"][1],
            json!([member(2).account, 100_000_000_000_000_u64])
        );
        let peer: Vec<u8> = serde_json::from_value(patch["reputation"]["nodes"][0][1].clone()).unwrap();
        assert_eq!(peer, member(1).trainer_peer_bytes().unwrap());
        assert_eq!(patch["trainingProposals"]["models"], json!([["the digits"]]));
        assert_eq!(patch["stakeVoting"]["unbondingDelay"], 60_480);
        assert_eq!(
            patch["hydraToken"],
            json!({
                "emissionPerBlock": 30_000_000_000_000_u64,
                "halvingBlocks": 12_614_400,
                "bucket": 100_000_000_000_000_000_u64,
            })
        );
    }

    #[test]
    fn referenda_take_minutes_in_a_network_of_one_place_only() {
        let governance = |kind| {
            let spec = spec(&exported(), &Plan { kind, ..plan() }).unwrap();
            spec["genesis"]["runtimeGenesis"]["patch"]["governance"].clone()
        };
        assert_eq!(governance(NetworkKind::Live), Value::Null);
        assert_eq!(
            governance(NetworkKind::Local),
            json!({ "schedule": { "voteLocking": 30 } })
        );
    }

    #[test]
    fn nothing_of_the_development_network_gets_into_it() {
        let text = spec(&exported(), &plan()).unwrap().to_string();
        for name in accounts::DEVELOPMENT {
            let address = accounts::address(&accounts::development(name).unwrap());
            assert!(!text.contains(&address), "{name}");
        }
        assert!(!text.contains("sudo") && !text.contains("hydra-local"), "{text}");
    }

    #[test]
    fn plans_that_make_no_sense_are_refused_with_a_reason() {
        let refused = |change: fn(&mut Plan), reason: &str| {
            let mut plan = plan();
            change(&mut plan);
            let error = spec(&exported(), &plan).unwrap_err();
            assert!(error.contains(reason), "{error}");
        };
        refused(|plan| plan.members.clear(), "no member");
        refused(|plan| plan.bond = plan.member_hydra, "nothing for fees");
        refused(|plan| plan.members.push(member(1)), "another member has");
        refused(|plan| plan.id = "other".into(), "use the same --id");
        // The digits' rounds take up to 110 blocks, and two sessions 2,880.
        refused(|plan| plan.unbonding = 109, "a round up to 110");
        refused(|plan| plan.unbonding = 2_879, "two sessions are 2880");
        refused(|plan| plan.allocations.push(([9; 32], 1)), "twice");
    }

    #[test]
    fn a_node_that_exports_something_else_is_noticed() {
        assert!(spec(&json!({}), &plan()).is_err());
        let mut bare = exported();
        bare["genesis"]["runtimeGenesis"]["patch"] = json!({});
        assert!(spec(&bare, &plan()).is_err());
    }
}
