//! Ids that nobody has to think of.

use super::RedisModel;
use crate::{Error, ErrorKind, Result};

/// Models whose id field says `generate`: [`Repository::create`](crate::Repository::create) makes
/// their ids. Implemented by derived code.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::{GeneratesId, IdSource};
///
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "note")]
/// struct Note {
///     #[redis(id, generate)]
///     id: Ulid,
/// }
///
/// let IdSource::Function(make) = Note::SOURCE else { unreachable!() };
/// assert_ne!(make(), make());
/// # Ok::<(), alizarin::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not generate its ids",
    note = "say where they come from: `#[redis(id, generate)]` for `Ulid` and `Uuid`, `#[redis(id, generate(counter))]` for integers, `#[redis(id, generate = \"path::to::function\")]`"
)]
pub trait GeneratesId: RedisModel {
    /// Where they come from.
    const SOURCE: IdSource<Self::Id>;
}

/// Where new ids come from.
///
/// ```
/// use alizarin::model::{GeneratedId, IdSource};
/// use uuid::Uuid;
///
/// let IdSource::Function(make) = Uuid::SOURCE else { unreachable!() };
/// assert_eq!(make().get_version_num(), 7);
/// ```
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "the derive writes it")]
pub enum IdSource<I> {
    /// Made here.
    Function(fn() -> I),
    /// Made of the number that a counter of the server gives.
    Counter(fn(u64) -> Result<I>),
}

/// Ids that have a generator of their own: [`ulid::Ulid`] and [`uuid::Uuid`], of which UUID version 7
/// is made. Both begin with the time: later ones sort after earlier ones. A type of one's own:
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::{GeneratedId, IdSource};
///
/// #[derive(Debug, Clone, PartialEq, RedisValue)]
/// struct Token(String);
///
/// impl GeneratedId for Token {
///     const SOURCE: IdSource<Token> = IdSource::Function(|| Token(Uuid::new_v4().to_string()));
/// }
///
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "session")]
/// struct Session {
///     #[redis(id, generate)]
///     token: Token,
/// }
///
/// # alizarin_samples::client(async |client, namespace| {
/// # let sessions = client.repository::<Session>().with_namespace(namespace);
/// let session = sessions.create(|token| Session { token }).await?;
/// assert!(sessions.exists(&session.token).await?);
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no generator of its own",
    note = "`Ulid` and `Uuid` have; integers take `generate(counter)`, other types `generate = \"path::to::function\"`"
)]
pub trait GeneratedId: Sized {
    /// Where they come from.
    const SOURCE: IdSource<Self>;
}

#[cfg(feature = "ulid")]
impl GeneratedId for ulid::Ulid {
    const SOURCE: IdSource<Self> = IdSource::Function(ulid::Ulid::generate);
}

#[cfg(feature = "uuid")]
impl GeneratedId for uuid::Uuid {
    const SOURCE: IdSource<Self> = IdSource::Function(uuid::Uuid::now_v7);
}

/// Ids that can be counted: integers, and newtypes of one by hand:
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::CountedId;
///
/// #[derive(Debug, Clone, PartialEq, RedisValue)]
/// struct Number(u32);
///
/// impl CountedId for Number {
///     fn from_count(count: u64) -> Result<Number> {
///         u32::from_count(count).map(Number)
///     }
/// }
///
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "invoice")]
/// struct Invoice {
///     #[redis(id, generate(counter))]
///     number: Number,
/// }
///
/// # alizarin_samples::client(async |client, namespace| {
/// # let invoices = client.repository::<Invoice>().with_namespace(namespace);
/// let first = invoices.create(|number| Invoice { number }).await?;
/// assert_eq!(first.number, Number(1));
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be counted",
    note = "`generate(counter)` is for integers"
)]
pub trait CountedId: Sized {
    /// The id with this number; the first is 1.
    ///
    /// # Errors
    /// `Value` when the type ends before it.
    fn from_count(count: u64) -> Result<Self>;
}

macro_rules! counted {
    ($($type:ty)+) => {$(
        impl CountedId for $type {
            fn from_count(count: u64) -> Result<$type> {
                count.try_into().map_err(|_| {
                    let message = format!("the counter is at {count}, which no {} reaches", stringify!($type));
                    Error::new(ErrorKind::Value, message)
                })
            }
        }
    )+};
}

counted!(u8 u16 u32 u64 u128 i8 i16 i32 i64 i128);
