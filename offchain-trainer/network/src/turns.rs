//! Places that are given out in turn: more important things first, and among those of one class whoever has had none for the
//! longest time. Who is new comes behind all that wait, as if it had just had one: names cost nothing.
//!
//! So who asks for a lot at once waits for itself, and nobody else does. A class may have to leave places free for those above
//! it.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    hash::Hash,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};
use tokio::sync::oneshot;

/// The places; `K` is who holds one.
pub(crate) struct Turns<K: Eq + Hash + Clone> {
    state: Mutex<State<K>>,
}

/// Of how many holders it is remembered when they last had a place. Who is forgotten counts as new.
const REMEMBERED: usize = 1024;

struct State<K> {
    free: usize,
    /// How many places have been given out.
    given: u64,
    /// When who last had one: who has just had one and asks again comes behind those who wait.
    last: HashMap<K, u64>,
    /// The most important one first.
    classes: Vec<Class<K>>,
}

struct Class<K> {
    /// Places that must stay free for classes above.
    spare: usize,
    waiting: VecDeque<Waits<K>>,
}

/// Who waits, for one place or several.
struct Waits<K> {
    holder: K,
    /// How many places had been given out when it came.
    came: u64,
    queue: VecDeque<oneshot::Sender<()>>,
}

/// One place; given back when dropped.
pub(crate) struct Turn<K: Eq + Hash + Clone> {
    turns: Arc<Turns<K>>,
}

/// Waits for a place.
pub(crate) struct Waiting<K: Eq + Hash + Clone> {
    turns: Arc<Turns<K>>,
    granted: oneshot::Receiver<()>,
    is_over: bool,
}

impl<K: Eq + Hash + Clone> Turns<K> {
    /// `places`, and for each class how many of them it must leave free. A class that had to leave all free must leave one less.
    pub(crate) fn new(places: usize, spare: &[usize]) -> Arc<Self> {
        let class = |spare: &usize| Class {
            spare: (*spare).min(places.saturating_sub(1)),
            waiting: VecDeque::new(),
        };
        Arc::new(Self {
            state: Mutex::new(State {
                free: places,
                given: 0,
                last: HashMap::new(),
                classes: spare.iter().map(class).collect(),
            }),
        })
    }

    /// A place for `holder`, when it is its turn. Classes are numbered from 0, the most important one; there is none behind the last.
    pub(crate) fn wait(turns: &Arc<Self>, class: usize, holder: K) -> Waiting<K> {
        let (grant, granted) = oneshot::channel();
        let mut state = turns.state();
        let (class, came) = (class.min(state.classes.len().saturating_sub(1)), state.given);
        if let Some(class) = state.classes.get_mut(class) {
            match class.waiting.iter_mut().find(|other| other.holder == holder) {
                Some(waits) => waits.queue.push_back(grant),
                None => class.waiting.push_back(Waits {
                    holder,
                    came,
                    queue: VecDeque::from([grant]),
                }),
            }
        }
        state.give();
        drop(state);
        Waiting {
            turns: turns.clone(),
            granted,
            is_over: false,
        }
    }
}

