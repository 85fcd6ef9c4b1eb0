//! The numbers of HydraAI outside LibTorch: weights, updates and how they are folded, losses, data shards and the order of
//! samples.
//!
//! Everything here is a pure function with one result, bit for bit, on every CPU: fixed order of operations, no fused
//! multiply-add, no threads, no libm. Must never call LibTorch, do I/O, or trust bytes that came from someone else.
//!
//! Start with [`Weights`] and [`Update`], then [`fold`](mod@fold), which makes a version of accepted updates; [`dataset`] and
//! [`batches`] say which samples a step sees, [`initial`] where weights come from. Formats are in `docs/protocol.md`.

pub mod batches;
pub mod codec;
pub mod dataset;
pub mod digits;
pub mod fold;
pub mod global;
pub mod initial;
pub mod loss;
pub mod tensor_file;
pub mod weights;

pub use batches::Batches;
pub use codec::{Update, UpdateError, decode_update, encode_update, update_size};
pub use dataset::{Dataset, DatasetError, Shard, check_shard, decode_shard, encode_shard};
pub use fold::{FoldError, fold};
pub use global::{GlobalState, StateError, expected_size};
pub use loss::MeanLoss;
pub use weights::Weights;
