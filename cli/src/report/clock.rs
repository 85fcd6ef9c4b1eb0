//! How far this PC's clock is from the network's.

use std::time::Duration;

use super::figures::duration;
use crate::{chain::Clock, trainer};

/// A clock that is off by more than a block time costs blocks.
pub const LIMIT_MS: u64 = 2_000;

/// How far it is ahead, in milliseconds: as the node says, else as the trainer does; `None` if neither knows.
pub fn offset_ms(node: Option<&Clock>, trainer: Option<&trainer::Status>) -> Option<i64> {
    let trainers = || Some(trainer?.clock?.offset_ms);
    node.and_then(|clock| clock.offset_ms).or_else(trainers)
}

/// Whether that costs blocks.
pub fn is_wrong(offset_ms: i64) -> bool {
    offset_ms.unsigned_abs() > LIMIT_MS
}

/// That, as people say it: `35 s ahead of`, `15 min behind`.
pub fn words(offset_ms: i64) -> String {
    let far = duration(Duration::from_millis(offset_ms.unsigned_abs()));
    let side = if offset_ms > 0 { "ahead of" } else { "behind" };
    format!("{far} {side}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_node_says_counts_before_what_the_trainer_says() {
        let trainer: trainer::Status = serde_json::from_str(
            r#"{"version":"1","peer_id":"12D3","engine":{"state":"ready"},"clock":{"offset_ms":-4000,"peers":3}}"#,
        )
        .unwrap();
        let node = |offset_ms| Clock {
            offset_ms,
            warning: None,
        };
        assert_eq!(offset_ms(Some(&node(Some(7))), Some(&trainer)), Some(7));
        assert_eq!(offset_ms(Some(&node(None)), Some(&trainer)), Some(-4_000));
        assert_eq!(offset_ms(None, None), None);
    }

    #[test]
    fn an_offset_is_said_with_its_side() {
        assert!(is_wrong(-2_001) && is_wrong(i64::MIN) && !is_wrong(2_000));
        assert_eq!(words(35_200), "35 s ahead of");
        assert_eq!(words(-900_000), "15 min behind");
    }
}
