//! The stream of a model's changes.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::Change;
use crate::model::RedisModel;
use crate::repository::Repository;
use crate::{Command, Delivery, Error, ErrorKind, Message, Result, Subscription};

impl<M: RedisModel> Repository<M> {
    /// Follows the model's changes: `repository.changes().await?` is a stream of them.
    pub fn changes(&self) -> Follow<'_, M> {
        Follow { repository: self, expired: false }
    }
}

/// Begins to follow changes, from [`Repository::changes`]; once it is done, no later change is
/// missed.
///
/// # Errors
/// `Usage` for a model without `events`, or for [`expired`](Follow::expired) on a server that
/// does not notify; `Connect`, `Auth`; `Server` when the channel is not permitted.
///
/// # Cancel safety
/// Dropped before it is done, nothing is followed.
#[must_use = "changes are not followed until it is awaited"]
pub struct Follow<'a, M> {
    repository: &'a Repository<M>,
    expired: bool,
}

impl<M: RedisModel> Follow<'_, M> {
    /// Tells also of documents whose time to live ended. The server has to notify of it:
    /// `notify-keyspace-events` must have `E` and `x`, or `A`.
    pub fn expired(mut self) -> Self {
        self.expired = true;
        self
    }

    async fn run(self) -> Result<Changes<M>> {
        if !M::SCHEMA.events {
            let message =
                format!("{} has no events; add `events` to its `#[redis(..)]`", M::SCHEMA.name);
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let client = self.repository.client();
        let mut channels = vec![self.repository.channel()];
        if self.expired {
            let asked = Command::new("CONFIG").arg(("GET", "notify-keyspace-events"));
            let settings: HashMap<String, String> = client.run(asked).await?;
            let flags = settings.get("notify-keyspace-events").map_or("", String::as_str);
            if !(flags.contains('E') && flags.contains(['x', 'A'])) {
                let message = format!(
                    "the server does not tell of expired keys: its `notify-keyspace-events` is \
                     {flags:?} and needs `Ex`"
                );
                return Err(Error::new(ErrorKind::Usage, message).with_sent(crate::Sent::Yes));
            }
            channels.push(expired_channel(self.repository).await?);
        }
        Ok(Changes {
            subscription: client.subscribe(&channels).await?,
            repository: self.repository.clone(),
        })
    }
}

/// The server's channel for expired keys of this connection's database.
async fn expired_channel<M>(repository: &Repository<M>) -> Result<String> {
    let info: String = repository.client().run(Command::new("CLIENT").arg("INFO")).await?;
    let database = info.split_ascii_whitespace().find_map(|part| part.strip_prefix("db="));
    Ok(format!("__keyevent@{}__:expired", database.unwrap_or("0")))
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
pub struct Changes<M> {
    subscription: Subscription,
    repository: Repository<M>,
}

impl<M: RedisModel> Changes<M> {
    /// The next change.
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
        if message.channel.starts_with("__keyevent@") {
            let id = self.repository.id_of(&message.payload);
            return Ok(id.map(|id| Change::Expired { id }));
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
