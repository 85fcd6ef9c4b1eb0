//! How blobs are cut, and how large they may be.

/// Bytes in a chunk group: the smallest unit that is verified and sent.
pub const GROUP_SIZE: u64 = 16 * 1024;
/// Bytes of content in one slice, at most.
pub const MAX_SLICE_SIZE: u64 = 1024 * 1024;
/// Bytes in a blob, at most (1 TiB). Keeps all tree arithmetic far from overflow.
pub const MAX_BLOB_SIZE: u64 = 1 << 40;
