//! Stories that take many minutes, each on a network of its own: `scripts/soak zombienet`.

mod leaving;
mod liars;
mod openings;
mod two_of_four;
