//! How large a blob may be.

use std::fmt;

/// How large a blob may be, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeRule {
    /// Exactly this: somebody accountable declared it.
    Exact(u64),
    /// At most this.
    AtMost(u64),
}

impl SizeRule {
    /// Whether a blob of `size` bytes is acceptable.
    pub fn allows(&self, size: u64) -> bool {
        match self {
            Self::Exact(exact) => size == *exact,
            Self::AtMost(limit) => size <= *limit,
        }
    }

    /// The largest acceptable size in bytes.
    pub fn limit(&self) -> u64 {
        match self {
            Self::Exact(size) | Self::AtMost(size) => *size,
        }
    }
}

impl fmt::Display for SizeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(size) => write!(f, "exactly {size} bytes are expected"),
            Self::AtMost(size) => write!(f, "at most {size} bytes are allowed"),
        }
    }
}
