//! What the trainer does for a model, in words.

use hydra_trainer_api::ModelState;

/// Its task, else its state. The model isn't named: whoever shows this does.
pub fn doing(work: &ModelState) -> String {
    let of_model = format!(" of model {}", work.model);
    match work.task.as_deref() {
        Some(task) => task.strip_suffix(&of_model).unwrap_or(task).into(),
        None => work.state.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_told_without_its_model_and_no_task_by_the_state() {
        let mut work: ModelState =
            serde_json::from_str(r#"{"model":3,"state":"idle","round":1,"phase":"train"}"#).unwrap();
        assert_eq!(doing(&work), "idle");
        work.task = Some("training for round 1 of model 3".into());
        assert_eq!(doing(&work), "training for round 1");
    }
}
