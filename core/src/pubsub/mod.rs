//! Channels: subscriptions as streams that survive the loss of a connection.

mod branch;
mod frame;
mod live;
mod renewal;
mod roam;
mod seat;
mod stream;
mod topics;

pub use stream::{Delivery, Message, Subscription};

use crate::client::Client;
use crate::cluster::Place;
use crate::command::slot;
use crate::config::Config;
use crate::connection::Connector;
use crate::error::{Error, ErrorKind, Result, ServerCode};
use roam::{Roaming, Wanted};
use seat::{Follow, Seat};
use topics::Topics;

impl Client {
    /// Subscribes to channels by name (`SUBSCRIBE`); returns when the server has confirmed each.
    ///
    /// The subscription has a connection of its own and is read only while it is polled: a slow
    /// consumer slows the server's sending, it does not fill this process's memory.
    ///
    /// # Errors
    /// `Usage` without a channel; `Auth`, `Connect`; `Server` when a channel is not permitted.
    ///
    /// # Cancel safety
    /// Dropping the future closes the new connection; nothing else is affected.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = alizarin_testkit::Server::start()?;
    /// # let client = alizarin_core::Client::connect(server.url().as_str()).await?;
    /// let mut news = client.subscribe(["news"]).await?;
    /// client.publish("news", "hello").await?;
    /// let message = news.next_message().await.expect("a stream without end")?;
    /// assert_eq!((message.channel.as_str(), &message.payload[..]), ("news", &b"hello"[..]));
    /// # Ok(()) }
    /// ```
    pub async fn subscribe<T: AsRef<[u8]>>(
        &self,
        channels: impl IntoIterator<Item = T>,
    ) -> Result<Subscription> {
        let channels = names(channels);
        // Connecting needs much room, which no future of a caller's shall have.
        Box::pin(self.subscription(Topics { channels, ..Topics::default() })).await
    }

    /// Subscribes to all channels that match glob patterns (`PSUBSCRIBE`); else as
    /// [`Client::subscribe`].
    ///
    /// # Errors
    /// As [`Client::subscribe`].
    ///
    /// # Cancel safety
    /// As [`Client::subscribe`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = alizarin_testkit::Server::start()?;
    /// # let client = alizarin_core::Client::connect(server.url().as_str()).await?;
    /// let mut news = client.psubscribe(["news.*"]).await?;
    /// client.publish("news.art", "hello").await?;
    /// let message = news.next_message().await.expect("a stream without end")?;
    /// assert_eq!(message.pattern.as_deref(), Some("news.*"));
    /// # Ok(()) }
    /// ```
    pub async fn psubscribe<T: AsRef<[u8]>>(
        &self,
        patterns: impl IntoIterator<Item = T>,
    ) -> Result<Subscription> {
        let patterns = names(patterns);
        Box::pin(self.subscription(Topics { patterns, ..Topics::default() })).await
    }

    /// Subscribes to sharded channels (`SSUBSCRIBE`, Redis 7): in a cluster each belongs to a slot,
    /// as keys do, and its messages stay on that slot's node. The subscription follows its slots
    /// when they move; there is a [`Delivery::Gap`] then. Else as [`Client::subscribe`].
    ///
    /// Publish to them with `SPUBLISH`. On a cluster there is one connection for each slot:
    /// channels with the same `{tag}` share one.
    ///
    /// # Errors
    /// As [`Client::subscribe`]; `Unsupported` for channels of several slots of a cluster on a
    /// blocking client, which reads one connection at a time.
    ///
    /// # Cancel safety
    /// As [`Client::subscribe`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = alizarin_testkit::Server::start()?;
    /// # let client = alizarin_core::Client::connect(server.url().as_str()).await?;
    /// let mut orders = client.ssubscribe(["orders:{7}"]).await?;
    /// client.command("SPUBLISH").key("orders:{7}").arg("paid").exec().await?;
    /// let message = orders.next_message().await.expect("a stream without end")?;
    /// assert_eq!(&message.payload[..], b"paid");
    /// # Ok(()) }
    /// ```
    pub async fn ssubscribe<T: AsRef<[u8]>>(
        &self,
        channels: impl IntoIterator<Item = T>,
    ) -> Result<Subscription> {
        // Connecting needs much room, which no future of a caller's shall have.
        Box::pin(self.sharded(names(channels))).await
    }

