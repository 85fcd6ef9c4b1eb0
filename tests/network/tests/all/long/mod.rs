//! Stories that take many minutes: `scripts/soak zombienet`.

mod partition;
