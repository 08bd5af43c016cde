//! The stream of a model's changes.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::Change;
use crate::model::RedisModel;
use crate::repository::{Repository, glob};
use crate::{Client, Command, Delivery, Error, ErrorKind, Message, Result, Sent, Subscription};

impl<M: RedisModel> Repository<M> {
    /// Follows the model's changes (`SUBSCRIBE`, on a connection of its own):
    /// `repository.changes().await?` is a stream of them.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// # let mut told = Vec::new();
    /// let mut changes = accounts.changes().await?;
    /// accounts.save(&Account::new(7, "Gil", 40)).await?;
    /// accounts.set(&7, |a| a.cents.to(42)).await?;
    /// accounts.delete(&7).await?;
    ///
    /// while let Some(change) = changes.next().await {
    ///     # let change = change.inspect(|change| told.push(change.clone()));
    ///     match change? {
    ///         Change::Saved { id, fields, .. } => println!("{id} was saved: {fields:?}"),
    ///         Change::Deleted { id } => {
    ///             println!("{id} was deleted");
    ///             break;
    ///         }
    ///         Change::Gap => println!("something may have been missed: read anew"),
    ///         _ => {}
    ///     }
    /// }
    /// # assert_eq!(told.len(), 3);
    /// # assert!(told.iter().all(|change| change.id() == Some(&7)));
    /// # Ok(()) });
    /// ```
    pub fn changes(&self) -> Follow<'_, M> {
        Follow { repository: self, expired: Expired::Untold }
    }
}

/// Whether expired documents are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expired {
    Untold,
    /// Where the server's settings say that it notifies.
    Checked,
    /// Whatever its settings are.
    Trusted,
}

/// Begins to follow changes, from [`Repository::changes`]; once it is done, no later change is
/// missed.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::cafes(async |cafes| {
/// // `Cafe` has no `events`.
/// let error = cafes.changes().await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Usage);
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Usage` for a model without `events`; `Unsupported` for [`expired`](Follow::expired) on a
/// server that does not notify, with the command that mends it; `Connect`, `Auth`; `Server` when
/// the channel is not permitted.
///
/// # Cancel safety
/// Dropped before it is done, nothing is followed.
#[must_use = "changes are not followed until it is awaited"]
pub struct Follow<'a, M> {
    repository: &'a Repository<M>,
    expired: Expired,
}

impl<M: RedisModel> Follow<'_, M> {
    /// Tells also of documents whose time to live ended. The server has to notify of it:
    /// `notify-keyspace-events` must have `E` or `K`, and `x` or `A` (asked by `CONFIG GET`).
    ///
    /// Redis tells of it when it removes the document, which may be some time after its end.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// # let server = alizarin_testkit::Server::builder().private().start()?;
    /// # server.command(&["CONFIG", "SET", "notify-keyspace-events", "Ex"])?;
    /// # let client = Client::connect(server.url().as_str()).await?;
    /// # let accounts = client.repository::<Account>();
    /// // The server was told `CONFIG SET notify-keyspace-events Ex`.
    /// let mut changes = accounts.changes().expired().await?;
    /// accounts.save(&Account::new(3, "Cem", 0)).ttl(Duration::from_millis(5)).await?;
    /// let saved = changes.next().await.transpose()?;
    /// # assert_eq!(saved, Some(Change::Saved { id: 3, version: Some(1), fields: vec![] }));
    /// let ended = changes.next().await.transpose()?;
    /// assert_eq!(ended, Some(Change::Expired { id: 3 }));
    /// # Ok(()) });
    /// ```
    pub fn expired(mut self) -> Self {
        self.expired = Expired::Checked;
        self
    }

    /// As [`expired`](Follow::expired), for servers that notify with `E` and do not permit
    /// `CONFIG GET`: nothing is asked. Where the server does not notify, nothing is told.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// # let server = alizarin_testkit::Server::builder().private().start()?;
    /// # server.command(&["CONFIG", "SET", "notify-keyspace-events", "Ex"])?;
    /// # let client = Client::connect(server.url().as_str()).await?;
    /// # let accounts = client.repository::<Account>();
    /// let mut changes = accounts.changes().expired_unchecked().await?;
    /// # accounts.save(&Account::new(3, "Cem", 0)).ttl(Duration::from_millis(5)).await?;
    /// let mut ended = Vec::new();
    /// while let Some(change) = changes.next().await.transpose()? {
    ///     if let Change::Expired { id } = change {
    ///         ended.push(id);
    ///         # break;
    ///     }
    /// }
    /// # assert_eq!(ended, [3]);
    /// # Ok(()) });
    /// ```
    pub fn expired_unchecked(mut self) -> Self {
        self.expired = Expired::Trusted;
        self
    }

    async fn run(self) -> Result<Changes<M>> {
        if !M::SCHEMA.events {
            let message =
                format!("{} has no events; add `events` to its `#[redis(..)]`", M::SCHEMA.name);
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let client = self.repository.client();
        let channel = self.repository.channel();
        let notices = match self.expired {
            Expired::Untold => Notices::None,
            Expired::Trusted => Notices::ByEvent,
            Expired::Checked => Notices::of(&notify_flags(client).await?)?,
        };
        let subscription = match notices {
            Notices::None => client.subscribe([channel]).await?,
            Notices::ByEvent => {
                let expired = format!("__keyevent@{}__:expired", database(client).await?);
                match client.is_cluster() {
                    false => client.subscribe([channel, expired]).await?,
                    true => {
                        let all = client.psubscribe_primaries([expired]).await?;
                        client.subscribe([channel]).await?.merge(all)?
                    }
                }
            }
            Notices::ByKey => {
                let space = format!("__keyspace@{}__:", database(client).await?);
                let keys = [space.as_str(), &self.repository.pattern()].concat();
                match client.is_cluster() {
                    false => client.psubscribe([glob(&channel), keys]).await?,
                    true => {
                        let all = client.psubscribe_primaries([keys]).await?;
                        client.subscribe([channel]).await?.merge(all)?
                    }
                }
            }
        };
        Ok(Changes { subscription, repository: self.repository.clone() })
    }
}