impl<K: Eq + Hash + Clone> Turns<K> {
    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Clone> State<K> {
    /// Gives free places to whoever is next.
    fn give(&mut self) {
        let Self {
            free,
            given,
            last,
            classes,
        } = self;
        for class in classes {
            while *free > class.spare
                && let Some(next) = class.next(last)
                && let Some(Waits { holder, queue, .. }) = class.waiting.get_mut(next)
            {
                // Who doesn't wait any more has had no turn.
                if queue.pop_front().is_some_and(|grant| grant.send(()).is_ok()) {
                    *free -= 1;
                    *given += 1;
                    last.insert(holder.clone(), *given);
                }
                if queue.is_empty() {
                    class.waiting.remove(next);
                }
            }
            // Nobody below is served before those who are above.
            if !class.waiting.is_empty() {
                break;
            }
        }
        if last.len() > REMEMBERED {
            let old = given.saturating_sub(REMEMBERED as u64 / 2);
            last.retain(|_, at| *at > old);
        }
    }
}

impl<K: Eq + Hash> Class<K> {
    /// Who has had no place for the longest time; who never had one, since it came.
    fn next(&self, last: &HashMap<K, u64>) -> Option<usize> {
        let waiting = self.waiting.iter().enumerate();
        let next = waiting.min_by_key(|(_, waits)| last.get(&waits.holder).copied().unwrap_or(waits.came));
        next.map(|(at, _)| at)
    }
}

impl<K: Eq + Hash + Clone> Future for Waiting<K> {
    type Output = Turn<K>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Turn<K>> {
        match Pin::new(&mut self.granted).poll(cx) {
            Poll::Ready(Ok(())) => {
                self.is_over = true;
                Poll::Ready(Turn {
                    turns: self.turns.clone(),
                })
            }
            // The sender is only dropped by a table without classes, which nobody makes.
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

impl<K: Eq + Hash + Clone> Drop for Waiting<K> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.granted.close();
        // It was our turn just now: somebody else's, then.
        if self.granted.try_recv().is_ok() {
            give_back(&self.turns);
        }
    }
}

impl<K: Eq + Hash + Clone> Drop for Turn<K> {
    fn drop(&mut self) {
        give_back(&self.turns);
    }
}

fn give_back<K: Eq + Hash + Clone>(turns: &Turns<K>) {
    let mut state = turns.state();
    state.free += 1;
    state.give();
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    /// Who gets the places, one after another, when each gives it back at once.
    fn order(turns: &Arc<Turns<char>>, mut waiting: Vec<(char, Waiting<char>)>) -> String {
        let mut order = String::new();
        while !waiting.is_empty() {
            let ready = waiting
                .iter_mut()
                .position(|(_, waits)| match waits.now_or_never() {
                    Some(turn) => {
                        drop(turn);
                        true
                    }
                    None => false,
                });
            order.push(waiting.remove(ready.expect("nobody's turn")).0);
        }
        assert_eq!(turns.state().free, 1);
        order
    }

    #[test]
    fn who_asks_often_waits_for_itself() {
        let turns = Turns::new(1, &[0]);
        let holds = Turns::wait(&turns, 0, 'x').now_or_never().unwrap();
        let waiting = "aaaabbc"
            .chars()
            .map(|who| (who, Turns::wait(&turns, 0, who)))
            .collect();
        drop(holds);
        assert_eq!(order(&turns, waiting), "abcabaa");
    }

    #[test]
    fn new_names_do_not_come_before_those_who_wait() {
        let turns = Turns::new(1, &[0]);
        for known in ['a', 'b'] {
            Turns::wait(&turns, 0, known).now_or_never().unwrap();
        }
        let holds = Turns::wait(&turns, 0, 'x').now_or_never().unwrap();
        // They have had theirs, and come after many that nobody knows.
        let waiting = "123ba".chars().map(|who| (who, Turns::wait(&turns, 0, who)));
        let waiting: Vec<_> = waiting.collect();
        drop(holds);
        assert_eq!(order(&turns, waiting), "ab123");
    }

    #[test]
    fn more_important_things_come_first_and_find_room() {
        let turns = Turns::new(2, &[0, 0, 1]);
        let low = Turns::wait(&turns, 2, 'l').now_or_never().unwrap();
        let mut second = Turns::wait(&turns, 2, 'l');
        assert!((&mut second).now_or_never().is_none(), "one place stays free");
        let high = Turns::wait(&turns, 0, 'h').now_or_never().unwrap();
        let mut middle = Turns::wait(&turns, 1, 'm');
        let mut important = Turns::wait(&turns, 0, 'h');
        drop(low);
        assert!((&mut middle).now_or_never().is_none());
        let first = (&mut important).now_or_never().expect("the most important one");
        drop(first);
        drop((&mut middle).now_or_never().expect("the next one"));
        drop(high);
        assert!((&mut second).now_or_never().is_some());
    }

    #[test]
    fn a_place_that_nobody_waits_for_any_more_goes_to_the_next() {
        let turns = Turns::new(1, &[0]);
        let holds = Turns::wait(&turns, 0, 'x').now_or_never().unwrap();
        let (gone, granted) = (Turns::wait(&turns, 0, 'a'), Turns::wait(&turns, 0, 'b'));
        let mut last = Turns::wait(&turns, 0, 'c');
        drop(gone);
        drop(holds);
        // It was its turn, and it doesn't know.
        drop(granted);
        assert!((&mut last).now_or_never().is_some());
        assert_eq!(turns.state().free, 1);
    }

    #[test]
    fn a_single_place_is_for_every_class() {
        let turns = Turns::new(1, &[0, 0, 1]);
        assert!(Turns::wait(&turns, 2, 'l').now_or_never().is_some());
    }
}
