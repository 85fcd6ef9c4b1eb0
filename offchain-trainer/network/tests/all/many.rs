//! Sixty nodes of the real discovery and gossip in one process, three in ten of them silent or hostile. A thousand, and the figures that
//! are written down, are `examples/thousand-nodes`, with the same parts.

#[path = "../../examples/thousand-nodes/crowd.rs"]
mod crowd;
#[path = "../../examples/thousand-nodes/draw.rs"]
mod draw;
#[path = "../../examples/thousand-nodes/figures.rs"]
mod figures;
#[path = "../../examples/thousand-nodes/hostile.rs"]
mod hostile;
#[path = "../../examples/thousand-nodes/load.rs"]
mod load;
#[path = "../../examples/thousand-nodes/measured.rs"]
mod measured;
#[path = "../../examples/thousand-nodes/memory_ip.rs"]
mod memory_ip;
#[path = "../../examples/thousand-nodes/population.rs"]
mod population;
#[path = "../../examples/thousand-nodes/talk.rs"]
mod talk;

use figures::Plan;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn honest_nodes_find_each_other_and_hear_news_among_hostile_ones() {
    let plan = Plan {
        nodes: 60,
        seed: 7,
        starts: 30.0,
        settle: Duration::from_secs(60),
        pairs: 120,
        announcements: 40,
        rate: 20.0,
        slower: 1,
        talk: false,
    };
    let figures = crowd::run(plan).await;
    assert_eq!((figures.found, figures.wrong), (figures.pairs, 0), "{figures:?}");
    assert!(figures.quiet.within_8 >= 0.999, "{figures:?}");
    assert!(figures.quiet.copies <= 6.0, "{figures:?}");
    assert!(figures.flooded.within_8 >= 0.99, "{figures:?}");
    assert!(figures.ended > 0, "nobody flooded: {figures:?}");
    assert_eq!(figures.strange, 0, "{figures:?}");
    assert!(figures.slots.one_address <= 3, "{figures:?}");
}