/// How the server tells of expired keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notices {
    None,
    /// One channel for all keys that expire.
    ByEvent,
    /// A channel for each key, with all that happens to it.
    ByKey,
}

impl Notices {
    /// By the flags of `notify-keyspace-events`.
    fn of(flags: &str) -> Result<Notices> {
        let expired = flags.contains(['x', 'A']);
        if expired && flags.contains('E') {
            return Ok(Notices::ByEvent);
        }
        if expired && flags.contains('K') {
            return Ok(Notices::ByKey);
        }
        let event = if flags.contains(['E', 'K']) { "" } else { "E" };
        let class = if expired { "" } else { "x" };
        let message = format!(
            "the server does not tell of expired keys: its `notify-keyspace-events` is {flags:?}; \
             run `CONFIG SET notify-keyspace-events {flags}{event}{class}`"
        );
        Err(Error::new(ErrorKind::Unsupported, message).with_sent(Sent::Yes))
    }
}

/// The server's `notify-keyspace-events`.
async fn notify_flags(client: &Client) -> Result<String> {
    const NAME: &str = "notify-keyspace-events";
    let asked: Command<HashMap<String, String>> = Command::new("CONFIG").arg(("GET", NAME));
    match client.run(asked).await {
        Ok(mut settings) => Ok(settings.remove(NAME).unwrap_or_default()),
        Err(error) if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Unsupported) => {
            let message = "whether the server tells of expired keys cannot be asked, since \
                           `CONFIG GET` is not permitted; if its `notify-keyspace-events` is \
                           `Ex` or more, use `expired_unchecked`";
            Err(Error::new(ErrorKind::Unsupported, message)
                .with_sent(error.sent())
                .with_source(error))
        }
        Err(error) => Err(error),
    }
}

