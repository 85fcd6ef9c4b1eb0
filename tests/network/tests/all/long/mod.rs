//! Stories that take many minutes: `scripts/soak zombienet`.

mod founded;
mod laboratory;
mod partition;
mod private;
mod small;
