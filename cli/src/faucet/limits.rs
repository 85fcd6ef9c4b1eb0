//! Whom the faucet may serve: an address once, so many in a day, so many of them from one part of the internet.
//!
//! It must never hold more than the limits allow: who is refused leaves nothing behind. It never looks at a clock: now is what
//! it is told.

use hydra_primitives::AccountBytes;
use std::{collections::HashMap, net::IpAddr};

use super::{memory::Entry, refusal::Refusal};

/// The time for which the limits count, in seconds.
const DAY: u64 = 86_400;

/// A part of the internet: whoever has one address in it can have them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// A /24.
    V4([u8; 3]),
    /// A /64.
    V6([u16; 4]),
}

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        // An IPv4 client of a socket that takes both looks like an IPv6 one.
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

/// How far it is with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Served {
    /// It waits for its payment.
    Waiting,
    /// It was paid in this block, or perhaps.
    Done(Option<u64>),
}

/// What counts for the limits.
#[derive(Clone, Copy, Debug)]
struct Counted {
    to: AccountBytes,
    at: u64,
    /// Who asked. That is not kept over a restart: it is written down nowhere.
    client: Option<Client>,
}

/// The limits, and what counts for them.
#[derive(Debug)]
pub struct Limits {
    per_day: usize,
    per_client: usize,
    served: HashMap<AccountBytes, Served>,
    counted: Vec<Counted>,
}

impl Limits {
    /// Goes on after what the memory holds.
    pub fn new(per_day: u32, per_client: u32, before: &[Entry]) -> Self {
        let most = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let done = |entry: &Entry| (entry.account, Served::Done(entry.block));
        Self {
            per_day: most(per_day),
            per_client: most(per_client),
            served: before.iter().map(done).collect(),
            counted: before
                .iter()
                .map(|entry| Counted {
                    to: entry.account,
                    at: entry.at,
                    client: None,
                })
                .collect(),
        }
    }

    /// Takes an address in, which then waits for its payment, or says why not.
    pub fn admit(&mut self, to: &AccountBytes, client: Client, now: u64) -> Result<(), Refusal> {
        match self.served.get(to) {
            Some(Served::Waiting) => return Err(Refusal::Waiting),
            Some(Served::Done(Some(block))) => return Err(Refusal::AlreadyServed(*block)),
            Some(Served::Done(None)) => return Err(Refusal::PerhapsServed),
            None => {}
        }
        // What lies ahead is of a clock that was wrong, and counts.
        self.counted
            .retain(|counted| now.saturating_sub(counted.at) < DAY);
        let theirs = |counted: &&Counted| counted.client == Some(client);
        let again = |oldest: Option<u64>| oldest.unwrap_or(now).saturating_add(DAY).saturating_sub(now);
        if self.counted.iter().filter(theirs).count() >= self.per_client {
            let oldest = self.counted.iter().filter(theirs).map(|counted| counted.at).min();
            return Err(Refusal::ClientLimit(again(oldest)));
        }
        if self.counted.len() >= self.per_day {
            let oldest = self.counted.iter().map(|counted| counted.at).min();
            return Err(Refusal::DailyLimit(again(oldest)));
        }
        self.served.insert(*to, Served::Waiting);
        self.counted.push(Counted {
            to: *to,
            at: now,
            client: Some(client),
        });
        Ok(())
    }

    /// It was paid, in this block, or perhaps: never again.
    pub fn done(&mut self, to: &AccountBytes, block: Option<u64>) {
        self.served.insert(*to, Served::Done(block));
    }

    /// Nothing was paid: it may ask again. Only this try doesn't count: an earlier one may have cost a fee.
    pub fn release(&mut self, to: &AccountBytes) {
        self.served.remove(to);
        if let Some(last) = self.counted.iter().rposition(|counted| counted.to == *to) {
            self.counted.remove(last);
        }
    }

