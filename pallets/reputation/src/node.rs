//! What is known of one registered account, and what heartbeats, misses and leaving do to it. Sessions come in as arguments:
//! this is arithmetic without storage, and must never look at anything but the account.

use frame_support::pallet_prelude::*;
use hydra_primitives::{
    AccountBytes, BlockNumber, Perbill, domain_hash, electorate::SessionIndex, model::SizeClass,
    traits::NodeEntry,
};

/// Longest data-plane PeerId, in bytes (a multihash).
pub const MAX_PEER_ID: u32 = 64;

/// A data-plane PeerId as multihash bytes.
pub type PeerIdBytes = BoundedVec<u8, ConstU32<MAX_PEER_ID>>;

const TIME: &str = "hydraai 2026 heartbeat time v1";

/// A registered account.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Node {
    /// Its data-plane identity: the libp2p PeerId under which its trainer serves blobs.
    pub peer_id: PeerIdBytes,
    /// How large the tasks may be that it takes on: see `docs/protocol.md`.
    pub size_class: SizeClass,
    /// How many tasks it takes on at a time.
    pub room: u8,
    /// How many it has.
    pub busy: u8,
    /// How well it did its duties lately.
    pub score: Perbill,
    /// The session in which it registered.
    pub joined: SessionIndex,
    /// The session of its last heartbeat, which entered it into the electorate of the session after.
    pub heartbeat: Option<SessionIndex>,
    /// The first of the sessions, without a gap up to its last, in whose electorate it stands.
    pub since: SessionIndex,
    /// Whether it missed a duty and was not heard of since: it is out until its next heartbeat.
    pub away: bool,
    /// No heartbeat before this block brings it back.
    pub away_until: BlockNumber,
    /// The block in which it last came back.
    pub returned_at: BlockNumber,
    /// The session in which it last went away, and how often it did in it.
    pub absences: Option<(SessionIndex, u8)>,
    /// It is out before this session.
    pub out_until: SessionIndex,
    /// Whether its owner paused it.
    pub paused: bool,
}

impl Node {
    /// An account that registers in `session`, and has given no heartbeat.
    pub fn new(
        peer_id: PeerIdBytes,
        size_class: SizeClass,
        room: u8,
        score: Perbill,
        session: SessionIndex,
    ) -> Self {
        Self {
            peer_id,
            size_class,
            room,
            busy: 0,
            score,
            joined: session,
            heartbeat: None,
            since: session.saturating_add(1),
            away: false,
            away_until: 0,
            returned_at: 0,
            absences: None,
            out_until: 0,
            paused: false,
        }
    }

    /// An account that stands in the electorate of session 0 without a heartbeat: genesis named it.
    pub fn founder(peer_id: PeerIdBytes, size_class: SizeClass, room: u8, score: Perbill) -> Self {
        Self {
            since: 0,
            ..Self::new(peer_id, size_class, room, score, 0)
        }
    }

    /// Whether it stands in the electorate of `session`: that of its last heartbeat, or the one before.
    pub fn stands_in(&self, session: SessionIndex) -> bool {
        let last = self.heartbeat.map_or(0, |heartbeat| heartbeat.saturating_add(1));
        (self.since..=last).contains(&session)
    }

    /// Whether a point that falls on it in `session` counts, if it has enough stake.
    pub fn takes_part(&self, session: SessionIndex) -> bool {
        !self.paused && !self.away && session >= self.out_until && self.stands_in(session)
    }

    /// Whether a heartbeat in `session` would enter it into the next session's electorate: none has yet, and it is not out
    /// for longer.
    pub fn enters(&self, session: SessionIndex) -> bool {
        self.heartbeat != Some(session) && session.saturating_add(1) >= self.out_until
    }

    /// Whether a heartbeat in block `now` of `session` would bring it back into that very session, from which it went away.
    pub fn returns(&self, session: SessionIndex, now: BlockNumber) -> bool {
        self.away && now >= self.away_until && session >= self.out_until && self.stands_in(session)
    }

    /// It was heard of in block `now`. Says whether it was away and is no longer.
    pub fn heard(&mut self, now: BlockNumber) -> bool {
        let returned = self.away && now >= self.away_until;
        if returned {
            self.away = false;
            self.returned_at = now;
        }
        returned
    }

