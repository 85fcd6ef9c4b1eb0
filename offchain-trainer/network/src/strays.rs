//! Dials that were to leave from the port that we listen on, and left from another: the system allows one connection from one port
//! to another, and remembers it for a minute after it has ended.
//!
//! Where the other side sees such a dial come from says nothing of where we are reached. Must never be taken for more: which of several
//! connections to an address it was can't be told from outside.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// So many are remembered, the newest.
const MOST: usize = 128;

/// Where they went, and from which port. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Strays(Arc<Mutex<VecDeque<(SocketAddr, u16)>>>);

impl Strays {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(SocketAddr, u16)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One has gone there, from this port.
    pub(crate) fn add(&self, to: SocketAddr, port: u16) {
        let mut strays = self.lock();
        if strays.len() >= MOST {
            strays.pop_front();
        }
        strays.push_back((to, port));
    }

    /// Whether what is seen at `port`, from where we dialled, may be one: `to` where that is known.
    pub(crate) fn may_be(&self, to: Option<SocketAddr>, port: u16) -> bool {
        let strays = self.lock();
        strays
            .iter()
            .any(|(gone, from)| Some(*gone) == to || *from == port)
    }

    /// There are no connections to there any more.
    pub(crate) fn forget(&self, to: SocketAddr) {
        self.lock().retain(|(gone, _)| *gone != to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_goes_where_one_went_may_be_one_until_none_is_left() {
        let strays = Strays::default();
        let [there, elsewhere] = [1, 2].map(|n| SocketAddr::from(([192, 0, 2, n], 30400)));
        strays.add(there, 50_000);
        assert!(strays.may_be(Some(there), 40_000) && strays.may_be(None, 50_000));
        assert!(!strays.may_be(Some(elsewhere), 40_000) && !strays.may_be(None, 40_000));
        strays.forget(there);
        assert!(!strays.may_be(Some(there), 50_000));
        for port in 0..1000 {
            strays.add(elsewhere, port);
        }
        assert_eq!(strays.lock().len(), MOST);
    }
}
