//! How long documents live.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use super::Repository;
use super::failure::not_found;
use super::script::milliseconds;
use crate::model::RedisModel;
use crate::{Command, Result};

impl<M: RedisModel> Repository<M> {
    /// How long a document has left, in milliseconds' precision (`PTTL`); `None` when it does not
    /// expire.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// assert_eq!(accounts.ttl(&1).await?, None);
    /// accounts.expire(&1, Duration::from_secs(60)).await?;
    /// assert!(accounts.ttl(&1).await? <= Some(Duration::from_secs(60)));
    /// # assert!(accounts.ttl(&1).await? > Some(Duration::from_secs(30)));
    /// # Ok(()) });
    /// ```
    pub fn ttl<'a>(&'a self, id: &'a M::Id) -> Ttl<'a, M> {
        Ttl { repository: self, id }
    }

    /// Lets a document expire after this time, in whole milliseconds (`PEXPIRE`); `false` when
    /// there is none. Neither the version nor the events know of it.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// assert!(accounts.expire(&1, Duration::from_secs(60)).await?);
    /// # assert!(accounts.ttl(&1).await?.is_some());
    /// assert!(!accounts.expire(&99, Duration::from_secs(60)).await?);
    /// # Ok(()) });
    /// ```
    pub fn expire<'a>(&'a self, id: &'a M::Id, after: Duration) -> Expire<'a, M> {
        Expire { repository: self, id, after }
    }

    /// Lets a document live for ever (`PERSIST`); `false` when there is none, or when it does so
    /// already. Neither the version nor the events know of it.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// accounts.expire(&1, Duration::from_secs(60)).await?;
    /// assert!(accounts.persist(&1).await?);
    /// assert_eq!(accounts.ttl(&1).await?, None);
    /// # Ok(()) });
    /// ```
    pub fn persist<'a>(&'a self, id: &'a M::Id) -> Persist<'a, M> {
        Persist { repository: self, id }
    }
}

/// A question, from [`Repository::ttl`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// let absent = accounts.ttl(&99).await.unwrap_err();
/// assert_eq!(absent.kind(), ErrorKind::NotFound);
/// # Ok(()) });
/// ```
///
/// # Errors
/// `NotFound` when there is no document.
///
/// # Cancel safety
/// It only reads.
#[must_use = "a read does nothing until it is awaited"]
pub struct Ttl<'a, M: RedisModel> {
    repository: &'a Repository<M>,
    id: &'a M::Id,
}

impl<M: RedisModel> Ttl<'_, M> {
    async fn run(self) -> Result<Option<Duration>> {
        let key = self.repository.key(self.id);
        let left: i64 = self.repository.client().run(Command::new("PTTL").key(&key)).await?;
        match u64::try_from(left) {
            Ok(left) => Ok(Some(Duration::from_millis(left))),
            Err(_) if left == -1 => Ok(None),
            Err(_) => Err(not_found(&key)),
        }
    }
}

/// A change, from [`Repository::expire`].
///
/// ```
/// # use alizarin::prelude::*;
/// use std::time::Duration;
/// # alizarin_samples::accounts(async |accounts| {
/// let short = accounts.expire(&1, Duration::from_nanos(1)).await.unwrap_err();
/// assert_eq!(short.kind(), ErrorKind::Value);
/// # assert_eq!(accounts.ttl(&1).await?, None);
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Value` for a time of less than a millisecond or of more than the server can count.
///
/// # Cancel safety
/// Dropped before it is done, it either took place or not.
#[must_use = "a change does nothing until it is awaited"]
pub struct Expire<'a, M: RedisModel> {
    repository: &'a Repository<M>,
    id: &'a M::Id,
    after: Duration,
}

impl<M: RedisModel> Expire<'_, M> {
    async fn run(self) -> Result<bool> {
        let after = milliseconds(self.after)?;
        let command = Command::new("PEXPIRE").key(self.repository.key(self.id)).arg(after);
        self.repository.client().run(command).await
    }
}

/// A change, from [`Repository::persist`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// // It had no end.
/// assert!(!accounts.persist(&1).await?);
/// # Ok(()) });
/// ```
///
/// # Errors
/// Only those of the connection.
///
/// # Cancel safety
/// Dropped before it is done, it either took place or not.
#[must_use = "a change does nothing until it is awaited"]
pub struct Persist<'a, M: RedisModel> {
    repository: &'a Repository<M>,
    id: &'a M::Id,
}

impl<M: RedisModel> Persist<'_, M> {
    async fn run(self) -> Result<bool> {
        let command = Command::new("PERSIST").key(self.repository.key(self.id));
        self.repository.client().run(command).await
    }
}

macro_rules! awaited {
    ($($name:ident: $output:ty),+) => {$(
        impl<'a, M: RedisModel> IntoFuture for $name<'a, M> {
            type Output = Result<$output>;
            type IntoFuture = Pin<Box<dyn Future<Output = Result<$output>> + Send + 'a>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.run())
            }
        }

        impl<M: RedisModel> fmt::Debug for $name<'_, M> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("key", &self.repository.key(self.id))
                    .finish()
            }
        }
    )+};
}

awaited!(Ttl: Option<Duration>, Expire: bool, Persist: bool);
