//! The numbers of HydraAI outside LibTorch: weights, updates and how they are folded, losses, data shards and the order of
//! samples.
//!
//! Everything here is a pure function with one result, bit for bit, on every CPU: fixed order of operations, no fused
//! multiply-add, no threads, no libm. Must never call LibTorch, open a file, or trust bytes that came from someone else.
//!
//! Start with [`Weights`] and [`Update`], then [`fold`](mod@fold), which makes a version of accepted updates, and [`fold_files`](mod@fold_files),
//! which reads them little by little; [`dataset`] and
//! [`batches`] say which samples a step sees, [`initial`] where weights come from. Formats are in `docs/protocol.md`.

pub mod batches;
pub mod codec;
pub mod dataset;
pub mod digits;
pub mod fold;
pub mod fold_files;
pub mod global;
mod hashed;
pub mod initial;
pub mod loss;
pub mod tensor_file;
pub mod weights;

pub use batches::Batches;
pub use codec::{Update, UpdateError, decode_update, encode_update, update_size};
pub use dataset::{Dataset, DatasetError, Shard, check_shard, count_samples, decode_shard, encode_shard};
pub use fold::{FoldError, fold};
pub use fold_files::{FoldFilesError, UpdateFile, fold_files};
pub use global::{GlobalState, ReadError, StateError, expected_size};
pub use loss::MeanLoss;
pub use weights::Weights;
