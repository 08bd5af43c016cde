//! Bytes and their meaning: arguments out, replies in. No I/O.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss
    )
)]

mod args;
mod collections;
mod header;
mod limits;
mod packed;
mod pieces;
mod reader;
mod reply;
mod scan;
mod short;
pub(crate) mod streamed;
mod value;

pub use args::ToArgs;
pub use limits::Limits;
pub use packed::Packed;
pub(crate) use pieces::{Parcel, Pieces, View};
pub use reader::{Frame, Reader};
pub use reply::{FromReply, Verbatim};
pub use scan::{Scan, Scanner};
#[doc(hidden)]
pub use short::{decimal as short_decimal, integer as short_integer};
pub(crate) use streamed::normalize;
pub use value::Value;
