//! The tag that shows that a sender knows the shared token, without showing the token.

use hydra_primitives::duty::{answer_tag, request_tag, tags_equal};

/// A keyed BLAKE3, as it travels in [`TAG_HEADER`](crate::TAG_HEADER): 64 hexadecimal digits.
#[derive(Clone, Copy, Debug)]
pub struct Tag([u8; 32]);

/// It is not 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TagError;

impl Tag {
    /// Of a request with this body.
    pub fn of_body(token: &[u8; 32], body: &[u8]) -> Self {
        Self(request_tag(token, body))
    }

    /// Of a request that has no body: there it is made of the path. No path is a body that anything would take.
    pub fn of_path(token: &[u8; 32], path: &str) -> Self {
        Self(request_tag(token, path.as_bytes()))
    }

    /// Of the answer with this body to the request with the tag `self`.
    pub fn of_answer(self, token: &[u8; 32], body: &[u8]) -> Self {
        Self(answer_tag(token, &self.0, body))
    }

    /// Reads a header's value.
    ///
    /// # Errors
    /// [`TagError`].
    pub fn parse(header: &[u8]) -> Result<Self, TagError> {
        let mut tag = [0; 32];
        hex::decode_to_slice(header, &mut tag).map_err(|_| TagError)?;
        Ok(Self(tag))
    }

    /// The header's value.
    pub fn header(&self) -> String {
        hex::encode(self.0)
    }
}

/// Without revealing where two tags differ.
impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        tags_equal(&self.0, &other.0)
    }
}

impl Eq for Tag {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tag_survives_its_header_and_depends_on_the_token() {
        let tag = Tag::of_body(&[1; 32], b"body");
        assert_eq!(Tag::parse(tag.header().as_bytes()), Ok(tag));
        assert_ne!(tag, Tag::of_body(&[2; 32], b"body"));
        assert_ne!(tag, tag.of_answer(&[1; 32], b"body"));
        assert_eq!(Tag::of_path(&[1; 32], "body"), tag);
        for bad in ["", "xyz", &"g".repeat(64), &"0".repeat(65)] {
            assert_eq!(Tag::parse(bad.as_bytes()), Err(TagError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_a_tag_or_none(
            bytes in proptest::collection::vec(any::<u8>(), 0..100),
            digits in "[0-9a-fA-F]{62,66}|[0-9a-g]{64}",
        ) {
            for header in [bytes, digits.into_bytes()] {
                if let Ok(tag) = Tag::parse(&header) {
                    prop_assert_eq!(tag.header().into_bytes(), header.to_ascii_lowercase());
                }
            }
        }
    }
}
