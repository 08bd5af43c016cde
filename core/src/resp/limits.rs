//! How large replies may be.

/// Bounds on what a server may send in one reply; beyond them the connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one string: 512 MiB by default, as the server's own limit.
    pub max_bulk_bytes: u64,
    /// Bytes of one whole reply: 4 GiB by default.
    pub max_frame_bytes: u64,
    /// Elements of one whole reply: 64 million by default.
    pub max_elements: u64,
    /// How deep aggregates nest: 128 by default.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_bulk_bytes: 512 << 20,
            max_frame_bytes: 4 << 30,
            max_elements: 64_000_000,
            max_depth: 128,
        }
    }
}
