//! `hydra registration`: what a page like polkadot-js Apps needs for `reputation.register` and can't find out by itself: the
//! trainer's PeerId as bytes, and the proof of work.
//!
//! It signs and sends nothing: the account's secret stays in whichever wallet holds it.

use hydra_primitives::{AccountBytes, node::find_nonce};
use libp2p_identity::PeerId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    accounts, args::RegistrationArgs, chain::Chain, error::Error, output, payment::Capabilities,
    target::Target, trainer::Status,
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
    /// What the machine lends, as the call wants it.
    capabilities: Capabilities,
    /// The proof of work.
    nonce: u64,
    /// How many leading zero bits it proves.
    difficulty: u32,
    /// The node's address.
    url: String,
}

/// Runs the command.
pub async fn run(args: RegistrationArgs, json: bool) -> Result<(), Error> {
    let target = Target::new(&args.target)?;
    let chain = target.chain().await?;
    // Asked only for what wasn't given: a trainer on another PC can't be asked at all.
    let status = match (&args.peer_id, &args.account) {
        (Some(_), Some(_)) => None,
        _ => match target.trainer()? {
            Some(trainer) => Some(trainer.status().await?),
            None if args.peer_id.is_none() => return Err(Error::NoTrainer),
            None => None,
        },
    };
    let peer_id = match args.peer_id {
        Some(peer_id) => peer_id,
        None => peer_id_of(status.as_ref())?,
    };
    let account = args
        .account
        .or_else(|| account_of(status.as_ref()?))
        .ok_or(Error::NoAccount)?;
    let registration = prove(&chain, account, peer_id).await?;
    if json {
        output::json(&registration)
    } else {
        output::data(&registration.text())
    }
}

async fn prove(chain: &Chain, account: AccountBytes, peer_id: PeerId) -> Result<Registration, Error> {
    let best = chain.best().await?;
    if chain.node_status(&account, best.hash).await?.registered {
        return Err(Error::Registered(accounts::short(&account)));
    }
    let difficulty = chain.work_difficulty(best.hash).await?;
    output::note(&format!("searching a proof of work of {difficulty} bits …"));
    Ok(Registration::new(account, peer_id, difficulty, chain.url()))
}

/// The identity that the local trainer says it has.
fn peer_id_of(status: Option<&Status>) -> Result<PeerId, Error> {
    let status = status.ok_or(Error::NoTrainer)?;
    let parsed = status.peer_id.parse::<PeerId>();
    parsed.map_err(|_| Error::TrainerGarbled(format!("it calls itself '{}'", status.peer_id)))
}

/// The account that the local trainer works for, if it has heard of one.
fn account_of(status: &Status) -> Option<AccountBytes> {
    let mut account = [0; 32];
    let digits = status.account.as_deref()?.trim_start_matches("0x");
    hex::decode_to_slice(digits, &mut account).ok().map(|()| account)
}

impl Registration {
    fn new(account: AccountBytes, peer_id: PeerId, difficulty: u32, url: &str) -> Self {
        let bytes = peer_id.to_bytes();
        Self {
            account: accounts::address(&account),
            peer_id: peer_id.to_base58(),
            peer_id_hex: format!("0x{}", hex::encode(&bytes)),
            capabilities: Capabilities::default(),
            nonce: find_nonce(&account, &bytes, difficulty),
            difficulty,
            url: url.into(),
        }
    }

    fn text(&self) -> String {
        format!(
            "For account {} with trainer {}, proved with {} bits of work:\n\n\
             reputation.register\n  \
               peerId        {}\n  \
               capabilities  cpuThreads {}, memoryMib {}\n  \
               nonce         {}\n\n\
             In polkadot-js Apps, connected to {}, choose Developer, Extrinsics, this account and this call. It is valid\n\
             for this account and this trainer only. Then bond the stake: stakeVoting.bond(amount), in 10^-12 HYDRA.\n",
            self.account,
            self.peer_id,
            self.difficulty,
            self.peer_id_hex,
            self.capabilities.cpu_threads,
            self.capabilities.memory_mib,
            self.nonce,
            self.url
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Layout, trainer_key};
    use hydra_primitives::node::proves_work;
    use hydra_trainer_api::EngineStatus;

    const URL: &str = "ws://127.0.0.1:9944";

    /// The identity of Alice's trainer in a local network.
    fn peer_id() -> PeerId {
        let network = Layout::new("/base".into(), 1, 20_000).network();
        network.pcs[0].trainer.peer_id.parse().unwrap()
    }

    fn status(account: Option<String>) -> Status {
        Status {
            version: "1".into(),
            account,
            standing: None,
            peer_id: peer_id().to_base58(),
            listen: vec![],
            peers: vec![],
            engine: EngineStatus {
                state: "ready".into(),
                reason: None,
            },
            models: vec![],
            last_sheet: None,
            clock: None,
            node_rpc_port: None,
            genesis: None,
            warnings: vec![],
            errors: vec![],
        }
    }

    #[test]
    fn the_page_gets_bytes_and_a_nonce_that_the_chain_accepts() {
        let registration = Registration::new([7; 32], peer_id(), 10, URL);
        let bytes = hex::decode(registration.peer_id_hex.strip_prefix("0x").unwrap()).unwrap();
        // Identity multihash of an ed25519 public key: what the chain knows trainers by.
        assert_eq!(bytes[..6], [0x00, 0x24, 0x08, 0x01, 0x12, 0x20]);
        let mut secret = trainer_key(0);
        let pair = libp2p_identity::Keypair::ed25519_from_bytes(&mut secret).unwrap();
        assert_eq!(bytes, pair.public().to_peer_id().to_bytes());
        assert!(proves_work(&[7; 32], &bytes, registration.nonce, 10));
        let text = registration.text();
        for part in [
            &registration.peer_id_hex,
            &format!("nonce         {}\n", registration.nonce),
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn json_has_the_names_of_the_call() {
        let json = serde_json::to_value(Registration::new([7; 32], peer_id(), 1, URL)).unwrap();
        assert_eq!(json["capabilities"]["cpuThreads"], 0);
        assert_eq!(json["difficulty"], 1);
    }

    #[test]
    fn what_was_not_given_is_what_the_trainer_says() {
        let known = status(Some(format!("0x{}", "07".repeat(32))));
        assert_eq!(account_of(&known), Some([7; 32]));
        assert_eq!(peer_id_of(Some(&known)).unwrap(), peer_id());
        assert_eq!(account_of(&status(None)), None);
        assert_eq!(account_of(&status(Some("0x07".into()))), None);
        let mut odd = status(None);
        odd.peer_id = "nobody".into();
        assert!(matches!(peer_id_of(Some(&odd)), Err(Error::TrainerGarbled(_))));
    }
}
