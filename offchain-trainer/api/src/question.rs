//! Questions to a model, and answers.

use hydra_primitives::{ModelId, Version};
use serde::{Deserialize, Serialize};

/// A question: which class is this image?
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The model to ask.
    pub model: ModelId,
    /// What to look at.
    pub image: Image,
}

/// A question whose bytes' BLAKE3 somebody paid for on chain. Everybody sees what was paid, so that it is the payer's question is
/// shown by knowing these bytes: they must not be possible to guess.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaidQuestion {
    /// The model to ask.
    pub model: ModelId,
    /// What to look at.
    pub image: Image,
    /// 64 hexadecimal digits by chance, which only the payer knows.
    pub salt: String,
}

impl PaidQuestion {
    /// Whether it has a salt of the right length, without which anyone could guess the question and use its payment.
    pub fn is_salted(&self) -> bool {
        self.salt.len() == 64 && self.salt.bytes().all(|digit| digit.is_ascii_hexdigit())
    }

    /// The question itself.
    pub fn question(self) -> Question {
        Question {
            model: self.model,
            image: self.image,
        }
    }
}

/// The most readings of one image.
pub const MAX_READINGS: usize = 64;

/// An image.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Image {
    /// Its values, row by row, from 0 to the data set's full pixel.
    Pixels(Vec<u8>),
    /// The same thing seen in several ways, each like [`Image::Pixels`], 1 to [`MAX_READINGS`] of them. The answer is the
    /// opinion of all: sure only where they agree.
    Readings(Vec<Vec<u8>>),
    /// An image of the validation set, from 0.
    ValidationIndex(u32),
}

/// What a question that can be answered will be answered with.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Checked {
    /// The model.
    pub model: ModelId,
    /// The version that will answer.
    pub version: Version,
    /// BLAKE3 of its weights.
    pub weights: String,
    /// The right answer, where it is known.
    pub truth: Option<u8>,
}

/// A model's answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The model.
    pub model: ModelId,
    /// The version that answered.
    pub version: Version,
    /// BLAKE3 of its weights.
    pub weights: String,
    /// The right answer, where it is known.
    pub truth: Option<u8>,
    /// The most probable class.
    pub label: u8,
    /// How probable each class is; they add up to 1.
    pub probabilities: Vec<f64>,
}

impl Answer {
    /// How sure the model is of its answer.
    pub fn confidence(&self) -> Option<f64> {
        self.probabilities.get(usize::from(self.label)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn questions_look_on_the_wire_as_they_always_did() {
        let pixels = Question {
            model: 0,
            image: Image::Pixels(vec![0, 16]),
        };
        let text = r#"{"model":0,"image":{"Pixels":[0,16]}}"#;
        assert_eq!(serde_json::to_string(&pixels).unwrap(), text);
        assert_eq!(serde_json::from_str::<Question>(text).unwrap(), pixels);
        let readings = Question {
            model: 0,
            image: Image::Readings(vec![vec![0, 16], vec![1, 15]]),
        };
        let text = r#"{"model":0,"image":{"Readings":[[0,16],[1,15]]}}"#;
        assert_eq!(serde_json::to_string(&readings).unwrap(), text);
        assert_eq!(serde_json::from_str::<Question>(text).unwrap(), readings);
        let index = Question {
            model: 2,
            image: Image::ValidationIndex(7),
        };
        let text = r#"{"model":2,"image":{"ValidationIndex":7}}"#;
        assert_eq!(serde_json::to_string(&index).unwrap(), text);
    }

    #[test]
    fn a_question_with_more_than_it_should_have_is_not_one() {
        for bad in [
            r#"{"model":0}"#,
            r#"{"model":0,"image":{"Pixels":[256]}}"#,
            r#"{"model":0,"image":{"Pixels":[-1]}}"#,
            r#"{"model":0,"image":{"ValidationIndex":-1}}"#,
            r#"{"model":0,"image":{"ValidationIndex":0},"more":1}"#,
        ] {
            assert!(serde_json::from_str::<Question>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_paid_question_has_a_salt_that_cannot_be_guessed() {
        let paid = |salt: &str| {
            let text = format!(r#"{{"model":0,"image":{{"ValidationIndex":7}},"salt":"{salt}"}}"#);
            serde_json::from_str::<PaidQuestion>(&text).unwrap()
        };
        let salted = paid(&"0a".repeat(32));
        assert!(salted.is_salted());
        assert_eq!(salted.question().image, Image::ValidationIndex(7));
        for bad in ["", "00", &"g".repeat(64), &"0".repeat(65)] {
            assert!(!paid(bad).is_salted(), "{bad}");
        }
        // What the command line pays for has none: nobody can have it answered by guessing.
        assert!(
            serde_json::from_str::<PaidQuestion>(r#"{"model":0,"image":{"ValidationIndex":7}}"#).is_err()
        );
    }

    #[test]
    fn a_paid_question_has_the_hash_that_the_dashboard_pays_for() {
        let text = format!(
            r#"{{"model":0,"image":{{"ValidationIndex":7}},"salt":"{}"}}"#,
            "5c".repeat(32)
        );
        assert_eq!(
            format!("{:?}", hydra_primitives::content_hash(text.as_bytes())),
            "0xbeaa6af2ae006d8f81939c16a0078d0e3b1623bab47ae257c8b71410a4c7234b"
        );
    }

    #[test]
    fn confidence_is_that_of_the_label_if_there_is_one() {
        let answer = |label| Answer {
            model: 0,
            version: 1,
            weights: String::new(),
            truth: None,
            label,
            probabilities: vec![0.25, 0.75],
        };
        assert_eq!(answer(1).confidence(), Some(0.75));
        assert_eq!(answer(2).confidence(), None);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_a_question_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = serde_json::from_slice::<Question>(&bytes);
            let _ = serde_json::from_slice::<PaidQuestion>(&bytes);
            let _ = serde_json::from_slice::<Answer>(&bytes);
            let _ = serde_json::from_slice::<Checked>(&bytes);
        }

        #[test]
        fn questions_come_back_as_they_were_sent(model in any::<u32>(), pixels in proptest::collection::vec(any::<u8>(), 0..100)) {
            let question = Question { model, image: Image::Pixels(pixels) };
            let text = serde_json::to_vec(&question).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Question>(&text).unwrap(), question);
        }
    }
}