/// The number of the client's database.
async fn database(client: &Client) -> Result<String> {
    let info: String = client.run(Command::new("CLIENT").arg("INFO")).await?;
    let database = info.split_ascii_whitespace().find_map(|part| part.strip_prefix("db="));
    Ok(database.unwrap_or("0").to_owned())
}

impl<'a, M: RedisModel> IntoFuture for Follow<'a, M> {
    type Output = Result<Changes<M>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Changes<M>>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M> fmt::Debug for Follow<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").field("expired", &self.expired).finish_non_exhaustive()
    }
}

/// A model's changes, from [`Repository::changes`]: a `Stream` without end, and usable without
/// one by [`Changes::next`].
///
/// It has a connection of its own, which comes back by itself; then it says [`Change::Gap`].
/// Dropping it closes that connection.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// // A copy that is kept up to date.
/// let mut changes = accounts.changes().await?;
/// let mut ann = accounts.get(&1).await?;
/// # accounts.set(&1, |a| a.cents.to(7)).await?;
/// # let mut turns = 0..1;
/// while let Some(change) = changes.next().await.transpose()? {
///     match change {
///         Change::Saved { id: 1, .. } | Change::Gap => ann = accounts.get(&1).await?,
///         Change::Deleted { id: 1 } => ann = None,
///         _ => {}
///     }
///     # if turns.next().is_some() { break }
/// }
/// # assert_eq!(ann.map(|ann| ann.cents), Some(7));
/// # Ok(()) });
/// ```
pub struct Changes<M> {
    subscription: Subscription,
    repository: Repository<M>,
}

impl<M: RedisModel> Changes<M> {
    /// The next change.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let mut changes = accounts.changes().await?;
    /// accounts.delete(&1).await?;
    /// let change = changes.next().await.expect("a stream without end")?;
    /// assert_eq!(change, Change::Deleted { id: 1 });
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// Why the connection could not be made anew, or `Decode` for a message that is no event; the
    /// stream goes on.
    ///
    /// # Cancel safety
    /// No change is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Change<M>>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// What a message says; `None` when it is not about this model.
    fn read(&self, message: &Message) -> Result<Option<Change<M>>> {
        let expired = |key: &[u8]| self.repository.id_of(key).map(|id| Change::Expired { id });
        if message.channel.starts_with("__keyevent@") {
            return Ok(expired(&message.payload));
        }
        if message.channel.starts_with("__keyspace@") {
            // `__keyspace@0__:` and the key; what happened to it is the message.
            let key = message.channel.split_once(':').map_or("", |(_, key)| key);
            return Ok((&*message.payload == b"expired")
                .then(|| expired(key.as_bytes()))
                .flatten());
        }
        Change::read(&message.payload)
    }
}

impl<M: RedisModel> Stream for Changes<M> {
    type Item = Result<Change<M>>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let change = match ready!(Pin::new(&mut this.subscription).poll_next(context)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => Err(error),
                Some(Ok(Delivery::Gap)) => Ok(Some(Change::Gap)),
                Some(Ok(Delivery::Message(message))) => this.read(&message),
                Some(Ok(_)) => Ok(None),
            };
            if let Some(change) = change.transpose() {
                return Poll::Ready(Some(change));
            }
        }
    }
}

/// Nothing in it refers to itself.
impl<M> Unpin for Changes<M> {}

impl<M> fmt::Debug for Changes<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("subscription", &self.subscription).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_flags_say_how_or_what_is_missing() {
        for flags in ["Ex", "AKE", "KEx", "xE$"] {
            assert_eq!(Notices::of(flags).unwrap(), Notices::ByEvent, "{flags}");
        }
        for flags in ["Kx", "AK"] {
            assert_eq!(Notices::of(flags).unwrap(), Notices::ByKey, "{flags}");
        }
        for (flags, mended) in [("", "Ex"), ("E", "Ex"), ("K$", "K$x"), ("A", "AE"), ("x", "xE")] {
            let error = Notices::of(flags).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let command = format!("`CONFIG SET notify-keyspace-events {mended}`");
            assert!(error.message().contains(&command), "{error}");
        }
    }
}
