//! Commands as typed values: each function here makes one, which can be pushed into a pipeline
//! or transaction; the method of the same name on [`Client`](crate::Client) runs it.
//!
//! A command with one shape of reply has a concrete type; one that gives back stored values is
//! generic, and decodes into what its result is used as.

mod hashes;
mod json;
mod keys;
mod lists;
mod script;
mod server;
mod set;
mod sets;
mod sorted_sets;
mod strings;

pub use hashes::*;
pub use json::*;
pub use keys::*;
pub use lists::*;
pub use script::{Invoke, RunScript, Script};
pub use server::*;
pub use set::{Set, set};
pub use sets::*;
pub use sorted_sets::*;
pub use strings::*;

/// Makes a function and a method of [`Client`](crate::Client) from one definition.
macro_rules! commands {
    ($(
        $(#[$meta:meta])*
        fn $name:ident $(<$generic:ident>)? ($($arg:ident: $type:ty),* $(,)?) -> $reply:ty
            $body:block
    )+) => {
        $(
            #[doc = concat!(
                "What [`Client::", stringify!($name), "`](crate::Client::", stringify!($name),
                ") runs, as a value."
            )]
            pub fn $name $(<$generic>)? ($($arg: $type),*) -> $crate::Command<$reply> $body
        )+

        impl $crate::Client {
            $(
                $(#[$meta])*
                pub fn $name $(<$generic>)? (&self, $($arg: $type),*)
                    -> $crate::Command<$reply, &$crate::Client>
                {
                    $name($($arg),*).on(self)
                }
            )+
        }
    };
}
use commands;
