//! `hydra registration`: what a page like polkadot-js Apps needs for `reputation.register` and can't find out by itself: the
//! trainer's PeerId as bytes, a signature by its key, and the proof of work, all for a block of now.
//!
//! It sends nothing, and signs nothing but that statement: the account's secret stays in whichever wallet holds it.

use hydra_arithmetic::Level;
use hydra_primitives::{AccountBytes, Balance, BlockNumber, node::MAX_ANCHOR_DEPTH};
use libp2p_identity::PeerId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    accounts, amount,
    args::RegistrationArgs,
    error::Error,
    machine, output,
    proof::{self, Identity, Proof},
    report::own,
    room::Room,
    target::Target,
};

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Registration {
    /// The address of the account to register.
    account: String,
    /// Its trainer's identity.
    peer_id: String,
    /// The same as the call wants it: multihash bytes, `0x` and hexadecimal digits.
    peer_id_hex: String,
    /// How large the tasks may be that it takes on: 4 MiB of memory in class 0, and twice as much in each class after it.
    size_class: u8,
    /// How many tasks it takes on at a time.
    room: u8,
    /// The number of the block that signature and work are made for.
    anchor: u32,
    /// By the PeerId's key: `0x` and 128 hexadecimal digits.
    signature: String,
    /// The proof of work.
    nonce: u64,
    /// How many leading zero bits it proves.
    difficulty: u32,
    /// What the call bonds, in HYDRA.
    bond: String,
    /// The same in 10⁻¹² HYDRA, as the call wants it.
    bond_units: String,
    /// The last block in which the chain takes it.
    valid_until: u32,
    /// The node's address.
    url: String,
}

/// Runs the command.
pub async fn run(args: RegistrationArgs, json: bool) -> Result<(), Error> {
    let target = Target::new(&args.target)?;
    let file = args.key_file.or_else(|| target.key_file());
    let identity = Identity::read(&file.ok_or(Error::NoIdentity)?)?;
    let account = match args.account.or_else(|| target.account()) {
        Some(account) => account,
        // Where another PC's node is named, its trainer may still be here.
        None => match target.trainer()? {
            Some(trainer) => own::account_of(&trainer.status().await?).ok_or(Error::NoAccount)?,
            None => return Err(Error::NoAccount),
        },
    };
    let chain = target.chain().await?;
    let best = chain.best().await?;
    if chain.node_status(&account, best.hash).await?.registered {
        return Err(Error::Registered(accounts::short(&account)));
    }
    let least = chain.least_stake(best.hash).await?;
    let bond = args.bond.unwrap_or(least);
    if bond < least {
        return Err(Error::StakeTooSmall { total: bond, least });
    }
    let memory = machine::memory().map_or(0, |memory| memory.total_mib);
    let room = Room::of(memory, machine::cores())
        .with(Level::best())
        .or(args.size_class, args.room);
    output::note("searching a proof of work …");
    let proof = proof::prove(&chain, &account, &identity).await?;
    let registration = Registration::new(&account, identity.peer_id(), &proof, room, bond, chain.url());
    if json {
        output::json(&registration)
    } else {
        output::data(&registration.text(room))
    }
}

impl Registration {
    fn new(
        account: &AccountBytes,
        peer_id: PeerId,
        proof: &Proof,
        room: Room,
        bond: Balance,
        url: &str,
    ) -> Self {
        Self {
            account: accounts::address(account),
            peer_id: peer_id.to_base58(),
            peer_id_hex: format!("0x{}", hex::encode(&proof.peer_id)),
            size_class: room.size_class,
            room: room.tasks,
            anchor: proof.anchor,
            signature: format!("0x{}", hex::encode(proof.signature)),
            nonce: proof.nonce,
            difficulty: proof.difficulty,
            bond: amount::exact(bond),
            bond_units: bond.to_string(),
            valid_until: valid_until(proof.anchor),
            url: url.into(),
        }
    }

    fn text(&self, room: Room) -> String {
        format!(
            "For account {} with trainer {}, proved with {} bits of work; it takes on {} and bonds {} HYDRA:\n\n\
             reputation.register\n  \
               peerId     {}\n  \
               sizeClass  {}\n  \
               room       {}\n  \
               anchor     {}\n  \
               signature  {}\n  \
               nonce      {}\n  \
               bond       {}\n\n\
             In polkadot-js Apps, connected to {}, choose Developer, Extrinsics, this account and this call. It is valid\n\
             for this account and this trainer only, and until block {}.\n",
            self.account,
            self.peer_id,
            self.difficulty,
            room.words(),
            self.bond,
            self.peer_id_hex,
            self.size_class,
            self.room,
            self.anchor,
            self.signature,
            self.nonce,
            self.bond_units,
            self.url,
            self.valid_until
        )
    }
}

/// The last block in which the chain takes what was made for this one.
fn valid_until(anchor: BlockNumber) -> BlockNumber {
    anchor.saturating_add(MAX_ANCHOR_DEPTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Layout;
    use hydra_primitives::HYDRA;

    const URL: &str = "ws://127.0.0.1:9944";
    const ROOM: Room = Room {
        size_class: 10,
        tasks: 32,
    };

    /// For the identity of Alice's trainer in a local network.
    fn registration() -> Registration {
        let network = Layout::new("/base".into(), 1, 20_000).network();
        let peer_id: PeerId = network.pcs[0].trainer.peer_id.parse().unwrap();
        let proof = Proof {
            peer_id: peer_id.to_bytes(),
            anchor: 100,
            signature: [0xab; 64],
            nonce: 42,
            difficulty: 16,
            took: Default::default(),
        };
        Registration::new(&[7; 32], peer_id, &proof, ROOM, HYDRA, URL)
    }

    #[test]
    fn the_page_gets_each_argument_of_the_call() {
        let registration = registration();
        let bytes = hex::decode(registration.peer_id_hex.strip_prefix("0x").unwrap()).unwrap();
        // Identity multihash of an ed25519 public key: what the chain knows trainers by.
        assert_eq!(bytes[..6], [0x00, 0x24, 0x08, 0x01, 0x12, 0x20]);
        let text = registration.text(ROOM);
        for part in [
            registration.peer_id_hex.as_str(),
            "sizeClass  10\n",
            "room       32\n",
            "anchor     100\n",
            "signature  0xabab",
            "nonce      42\n",
            "bond       1000000000000\n",
            "until block 356.",
            "tasks of up to 4 GiB",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn programs_read_the_bond_without_rounding() {
        let json = serde_json::to_value(registration()).unwrap();
        assert_eq!(
            (&json["bond"], &json["bond_units"], &json["nonce"]),
            (&"1".into(), &"1000000000000".into(), &42.into())
        );
        assert_eq!(json["signature"].as_str().unwrap().len(), 130);
    }
}