    /// The same, after a try that cost a fee: it counts for the limits.
    pub fn release_counted(&mut self, to: &AccountBytes) {
        self.served.remove(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Client = Client::V4([10, 0, 0]);
    const THERE: Client = Client::V4([10, 0, 1]);

    fn limits(per_day: u32, per_client: u32) -> Limits {
        Limits::new(per_day, per_client, &[])
    }

    #[test]
    fn an_address_is_served_once_and_again_only_if_nothing_was_paid() {
        let mut limits = limits(9, 9);
        let to = [1; 32];
        assert_eq!(limits.admit(&to, HERE, 0), Ok(()));
        assert_eq!(limits.admit(&to, THERE, 0), Err(Refusal::Waiting));
        limits.release(&to);
        assert_eq!(limits.admit(&to, HERE, 0), Ok(()));
        limits.done(&to, Some(7));
        assert_eq!(limits.admit(&to, HERE, 0), Err(Refusal::AlreadyServed(7)));
        // Nor ever.
        assert_eq!(limits.admit(&to, HERE, 100 * DAY), Err(Refusal::AlreadyServed(7)));
        limits.done(&to, None);
        assert_eq!(limits.admit(&to, HERE, 0), Err(Refusal::PerhapsServed));
    }

    #[test]
    fn who_asks_too_often_waits_for_a_day_and_others_do_not() {
        let mut limits = limits(9, 2);
        for n in 1..=2 {
            assert_eq!(limits.admit(&[n; 32], HERE, u64::from(n)), Ok(()));
        }
        assert_eq!(
            limits.admit(&[3; 32], HERE, 11),
            Err(Refusal::ClientLimit(DAY - 10))
        );
        assert_eq!(limits.admit(&[3; 32], THERE, 11), Ok(()));
        // What wasn't paid doesn't count, unless it cost something.
        limits.release_counted(&[2; 32]);
        assert!(limits.admit(&[4; 32], HERE, 12).is_err());
        limits.release(&[1; 32]);
        assert_eq!(limits.admit(&[4; 32], HERE, 12), Ok(()));
        assert_eq!(limits.admit(&[5; 32], HERE, DAY + 2), Ok(()));
        assert!(limits.admit(&[6; 32], HERE, DAY + 11).is_err());
    }

    #[test]
    fn a_try_that_cost_a_fee_counts_whatever_becomes_of_the_next_one() {
        let mut limits = limits(9, 9);
        let to = [1; 32];
        assert_eq!(limits.admit(&to, HERE, 0), Ok(()));
        limits.release_counted(&to);
        assert_eq!(limits.admit(&to, HERE, 1), Ok(()));
        limits.release(&to);
        assert_eq!(limits.counted.len(), 1);
        assert_eq!(limits.counted[0].at, 0);
    }

    #[test]
    fn a_day_s_number_holds_over_a_restart_and_when_the_clock_goes_back() {
        let before = [1u8, 2].map(|n| Entry {
            account: [n; 32],
            at: 1_000,
            block: None,
        });
        let mut limits = Limits::new(2, 9, &before);
        assert_eq!(limits.admit(&[1; 32], HERE, 1_000), Err(Refusal::PerhapsServed));
        assert_eq!(
            limits.admit(&[3; 32], HERE, 1_600),
            Err(Refusal::DailyLimit(DAY - 600))
        );
        assert!(limits.admit(&[3; 32], HERE, 0).is_err());
        assert_eq!(limits.admit(&[3; 32], HERE, 1_000 + DAY), Ok(()));
    }

    #[test]
    fn who_is_refused_leaves_nothing_behind() {
        let mut limits = limits(2, 1);
        assert_eq!(limits.admit(&[0; 32], HERE, 0), Ok(()));
        for n in 1..100 {
            assert!(limits.admit(&[n; 32], HERE, 0).is_err());
        }
        assert_eq!((limits.served.len(), limits.counted.len()), (1, 1));
    }

    #[test]
    fn a_client_is_a_part_of_the_internet() {
        let client = |text: &str| Client::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(client("203.0.113.7"), client("203.0.113.250"));
        assert_ne!(client("203.0.113.7"), client("203.0.114.7"));
        assert_eq!(client("::ffff:203.0.113.7"), client("203.0.113.7"));
        assert_eq!(client("2001:db8:1:2::3"), client("2001:db8:1:2:ffff::9"));
        assert_ne!(client("2001:db8:1:2::3"), client("2001:db8:1:3::3"));
    }
}