    /// It stands in the electorate of the session after `session`, too.
    pub fn enter(&mut self, session: SessionIndex) {
        if !self.stands_in(session) {
            self.since = session.saturating_add(1);
        }
        self.heartbeat = Some(session);
    }

    /// It is found in block `now` of `session`, which has so many blocks, that it missed a duty which began in block `since`. Says
    /// whether it goes away, which it doesn't if it was out already, or the duty was under way when it came back: duties that it was
    /// drawn for together, it misses together.
    pub fn miss(
        &mut self,
        session: SessionIndex,
        now: BlockNumber,
        blocks: BlockNumber,
        since: BlockNumber,
    ) -> bool {
        if self.away || session < self.out_until || since < self.returned_at {
            return false;
        }
        let before = self
            .absences
            .filter(|(of, _)| *of == session)
            .map_or(0, |(_, times)| times);
        self.absences = Some((session, before.saturating_add(1)));
        self.away = true;
        self.away_until = now.saturating_add(longer_away(before, blocks));
        true
    }

    /// It leaves until no electorate knows the weight that it had. Says until which session it is out, if that is later than
    /// before.
    pub fn leave(&mut self, session: SessionIndex) -> Option<SessionIndex> {
        let sessions = if self.heartbeat == Some(session) { 2 } else { 1 };
        let until = session.saturating_add(sessions);
        (until > self.out_until).then(|| {
            self.out_until = until;
            until
        })
    }

    /// Whether it was not heard of for more than `sessions` sessions.
    pub fn is_abandoned(&self, session: SessionIndex, sessions: u32) -> bool {
        let last = self.heartbeat.unwrap_or(self.joined);
        session.saturating_sub(last) > sessions
    }

    /// It, as other pallets see it.
    pub fn entry(&self) -> NodeEntry {
        NodeEntry {
            joined: self.joined,
            heartbeat: self.heartbeat.unwrap_or(self.joined),
            paused: self.paused,
            room: self.room,
            busy: self.busy,
            size_class: self.size_class,
        }
    }
}

/// For how many blocks an account stays away that did so this often in this session already, of so many blocks: the first time for
/// none, then for a 64th of a session, and each further time twice as long, up to a whole one.
pub fn longer_away(before: u8, blocks: BlockNumber) -> BlockNumber {
    let Some(doublings) = before.checked_sub(1) else {
        return 0;
    };
    let first = blocks.div_ceil(64).max(1);
    let factor = 1u32.checked_shl(doublings.into()).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(blocks)
}

/// When an account owes its heartbeat, in 65,536ths of the stretch in which a session takes them: somewhere in its first three
/// quarters, so that heartbeats are spread over blocks, and whoever couldn't get through has a quarter left.
pub fn heartbeat_time(account: &AccountBytes, session: SessionIndex) -> u16 {
    let hash = domain_hash(TIME, &[account, &session.to_le_bytes()]);
    let point = hash
        .as_fixed_bytes()
        .first_chunk::<2>()
        .map_or(0, |bytes| u16::from_le_bytes(*bytes));
    point.saturating_sub(point.saturating_div(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_absence_of_a_session_is_twice_as_long_as_the_last_and_none_longer_than_a_session() {
        let waits = |blocks| [0, 1, 2, 3, 7, 8, 33, 255].map(|before| longer_away(before, blocks));
        assert_eq!(waits(1_440), [0, 23, 46, 92, 1_440, 1_440, 1_440, 1_440]);
        assert_eq!(waits(20), [0, 1, 2, 4, 20, 20, 20, 20]);
        assert_eq!(waits(0), [0; 8]);
        assert_eq!(waits(u32::MAX)[5], u32::MAX);
    }

    #[test]
    fn heartbeats_are_spread_over_three_quarters_and_each_session_has_other_times() {
        let mut quarters = [0u32; 4];
        for n in 0..=255u8 {
            for session in 0..8 {
                quarters[usize::from(heartbeat_time(&[n; 32], session) / 16_384)] += 1;
            }
        }
        // 49,152 itself, the last of all, would be in the fourth.
        assert!(
            quarters[..3].iter().all(|n| (600..=770).contains(n)),
            "{quarters:?}"
        );
        assert!(quarters[3] <= 1, "{quarters:?}");
        assert_ne!(heartbeat_time(&[1; 32], 0), heartbeat_time(&[1; 32], 1));
        assert_ne!(heartbeat_time(&[1; 32], 0), heartbeat_time(&[2; 32], 0));
    }
}
