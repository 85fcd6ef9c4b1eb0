//! What one look at something gives: a result that programs know by name and people read as a sentence.

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::Error;

/// What a check is about. The names are for scripts, too: they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// What the processor can do.
    Processor,
    /// How much memory there is.
    Memory,
    /// Free space where the data are.
    Disk,
    /// This PC's clock beside the network's.
    Clock,
    /// Whether node, trainer and worker are there, of one release.
    Programs,
    /// Whether the worker finds the right LibTorch.
    Libtorch,
    /// What is set in the environment that changes how programs load.
    Environment,
    /// The user's encrypted accounts.
    Wallet,
    /// Which network of this PC is meant.
    Network,
    /// Its folder.
    Folder,
    /// The file that describes it.
    NetworkFile,
    /// The keys of this PC's account.
    Keys,
    /// The identities of node and trainer, and the secret that they share.
    Identities,
    /// The ports.
    Ports,
    /// Whether the node answers.
    Node,
    /// Whether it knows the newest blocks.
    Sync,
    /// Whether it is connected to others.
    Peers,
    /// Whether blocks become final.
    Finality,
    /// Whether this release knows the chain's rules.
    Rules,
    /// Whether the trainer answers, and hears from the node.
    Trainer,
    /// How others reach the trainer.
    Reachability,
    /// Whether it computes what the network computes.
    Engine,
    /// Whether the account takes part.
    Registration,
    /// Its stake and coins.
    Stake,
    /// The other PCs of a local network.
    OtherPcs,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// It will be a fault, or is a choice of the owner's.
    Warning,
    /// It keeps this PC from taking part, or puts keys at risk.
    Fault,
    /// It can't be seen.
    Unknown,
}

/// One result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// What it is about.
    pub check: Topic,
    /// How it is.
    pub state: State,
    /// What was found, as a sentence without its full stop.
    pub found: String,
    /// What to do, if anything is to be done.
    pub todo: Option<String>,
}

impl Topic {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processor => "processor",
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Clock => "clock",
            Self::Programs => "programs",
            Self::Libtorch => "libtorch",
            Self::Environment => "environment",
            Self::Wallet => "wallet",
            Self::Network => "network",
            Self::Folder => "folder",
            Self::NetworkFile => "network_file",
            Self::Keys => "keys",
            Self::Identities => "identities",
            Self::Ports => "ports",
            Self::Node => "node",
            Self::Sync => "sync",
            Self::Peers => "peers",
            Self::Finality => "finality",
            Self::Rules => "rules",
            Self::Trainer => "trainer",
            Self::Reachability => "reachability",
            Self::Engine => "engine",
            Self::Registration => "registration",
            Self::Stake => "stake",
            Self::OtherPcs => "other_pcs",
        }
    }
}

impl Topic {
    /// Whether a page for people leaves it out while all is well: it says nothing then, and a page has few lines.
    pub const fn is_quiet(self) -> bool {
        matches!(
            self,
            Self::Environment | Self::Identities | Self::Rules | Self::Reachability
        )
    }
}

impl State {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
            Self::Unknown => "unknown",
        }
    }
}

impl Check {
    /// All is well.
    pub fn ok(check: Topic, found: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Ok,
            found: found.into(),
            todo: None,
        }
    }

    /// Something that has to be said, with what to do.
    pub fn new(check: Topic, state: State, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self {
            check,
            state,
            found: found.into(),
            todo: Some(todo.into()),
        }
    }

    /// A warning.
    pub fn warning(check: Topic, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self::new(check, State::Warning, found, todo)
    }

    /// A fault.
    pub fn fault(check: Topic, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self::new(check, State::Fault, found, todo)
    }

    /// What can't be seen, and why.
    pub fn unknown(check: Topic, found: impl Into<String>) -> Self {
        Self {
            state: State::Unknown,
            ..Self::ok(check, found)
        }
    }

    /// What an error says: its sentences end with what to do.
    pub fn of(check: Topic, state: State, error: &Error) -> Self {
        if let Error::File { action, path, source } = error {
            let found = format!("can't {action} {}: {source}", path.display());
            return Self::new(check, state, found, "check the path and its permissions");
        }
        let sentence = error.to_string();
        match sentence.rsplit_once(": ") {
            Some((found, todo)) => Self::new(check, state, found, todo),
            None => Self {
                state,
                ..Self::ok(check, sentence)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_called_the_same_in_json_and_in_words() {
        use Topic::*;
        let all = [
            Processor,
            Memory,
            Disk,
            Clock,
            Programs,
            Libtorch,
            Environment,
            Wallet,
            Network,
            Folder,
            NetworkFile,
            Keys,
            Identities,
            Ports,
            Node,
            Sync,
            Peers,
            Finality,
            Rules,
            Trainer,
            Reachability,
            Engine,
            Registration,
            Stake,
            OtherPcs,
        ];
        for topic in all {
            assert_eq!(serde_json::to_value(topic).unwrap(), topic.name());
        }
        for state in [State::Ok, State::Warning, State::Fault, State::Unknown] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }

    #[test]
    fn an_error_is_taken_apart_into_what_happened_and_what_to_do() {
        let damaged = Error::BadKey {
            path: "/k".into(),
            reason: "it holds: nothing".into(),
        };
        let check = Check::of(Topic::Keys, State::Fault, &damaged);
        assert_eq!(
            check.found,
            "/k is no key of a node's keystore (it holds: nothing)"
        );
        assert_eq!(check.todo.as_deref(), Some("restore it from your backup"));
        let denied = Error::File {
            action: "read",
            path: "/k".into(),
            source: std::io::ErrorKind::PermissionDenied.into(),
        };
        let check = Check::of(Topic::Keys, State::Fault, &denied);
        assert_eq!(check.found, "can't read /k: permission denied");
    }
}
