//! Channels: subscriptions as streams that survive the loss of a connection.

mod frame;
mod live;
mod stream;
mod topics;

pub use stream::{Delivery, Message, Subscription};

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
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
        let channels = channels.into_iter().map(|name| name.as_ref().to_vec()).collect();
        self.subscription(channels, Vec::new()).await
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
        let patterns = patterns.into_iter().map(|name| name.as_ref().to_vec()).collect();
        self.subscription(Vec::new(), patterns).await
    }

    async fn subscription(
        &self,
        channels: Vec<Vec<u8>>,
        patterns: Vec<Vec<u8>>,
    ) -> Result<Subscription> {
        if channels.is_empty() && patterns.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "a subscription needs at least one channel"));
        }
        let topics = Topics { channels, patterns };
        Subscription::open(self.config().clone(), self.connector(), topics).await
    }
}
