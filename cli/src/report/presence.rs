//! Whether a registered account takes part, and if not, why and until when.

use hydra_primitives::{AccountBytes, Balance, BlockNumber, electorate::SessionIndex, status::NodeStatus};

use crate::{
    chain::{Attendance, Chain, Hash},
    error::Error,
};

/// How an account takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// It isn't registered.
    #[default]
    Unregistered,
    /// Less than the least stake is bonded.
    Unstaked,
    /// Its owner paused it.
    Paused,
    /// It takes part from the next session on.
    Joining,
    /// It takes part from the session on that follows its next heartbeat: it gave none in the last one.
    Silent,
    /// It missed a duty, and takes part as soon as it is heard of, or, if it did so several times in a session, as soon as it is
    /// heard of from a block on.
    Away {
        /// That block.
        from: Option<BlockNumber>,
    },
    /// It had a wrong result, or took stake away.
    Out {
        /// The session in which it may take part again.
        until: SessionIndex,
    },
    /// It takes part.
    In,
}

impl Presence {
    /// Of what the chain says: `least` is the least stake, `session` the session now.
    pub fn of(
        status: &NodeStatus,
        attendance: Option<Attendance>,
        least: Balance,
        session: SessionIndex,
    ) -> Self {
        let attendance = attendance.unwrap_or_default();
        match status {
            NodeStatus {
                registered: false, ..
            } => Self::Unregistered,
            NodeStatus { stake, .. } if *stake < least => Self::Unstaked,
            NodeStatus { paused: true, .. } => Self::Paused,
            NodeStatus { active: true, .. } => Self::In,
            _ if attendance.out_until > session => Self::Out {
                until: attendance.out_until,
            },
            _ if attendance.away => Self::Away {
                from: attendance
                    .absences
                    .filter(|(_, times)| *times > 1)
                    .map(|_| attendance.away_until),
            },
            _ if attendance.heartbeat == Some(session) => Self::Joining,
            _ => Self::Silent,
        }
    }

    /// Reads it at a block.
    pub async fn read(
        chain: &Chain,
        account: &AccountBytes,
        status: &NodeStatus,
        at: Hash,
    ) -> Result<Self, Error> {
        // Nothing else is to be asked of most.
        match status {
            NodeStatus {
                registered: false, ..
            } => return Ok(Self::Unregistered),
            NodeStatus {
                active: true,
                paused: false,
                ..
            } => return Ok(Self::In),
            _ => {}
        }
        let session = chain.electorate(at).await?.session;
        let attendance = chain.attendance(account, at).await?;
        let least = chain.least_stake(at).await?;
        Ok(Self::of(status, attendance, least, session))
    }

    /// As programs read it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unregistered => "unregistered",
            Self::Unstaked => "unstaked",
            Self::Paused => "paused",
            Self::Joining => "joining",
            Self::Silent => "silent",
            Self::Away { .. } => "away",
            Self::Out { .. } => "out",
            Self::In => "in",
        }
    }

    /// The session until which it is out, if it is.
    pub fn out_until(self) -> Option<SessionIndex> {
        match self {
            Self::Out { until } => Some(until),
            _ => None,
        }
    }

    /// As a part of a sentence about an account: "takes part".
    pub fn words(self) -> String {
        match self {
            Self::Unregistered => "is not registered".into(),
            Self::Unstaked => "has less than the least stake".into(),
            Self::Paused => "is paused".into(),
            Self::Joining => "takes part from the next session on".into(),
            Self::Silent => "takes part from the session on that follows its next heartbeat".into(),
            Self::Away { from: None } => "missed a duty, and is out until it is heard of again".into(),
            Self::Away { from: Some(block) } => {
                format!("missed duties again, and is out until it is heard of in block {block} or later")
            }
            Self::Out { until } => format!("is out until session {until}"),
            Self::In => "takes part".into(),
        }
    }

    /// The same in a word or two.
    pub fn brief(self) -> String {
        match self {
            Self::Unregistered => "not registered".into(),
            Self::Unstaked => "no stake".into(),
            Self::Paused => "paused".into(),
            Self::Joining => "from next session".into(),
            Self::Silent => "not heard of".into(),
            Self::Away { .. } => "away".into(),
            Self::Out { until } => format!("out until {until}"),
            Self::In => "takes part".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{HYDRA, Perbill};

    fn status() -> NodeStatus {
        NodeStatus {
            registered: true,
            active: false,
            paused: false,
            heartbeat: 4,
            peer_id: vec![],
            reputation: Perbill::from_percent(90),
            stake: HYDRA,
            unbonding: 0,
            weight: 0,
            room: 16,
            busy: 0,
            size_class: 8,
        }
    }

    fn of(status: &NodeStatus, attendance: Attendance) -> Presence {
        Presence::of(status, Some(attendance), HYDRA, 5)
    }

    #[test]
    fn why_an_account_is_drawn_for_nothing_follows_from_what_the_chain_has() {
        let known = Attendance {
            heartbeat: Some(4),
            ..Attendance::default()
        };
        assert_eq!(of(&status(), known), Presence::Silent);
        let joined = Attendance {
            heartbeat: Some(5),
            ..known
        };
        assert_eq!(of(&status(), joined), Presence::Joining);
        let away = Attendance { away: true, ..joined };
        assert_eq!(of(&status(), away), Presence::Away { from: None });
        let again = |times| Attendance {
            away_until: 120,
            absences: Some((5, times)),
            ..away
        };
        assert_eq!(of(&status(), again(1)), Presence::Away { from: None });
        assert_eq!(of(&status(), again(2)), Presence::Away { from: Some(120) });
        let out = Attendance { out_until: 7, ..away };
        assert_eq!(of(&status(), out), Presence::Out { until: 7 });
        // What is over counts no more.
        let over = Attendance {
            out_until: 5,
            ..joined
        };
        assert_eq!(of(&status(), over), Presence::Joining);
    }

    #[test]
    fn pausing_and_stake_come_before_what_sessions_say() {
        let active = NodeStatus {
            active: true,
            ..status()
        };
        assert_eq!(of(&active, Attendance::default()), Presence::In);
        let paused = NodeStatus {
            paused: true,
            ..active.clone()
        };
        assert_eq!(of(&paused, Attendance::default()), Presence::Paused);
        let poor = NodeStatus {
            stake: HYDRA - 1,
            ..paused
        };
        assert_eq!(of(&poor, Attendance::default()), Presence::Unstaked);
        let nobody = NodeStatus {
            registered: false,
            ..active
        };
        assert_eq!(of(&nobody, Attendance::default()), Presence::Unregistered);
    }

    #[test]
    fn programs_read_one_word_and_people_a_sentence_for_each() {
        let all = [
            Presence::Unregistered,
            Presence::Unstaked,
            Presence::Paused,
            Presence::Joining,
            Presence::Silent,
            Presence::Away { from: None },
            Presence::Out { until: 7 },
            Presence::In,
        ];
        let mut words: Vec<&str> = all.map(Presence::word).to_vec();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all.len());
        assert_eq!(all.map(Presence::out_until).iter().flatten().count(), 1);
        assert_eq!(Presence::Out { until: 7 }.words(), "is out until session 7");
        let kept = Presence::Away { from: Some(120) }.words();
        assert!(kept.ends_with("in block 120 or later"), "{kept}");
        assert!(all.map(Presence::brief).iter().all(|brief| brief.len() <= 17));
    }
}
