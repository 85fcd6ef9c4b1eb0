//! A task whose training leaves the finite numbers: nothing is proposed of it, and whoever does it again says that it does.

use crate::support::{Chain, Pc, claim_of, found};
use hydra_blobs::BlobStore;
use hydra_primitives::{BlobRef, H256, domain_hash, duty::DutyResult, poll::Finding, proposal::Claim};
use hydra_update::{GlobalState, Weights};

/// The context of the protocol's page for what a version gives, and for what is not finite.
const RESULT: &str = "hydraai 2026 poll result version v2";

#[tokio::test(flavor = "multi_thread")]
async fn of_a_task_that_diverges_nothing_is_proposed_and_everybody_finds_that_it_is_not_finite() {
    let mut a = Pc::start(22, &[], true).await;
    let mut chain = Chain::new(&[&a]);
    // The network has confirmed weights that are finite; what the first step makes of them is not, whatever the seed.
    let sound = GlobalState::initial(&chain.spec);
    let huge = GlobalState {
        weights: Weights::new(vec![1e18; sound.weights.len()]),
        outer_momentum: sound.outer_momentum.clone(),
    };
    a.stop().await;
    let store = BlobStore::open(a.options.base_path.join("blobs")).unwrap();
    for state in [&huge, &sound] {
        store.put(&state.encode(&chain.spec)).unwrap();
    }
    drop(store);
    a.start_again().await;
    // The second one has nothing, and gets everything from the first.
    let mut b = Pc::start(23, &[&a], false).await;
    chain.confirm(huge.hash(&chain.spec));

    // Its holder says why, and that it is there.
    chain.heartbeat = Some(5);
    let owed = chain.sheet(&a, vec![chain.train(&a)]);
    a.post(&owed).await;
    a.status_with(|status| status["errors"].to_string().contains("training diverged"))
        .await;
    assert_eq!(a.one_result(&owed).await, DutyResult::Heartbeat { session: 5 });
    chain.heartbeat = None;
    assert!(a.post(&chain.sheet(&a, vec![chain.train(&a)])).await.is_empty());

    // Of whatever is claimed instead, everybody finds the same.
    let made_up = Claim {
        base: chain.confirmed.weights,
        update: BlobRef {
            hash: H256::repeat_byte(4),
            size: 0,
        },
    };
    let (verify, open) = (chain.verify(&a, &made_up), chain.open(&a, &made_up));
    let (at_a, at_b) = tokio::join!(
        found(&a, &chain, &verify, &open),
        found(&b, &chain, &verify, &open)
    );
    assert_eq!(at_a, at_b);
    assert_eq!(at_a.finding, Finding::NotFinite);
    assert_eq!(at_a.finding.result(), domain_hash(RESULT, &[]));

    // The same place with the same seed has a result from other weights.
    chain.confirm(sound.hash(&chain.spec));
    assert_eq!(claim_of(&a, &chain).await.base, chain.confirmed.weights);
    b.stop().await;
    a.stop().await;
}
