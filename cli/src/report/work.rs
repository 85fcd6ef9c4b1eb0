//! What the trainer does for a model, in words.

use hydra_trainer_api::ModelState;

/// Its task, else its state. The model isn't named: whoever shows this does.
pub fn doing(work: &ModelState) -> String {
    let of_model = format!(" of model {}", work.model);
    match work.task.as_deref() {
        // At its end, or before another word; never as the beginning of another number.
        Some(task) => match task.strip_suffix(&of_model) {
            Some(rest) => rest.into(),
            None => task.replacen(&format!("{of_model} "), " ", 1),
        },
        None => work.state.to_string(),
    }
}

/// How far that is: `63 %`; `None` where it isn't known.
pub fn progress(work: &ModelState) -> Option<String> {
    let progress = work.progress.filter(|progress| progress.total > 0)?;
    let done = u64::from(progress.done.min(progress.total));
    Some(format!("{} %", done * 100 / u64::from(progress.total)))
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
        work.task = Some("doing the task of poll 0x1c…43 of model 3 again in round 1".into());
        assert_eq!(doing(&work), "doing the task of poll 0x1c…43 again in round 1");
        work.task = Some("measuring the newest version of model 31 in round 1".into());
        assert_eq!(
            doing(&work),
            "measuring the newest version of model 31 in round 1"
        );
    }

    #[test]
    fn progress_is_a_share_and_never_more_than_all() {
        let of = |json: &str| {
            let text =
                format!(r#"{{"model":0,"state":"training","round":1,"phase":"train","progress":{json}}}"#);
            let work: ModelState = serde_json::from_str(&text).unwrap();
            progress(&work)
        };
        assert_eq!(of(r#"{"done":19,"total":30}"#).as_deref(), Some("63 %"));
        assert_eq!(of(r#"{"done":31,"total":30}"#).as_deref(), Some("100 %"));
        assert_eq!(
            of(&format!(r#"{{"done":{0},"total":{0}}}"#, u32::MAX)).as_deref(),
            Some("100 %")
        );
        assert_eq!(of(r#"{"done":0,"total":0}"#), None);
        assert_eq!(of("null"), None);
    }
}