    /// Subscribes to patterns of channels that each server has for itself: keyspace and keyevent
    /// notifications (`__keyspace@0__:*`). On a cluster, to those of every primary, whichever they
    /// are at the time; on a single server as [`Client::psubscribe`].
    ///
    /// The servers must be told to send them (`notify-keyspace-events`). On a cluster each connection
    /// also subscribes to a sharded channel, `alizarin:sentry:` and a number, by which the server tells
    /// when it is a primary no longer; a user who may not is told of another primary with the client's
    /// next map ([`Config::topology_interval`](crate::Config::topology_interval)).
    ///
    /// # Errors
    /// As [`Client::subscribe`]; `Unsupported` on a cluster with a blocking client, which reads one
    /// connection at a time.
    ///
    /// # Cancel safety
    /// As [`Client::subscribe`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = alizarin_testkit::Server::builder().arg("--notify-keyspace-events", "KEA").start()?;
    /// # let client = alizarin_core::Client::connect(server.url().as_str()).await?;
    /// let mut changes = client.psubscribe_primaries(["__keyspace@0__:user:*"]).await?;
    /// client.set("user:1", "Ann").await?;
    /// let message = changes.next_message().await.expect("a stream without end")?;
    /// assert_eq!((message.channel.as_str(), &message.payload[..]), ("__keyspace@0__:user:1", &b"set"[..]));
    /// # Ok(()) }
    /// ```
    pub async fn psubscribe_primaries<T: AsRef<[u8]>>(
        &self,
        patterns: impl IntoIterator<Item = T>,
    ) -> Result<Subscription> {
        Box::pin(self.of_primaries(Topics { patterns: names(patterns), ..Topics::default() })).await
    }

    async fn sharded(&self, sharded: Vec<Vec<u8>>) -> Result<Subscription> {
        if let Some(databases) = self.databases() {
            if sharded.is_empty() {
                return Err(no_topic());
            }
            let roaming = Roaming::open(databases, Wanted::Sharded(sharded)).await?;
            return Ok(Subscription::roaming(roaming));
        }
        let Some(cluster) = self.cluster() else {
            return self.subscription(Topics { sharded, ..Topics::default() }).await;
        };
        let mut slots: Vec<(u16, Topics)> = Vec::new();
        for channel in sharded {
            let slot = slot(&channel);
            match slots.iter_mut().find(|(known, _)| *known == slot) {
                Some((_, topics)) => topics.sharded.push(channel),
                None => {
                    slots.push((slot, Topics { sharded: vec![channel], ..Topics::default() }));
                }
            }
        }
        if slots.is_empty() {
            return Err(no_topic());
        }
        if slots.len() > 1 && self.is_blocking() {
            let text = "a blocking client follows the channels of one slot at a time: give them the                         same {tag}, or subscribe to each by itself";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let seat = |slot| Seat::at(cluster, self.connector(), Place::Slot(slot));
        Subscription::open(slots.into_iter().map(|(slot, own)| (seat(slot), own)).collect()).await
    }

    async fn of_primaries(&self, topics: Topics) -> Result<Subscription> {
        if topics.len() == 0 {
            return Err(no_topic());
        }
        if let Some(databases) = self.databases() {
            let roaming = Roaming::open(databases, Wanted::Primaries(topics.patterns)).await?;
            return Ok(Subscription::roaming(roaming));
        }
        let Some(cluster) = self.cluster() else { return self.subscription(topics).await };
        if self.is_blocking() {
            let text = "a blocking client reads one connection at a time: it cannot follow all \
                        primaries of a cluster";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let connector = self.connector();
        let mut tries = 0;
        loop {
            let follow = Follow::new(cluster, connector.clone(), topics.clone());
            let places = cluster.primaries().into_iter().map(Place::Node);
            let seat = |place| (Seat::at(cluster, connector.clone(), place), topics.clone());
            match Subscription::open(places.map(seat).collect()).await {
                Ok(open) => return Ok(open.following(follow)),
                // One of them has stepped down just now.
                Err(error) if is_replica(&error) && tries < 20 => {
                    tries += 1;
                    cluster.learn(&error).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn subscription(&self, topics: Topics) -> Result<Subscription> {
        if topics.len() == 0 {
            return Err(no_topic());
        }
        if let Some(databases) = self.databases() {
            let roaming = Roaming::open(databases, Wanted::Topics(topics)).await?;
            return Ok(Subscription::roaming(roaming));
        }
        let connector = self.connector();
        let seat = match self.cluster() {
            Some(cluster) => Seat::at(cluster, connector, Place::Any),
            None => Seat::fixed(self.config().clone(), connector),
        };
        Subscription::open(vec![(seat, topics)]).await
    }
}

/// Channels of several servers, each connected when the subscription is polled.
pub(crate) fn feed(
    servers: impl Iterator<Item = Config>,
    connector: &Connector,
    channels: &[&str],
) -> Subscription {
    let topics = Topics { channels: names(channels), ..Topics::default() };
    let seat = |config| (Seat::fixed(config, connector.clone()), topics.clone());
    Subscription::later(servers.map(seat).collect())
}

fn names<T: AsRef<[u8]>>(names: impl IntoIterator<Item = T>) -> Vec<Vec<u8>> {
    names.into_iter().map(|name| name.as_ref().to_vec()).collect()
}

fn is_replica(error: &Error) -> bool {
    error.kind() == ErrorKind::Server(ServerCode::ReadOnly)
}

fn no_topic() -> Error {
    Error::new(ErrorKind::Usage, "a subscription needs at least one channel")
}
