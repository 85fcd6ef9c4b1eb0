//! Stories that take many minutes: `scripts/soak zombienet`.

mod founded;
mod partition;
mod small;
