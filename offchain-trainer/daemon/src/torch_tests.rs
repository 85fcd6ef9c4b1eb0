use std::sync::mpsc;

use hydra_engine::EngineConfig;
use hydra_primitives::{H256, poll::Finding};

use super::*;

async fn ready() -> Torch {
    let torch = Torch::new(Engine::new(EngineConfig::default()));
    torch.test().await.unwrap();
    torch
}

async fn contradict(torch: &Torch) -> TorchError {
    let contradiction = EngineError::Contradiction {
        first: Finding::NotFinite,
        second: Finding::Update(H256::zero()),
    };
    torch.run(move |_| Err::<(), _>(contradiction)).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_contradiction_the_engine_is_tested_and_after_three_it_is_not_used_any_more() {
    let torch = ready().await;
    for _ in 1..TOO_MANY_CONTRADICTIONS {
        let error = contradict(&torch).await;
        assert!(error.to_string().contains("check its memory"), "{error}");
        assert_eq!(torch.state(), EngineState::Starting);
        let untested = torch.run(|engine| engine.self_test()).await.unwrap_err();
        assert!(matches!(untested, TorchError::Starting), "{untested}");
        assert!(torch.has_to_be_tested().await);
        torch.test().await.unwrap();
        torch.run(|engine| engine.self_test()).await.unwrap();
    }
    contradict(&torch).await;
    assert!(matches!(torch.state(), EngineState::Failed(reason) if reason.contains("memory test")));
    assert!(!torch.has_to_be_tested().await);
    let refused = torch.run(|engine| engine.self_test()).await.unwrap_err();
    assert!(matches!(refused, TorchError::Failed(_)), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pc_that_fails_the_test_after_a_contradiction_is_not_used_any_more() {
    let torch = Torch::new(Engine::new(EngineConfig {
        worker: Some("/nowhere/worker".into()),
        ..EngineConfig::default()
    }));
    torch.state.send_replace(EngineState::Ready);
    contradict(&torch).await;
    torch.test().await.unwrap_err();
    assert!(
        matches!(torch.state(), EngineState::Failed(_)),
        "{:?}",
        torch.state()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_nobody_waits_for_any_more_ends_and_leaves_its_worker_to_others() {
    let torch = ready().await;
    let (running, runs) = mpsc::channel();
    let (ended, ends) = mpsc::channel();
    let shared = torch.clone();
    let task = tokio::spawn(async move {
        let work = move |engine: &Engine| {
            let error = loop {
                match engine.self_test() {
                    Ok(()) => drop(running.send(())),
                    Err(error) => break error,
                }
            };
            drop(ended.send(error));
            Ok(())
        };
        shared.run(work).await
    });
    tokio::task::block_in_place(|| runs.recv().unwrap());
    task.abort();
    let error = tokio::task::block_in_place(|| ends.recv().unwrap());
    assert!(matches!(error, EngineError::CalledOff), "{error}");
    torch.run(|engine| engine.self_test()).await.unwrap();
}
