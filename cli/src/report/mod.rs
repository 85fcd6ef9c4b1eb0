//! What commands show: rows, tables and figures made from what the chain says. Read-only, and below every command.

pub mod accounts;
pub mod blocks;
pub mod clock;
pub mod current;
pub mod earned;
pub mod figures;
pub mod happenings;
pub mod health;
pub mod models;
pub mod own;
pub mod pace;
pub mod polls;
pub mod presence;
pub mod reach;
pub mod rounds;
pub mod unbonding;
pub mod work;
