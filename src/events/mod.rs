//! Following what happens to a model's documents.
//!
//! Models with `#[redis(.., events)]` publish each write of a repository to a channel, in the same
//! step as the write; what plain commands (`HSET`, `DEL`) do to the same keys is not told. Redis keeps no message for those who are away: after a lost connection the
//! stream says [`Change::Gap`], and what happened meanwhile has to be read anew.
//!
//! The examples here follow the accounts of [`repository`](crate::repository):
//!
//! ```
//! # use alizarin::prelude::*;
//! # alizarin_samples::accounts(async |accounts| {
//! let mut changes = accounts.changes().await?;
//! accounts.update(&2, |bob| bob.cents += 1).await?;
//! let change = changes.next().await.expect("a stream without end")?;
//! assert_eq!(change, Change::Saved { id: 2, version: Some(2), fields: vec![] });
//! # Ok(()) });
//! ```

mod change;
mod stream;

pub use change::Change;
pub use stream::{Changes, Follow};
