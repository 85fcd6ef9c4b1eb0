//! What `hydra` has no words for and a test must know of a block: who made it, and whose digest was wrong in which poll.

use std::sync::Arc;

use hydra_cli::chain::{Block, Chain};
use hydra_primitives::{AccountBytes, H256, poll::PollId};
use subxt::{
    OnlineClient, PolkadotConfig,
    backend::LegacyBackend,
    config::{RpcConfigFor, substrate::DigestItem},
    ext::scale_decode::DecodeAsType,
    rpcs::{RpcClient, methods::legacy::LegacyRpcMethods},
    utils::AccountId32,
};

/// A node, asked for single blocks.
pub struct Ledger {
    methods: LegacyRpcMethods<RpcConfigFor<PolkadotConfig>>,
    client: OnlineClient<PolkadotConfig>,
}

/// A digest that was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// In which poll.
    pub poll: PollId,
    /// Whose.
    pub who: AccountBytes,
}

impl Ledger {
    /// Of the node at `url`.
    pub async fn open(url: &str) -> Self {
        let rpc = RpcClient::from_insecure_url(url).await.expect("the node answers");
        // The other backend forgets a block that isn't of the newest.
        let backend = LegacyBackend::<PolkadotConfig>::builder().build(rpc.clone());
        let client = OnlineClient::from_backend(Arc::new(backend)).await;
        Self {
            methods: LegacyRpcMethods::new(rpc),
            client: client.expect("the node answers"),
        }
    }

    /// Who made a block: BABE notes which of the committee, behind the kind of its slot.
    pub async fn maker(&self, chain: &Chain, block: Block) -> AccountBytes {
        let header = self.methods.chain_get_header(Some(block.hash)).await;
        let header = header.expect("the node answers").expect("the node has it");
        let note = header.digest.logs.iter().find_map(|item| match item {
            DigestItem::PreRuntime([b'B', b'A', b'B', b'E'], note) => note.get(1..5),
            _ => None,
        });
        let number: Option<[u8; 4]> = note.and_then(|number| number.try_into().ok());
        let number = u32::from_le_bytes(number.expect("BABE made it"));
        let committee = chain.committee(block.hash).await.expect("the node has its state");
        let number = usize::try_from(number).expect("a few members");
        *committee.get(number).expect("a member of the committee")
    }

    /// Whose digests were wrong, as a block says.
    pub async fn wrong(&self, block: Block) -> Vec<Judged> {
        #[derive(DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        enum Verdict {
            Right,
            Wrong,
            Missed,
        }
        #[derive(DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct SeatJudged {
            poll: subxt::utils::H256,
            who: AccountId32,
            verdict: Verdict,
        }
        let at = self
            .client
            .at_block(block.hash)
            .await
            .expect("the block is known");
        let events = at.events().fetch().await.expect("the node has its state");
        let mut wrong = vec![];
        for event in events.iter() {
            let event = event.expect("an event");
            if (event.pallet_name(), event.event_name()) != ("StakeVoting", "SeatJudged") {
                continue;
            }
            let judged = event.decode_fields_unchecked_as::<SeatJudged>();
            let SeatJudged { poll, who, verdict } = judged.expect("its fields");
            match verdict {
                Verdict::Wrong => wrong.push(Judged {
                    poll: H256(poll.0),
                    who: who.0,
                }),
                Verdict::Right | Verdict::Missed => {}
            }
        }
        wrong
    }
}
