//! Following what happens to a model's documents.
//!
//! Models with `#[redis(.., events)]` publish each write of a repository to a channel, in the same
//! step as the write. Redis keeps no message for those who are away: after a lost connection the
//! stream says [`Change::Gap`], and what happened meanwhile has to be read anew.

mod change;
mod stream;

pub use change::Change;
pub use stream::{Changes, Follow};
