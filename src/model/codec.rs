//! Fields of types that others made.

use super::RedisValue;
use crate::Result;

/// How a field of a type that is no [`RedisValue`] is stored: as one that is. The field names it by
/// `#[redis(with = ..)]`.
///
/// The field's index, filters and [`set`](crate::Repository::set) take the stored type.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::FieldCodec;
/// use std::net::SocketAddr;
///
/// /// Addresses as text.
/// struct AsText;
///
/// impl FieldCodec<SocketAddr> for AsText {
///     type Stored = String;
///
///     fn encode(address: &SocketAddr) -> Result<String> {
///         Ok(address.to_string())
///     }
///
///     fn decode(text: String) -> Result<SocketAddr> {
///         text.parse().map_err(|_| Error::new(ErrorKind::Decode, "no socket address"))
///     }
/// }
///
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "host", index)]
/// struct Host {
///     #[redis(id)]
///     id: u32,
///     #[redis(tag, with = AsText)]
///     address: SocketAddr,
/// }
///
/// # alizarin_samples::client(async |client, namespace| {
/// # let hosts = client.repository::<Host>().with_namespace(namespace);
/// # hosts.index().sync().await?;
/// hosts.save(&Host { id: 1, address: ([127, 0, 0, 1], 80).into() }).await?;
/// let found = hosts.find(|h| h.address.eq("127.0.0.1:80")).one().await?;
/// assert!(found.address.ip().is_loopback());
/// # hosts.set(&1, |h| h.address.to("nowhere")).await?;
/// # let error = hosts.get(&1).await.map(drop).unwrap_err();
/// # assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("address")));
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how a `{T}` is stored",
    note = "implement `FieldCodec<{T}>` for it"
)]
pub trait FieldCodec<T> {
    /// What is stored.
    type Stored: RedisValue;

    /// The stored form of a value.
    ///
    /// # Errors
    /// `Value` when there is none.
    fn encode(value: &T) -> Result<Self::Stored>;

    /// The value of a stored form.
    ///
    /// # Errors
    /// `Decode` when there is none.
    fn decode(stored: Self::Stored) -> Result<T>;
}
