//! How gossip is started.

/// How it is started.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether to take part at all.
    pub enabled: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { enabled: true }
    }
}
