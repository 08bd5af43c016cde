//! The stream that users read.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

use super::branch::Branch;
use super::roam::Roaming;
use super::seat::{Follow, Seat};
use super::topics::Topics;
use crate::error::{Error, ErrorKind, Result};

/// A message on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The channel it was published to; bytes that are not UTF-8 are replaced.
    pub channel: String,
    /// The pattern that matched, for pattern subscriptions.
    pub pattern: Option<String>,
    /// What was published.
    pub payload: Bytes,
}

/// What a [`Subscription`] yields.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// The connection was lost and made anew, or another of several databases is the active one
    /// now: messages in between are gone.
    Gap,
    /// A message.
    Message(Message),
}

/// A stream of messages that subscribes anew whenever its connection was lost.
///
/// It never ends by itself. After a loss it yields [`Delivery::Gap`] once it is subscribed again,
/// since Redis keeps no message for those who are away. A failed attempt to reconnect yields its
/// error and is repeated with growing pauses for as long as the stream is polled. Under Sentinel,
/// that of an async client leaves a deposed primary as soon as the sentinels say that it is one.
/// Dropping the subscription closes its connection.
pub struct Subscription {
    branches: Vec<Branch>,
    /// Which branch is looked at first.
    turn: usize,
    /// Where there is to be a branch for each of a cluster's primaries.
    follow: Option<Follow>,
    /// Those that go along with the active one of several databases.
    roaming: Vec<Roaming>,
}

impl Subscription {
    /// A subscription over several connections at once.
    pub(super) async fn open(branches: Vec<(Seat, Topics)>) -> Result<Subscription> {
        let mut open = Vec::with_capacity(branches.len());
        for (seat, topics) in branches {
            open.push(Branch::open(seat, topics).await?);
        }
        Ok(Subscription { branches: open, turn: 0, follow: None, roaming: Vec::new() })
    }

    /// A subscription on the active one of several databases.
    pub(super) fn roaming(roaming: Roaming) -> Subscription {
        Subscription { branches: Vec::new(), turn: 0, follow: None, roaming: vec![roaming] }
    }

    /// The same; the connections are made when it is polled.
    pub(super) fn later(branches: Vec<(Seat, Topics)>) -> Subscription {
        let later = |(seat, topics)| Branch::later(seat, topics);
        let branches = branches.into_iter().map(later).collect();
        Subscription { branches, turn: 0, follow: None, roaming: Vec::new() }
    }

    /// The same, that from now on has a connection to each primary of a cluster.
    pub(super) fn following(mut self, follow: Follow) -> Subscription {
        self.follow = Some(follow);
        self
    }

    /// Both subscriptions' messages in one stream. Of two that follow the primaries of a cluster
    /// ([`Client::psubscribe_primaries`](crate::Client::psubscribe_primaries)), the second one
    /// follows no longer.
    ///
    /// # Errors
    /// `Unsupported` on a blocking client, which reads one connection at a time.
    pub fn merge(mut self, other: Subscription) -> Result<Subscription> {
        if self.is_blocking() || other.is_blocking() {
            let text = "a blocking client reads one connection at a time";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        self.branches.extend(other.branches);
        self.roaming.extend(other.roaming);
        self.follow = self.follow.or(other.follow);
        Ok(self)
    }

    fn is_blocking(&self) -> bool {
        self.branches.iter().any(Branch::is_blocking)
            || self.roaming.iter().any(Roaming::is_blocking)
    }

    /// The next message or gap; also available as a `Stream`.
    ///
    /// # Errors
    /// Why the connection could not be made anew; the stream goes on.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost when the future is dropped.
    #[expect(clippy::should_implement_trait, reason = "the name that streams give it")]
    pub fn next(&mut self) -> impl Future<Output = Option<Result<Delivery>>> + Send + '_ {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx))
    }

    /// The next message, gaps passed over.
    ///
    /// # Errors
    /// As [`Subscription::next`].
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost when the future is dropped.
    pub async fn next_message(&mut self) -> Option<Result<Message>> {
        loop {
            match self.next().await? {
                Ok(Delivery::Gap) => {}
                Ok(Delivery::Message(message)) => return Some(Ok(message)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Stream for Subscription {
    type Item = Result<Delivery>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(follow) = &mut this.follow {
            follow.poll(cx, &mut this.branches);
        }
        let own = this.branches.len();
        let count = own + this.roaming.len();
        for step in 0..count {
            let at = (this.turn + step) % count;
            let polled = match this.branches.get_mut(at) {
                Some(branch) => branch.poll(cx),
                None => match this.roaming.get_mut(at - own) {
                    Some(roaming) => roaming.poll(cx),
                    None => continue,
                },
            };
            if let Poll::Ready(outcome) = polled {
                // Each connection in its turn.
                this.turn = (at + 1) % count;
                return Poll::Ready(Some(outcome));
            }
        }
        Poll::Pending
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |list: &[Vec<u8>]| {
            list.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>()
        };
        let live = self.roaming.iter().filter_map(Roaming::live);
        let all = live.flat_map(|live| &live.branches).chain(&self.branches);
        let topics = || all.clone().map(Branch::topics);
        f.debug_struct("Subscription")
            .field("channels", &topics().flat_map(|own| names(&own.channels)).collect::<Vec<_>>())
            .field("patterns", &topics().flat_map(|own| names(&own.patterns)).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
