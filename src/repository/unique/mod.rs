//! Unique fields and groups: no two documents of a model have one value.
//!
//! ```
//! # use alizarin::prelude::*;
//! # {
//! #[derive(Debug, Clone, PartialEq, RedisModel)]
//! #[redis(hash, prefix = "member", unique(team, number))]
//! struct Member {
//!     #[redis(id)]
//!     id: u32,
//!     #[redis(unique)]
//!     email: String,
//!     team: String,
//!     number: Option<u32>,
//! }
//! # assert_eq!(Member::SCHEMA.unique.len(), 2);
//! # }
//! ```

mod apart;
mod by;
mod constraint;
mod repair;

pub(crate) use apart::Apart;
pub use by::{By, UniqueKey};
pub(crate) use constraint::{Change, Constraints};
pub use repair::{Audit, Duplicate, UniqueFields, UniqueProgress, UniqueReport};

use crate::{Error, ErrorKind, Sent};

/// The error for a value that another document has.
pub(crate) fn taken(model: &str, name: &str, holder: &str) -> Error {
    let message =
        format!("`{holder}` has this value of {model}'s unique `{name}`; nothing was written");
    Error::new(ErrorKind::Taken, message).with_field(name).with_holder(holder).with_sent(Sent::Yes)
}
