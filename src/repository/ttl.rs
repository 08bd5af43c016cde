//! How long documents live.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use super::Repository;
use super::changes::script_name;
use super::failure::not_found;
use super::script::{field_milliseconds, milliseconds};
use crate::model::{HashModel, RedisModel};
use crate::query::{CanExpire, Field, FieldSpec};
use crate::{Client, Command, Error, ErrorKind, Result};

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
        Ttl { repository: self, id, field: None }
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
        Expire { repository: self, id, field: None, after, condition: None }
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
        Persist { repository: self, id, field: None }
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
    field: Option<String>,
}

impl<M: RedisModel> Ttl<'_, M> {
    async fn run(self) -> Result<Option<Duration>> {
        let key = self.repository.key(self.id);
        let client = self.repository.client();
        let left: i64 = match &self.field {
            None => client.run(Command::new("PTTL").key(&key)).await?,
            Some(field) => of_field(client, Command::new("HPTTL").key(&key), field).await?,
        };
        match u64::try_from(left) {
            Ok(left) => Ok(Some(Duration::from_millis(left))),
            Err(_) if left == -1 => Ok(None),
            Err(_) => match self.field {
                None => Err(not_found(&key)),
                Some(field) => Err(not_found(&key).with_field(&field)),
            },
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
    field: Option<String>,
    after: Duration,
    condition: Option<&'static str>,
}

impl<M: RedisModel> Expire<'_, M> {
    async fn run(self) -> Result<bool> {
        let after = match self.field {
            None => milliseconds(self.after)?,
            Some(_) => field_milliseconds(self.after)?,
        };
        let (client, key) = (self.repository.client(), self.repository.key(self.id));
        let name = if self.field.is_some() { "HPEXPIRE" } else { "PEXPIRE" };
        let mut command = Command::<i64>::new(name).key(key).arg(after);
        if let Some(condition) = self.condition {
            command = command.arg(condition);
        }
        let done = match &self.field {
            None => client.run(command).await?,
            Some(field) => of_field(client, command, field).await?,
        };
        Ok(done == 1)
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
    field: Option<String>,
}

impl<M: RedisModel> Persist<'_, M> {
    async fn run(self) -> Result<bool> {
        let (client, key) = (self.repository.client(), self.repository.key(self.id));
        let done: i64 = match &self.field {
            None => client.run(Command::new("PERSIST").key(key)).await?,
            Some(field) => of_field(client, Command::new("HPERSIST").key(key), field).await?,
        };
        Ok(done == 1)
    }
}

/// Runs a command about one field of a hash, whose answer is a list of one.
async fn of_field(client: &Client, command: Command<i64>, field: &str) -> Result<i64> {
    let command = command.arg(("FIELDS", 1, field)).replying::<Option<Vec<i64>>>();
    let answer = client.run(command).await.map_err(|error| {
        if error.kind() != ErrorKind::Unsupported {
            return error;
        }
        let message = "fields that expire need Redis 7.4";
        let told = Error::new(ErrorKind::Unsupported, message).with_sent(error.sent());
        told.with_field(field).with_source(error)
    })?;
    // No such key: some servers say so by null.
    Ok(answer.and_then(|list| list.first().copied()).unwrap_or(-2))
}

macro_rules! of {
    ($($builder:ident)+) => {$(
        impl<M: RedisModel> $builder<'_, M> {
            /// The same about one field of the document, one with `#[redis(ttl)]` in a hash
            /// (`HPTTL`, `HPEXPIRE`, `HPERSIST`; Redis 7.4). Of a field that is not there,
            /// [`Ttl`] is a `NotFound` error, and the others are `false`.
            ///
            /// ```
            /// # use alizarin::prelude::*;
            /// use std::time::Duration;
            ///
            /// # alizarin_samples::client(async |client, namespace| {
            /// #[derive(RedisModel)]
            /// #[redis(hash, prefix = "login")]
            /// struct Login {
            ///     #[redis(id)]
            ///     id: u32,
            ///     #[redis(ttl)]
            ///     token: Option<String>,
            /// }
            /// # let logins = client.repository::<Login>().with_namespace(namespace);
            ///
            /// logins.save(&Login { id: 1, token: Some("secret".into()) }).await?;
            /// assert_eq!(logins.ttl(&1).of(|l| l.token).await?, None);
            /// let minute = Duration::from_secs(60);
            /// assert!(logins.expire(&1, minute).of(|l| l.token).await?);
            /// assert!(logins.ttl(&1).of(|l| l.token).await? <= Some(minute));
            /// assert!(!logins.expire(&1, minute * 2).if_sooner().of(|l| l.token).await?);
            /// assert!(logins.persist(&1).of(|l| l.token).await?);
            /// # assert_eq!(logins.ttl(&1).of(|l| l.token).await?, None);
            /// # Ok(()) });
            /// ```
            pub fn of<S>(mut self, field: impl FnOnce(M::Fields) -> Field<S>) -> Self
            where
                M: HashModel,
                S: FieldSpec<Model = M> + CanExpire,
            {
                let _ = field(M::Fields::default());
                self.field = Some(script_name::<S>());
                self
            }
        }
    )+};
}

of!(Ttl Expire Persist);

macro_rules! conditions {
    ($($(#[$doc:meta])* $name:ident $word:literal;)+) => {
        impl<M: RedisModel> Expire<'_, M> {$(
            $(#[$doc])*
            pub fn $name(mut self) -> Self {
                self.condition = Some($word);
                self
            }
        )+}
    };
}

conditions! {
    /// Only where no limit runs (`NX`); else `false`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// assert!(accounts.expire(&1, Duration::from_secs(60)).if_none().await?);
    /// assert!(!accounts.expire(&1, Duration::from_secs(90)).if_none().await?);
    /// assert!(accounts.expire(&1, Duration::from_secs(90)).if_later().await?);
    /// # Ok(()) });
    /// ```
    if_none "NX";
    /// Only where a limit runs (`XX`); else `false`.
    if_some "XX";
    /// Only where the limit that runs would end sooner (`GT`); for ever is later than all.
    if_later "GT";
    /// Only where the limit that runs would end later, or where none runs (`LT`).
    if_sooner "LT";
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
