//! Whether a server lives while a command waits on it: such a command has no time limit of its own,
//! and no sign of life can be asked for on the connection that it holds.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::Pool;
use crate::config::{Config, Endpoint};
use crate::connection::{Dedicated, Reply};
use crate::direct::is_timeout;
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::resp::View;

/// When a server last gave a sign of life to those who wait: they need not ask each for itself.
#[derive(Default)]
pub(super) struct Life(Mutex<Option<(Endpoint, Instant)>>);

impl Life {
    fn is_known(&self, peer: &Endpoint, lately: Duration) -> bool {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().is_some_and(|(known, at)| known == peer && at.elapsed() < lately)
    }

    fn seen(&self, peer: Endpoint) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((peer, Instant::now()));
    }
}

impl Pool {
    /// Sends a request and waits for its reply as long as the server lives: once in each
    /// [`Config::heartbeat`] it must let a new connection log in.
    pub(super) async fn wait(
        &self,
        connection: &mut Dedicated,
        bytes: View<'_>,
        frames: u32,
    ) -> Result<Reply> {
        let peer = connection.peer.clone();
        let mut exchange = pin!(async {
            connection.send(bytes).await?;
            connection.reply(frames).await
        });
        let Some(beat) = self.config.heartbeat else { return exchange.await };
        let mut watch = pin!(async {
            loop {
                tokio::time::sleep(beat).await;
                if let Err(error) = self.check(&peer, beat).await {
                    return error;
                }
            }
        });
        poll_fn(|cx| match exchange.as_mut().poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(outcome),
            Poll::Pending => watch.as_mut().poll(cx).map(Err),
        })
        .await
    }

    /// The same on this thread, whose socket looks up once in each heartbeat.
    pub(super) async fn wait_here(
        &self,
        connection: &mut Dedicated,
        bytes: View<'_>,
        frames: u32,
    ) -> Result<Reply> {
        connection.stream.limit(self.config.heartbeat);
        connection.send(bytes).await?;
        loop {
            match (connection.reply(frames).await, self.config.heartbeat) {
                (Err(error), Some(beat)) if is_timeout(&error) => {
                    self.check(&connection.peer, beat).await?;
                }
                (outcome, _) => return outcome,
            }
        }
    }

    /// Whether the server at `peer` lets somebody log in, or did so lately.
    ///
    /// # Errors
    /// `Timeout` when it does not.
    async fn check(&self, peer: &Endpoint, beat: Duration) -> Result<()> {
        if self.life.is_known(peer, beat / 2) {
            return Ok(());
        }
        let mut config = Config::clone(&self.config);
        config.endpoint = peer.clone();
        config.connect_timeout = config.response_timeout;
        let outcome = match self.is_blocking() {
            true => Dedicated::log_in(&config, &self.connector).await,
            false => Dedicated::connect(&config, &self.connector).await,
        };
        match outcome {
            Err(error) if is_silence(&error) => {
                let text = format!("the server gave no sign of life: {}", error.message());
                Err(Error::new(ErrorKind::Timeout, text).with_sent(Sent::Unknown))
            }
            // Whoever refuses a login lives.
            _ => {
                self.life.seen(peer.clone());
                Ok(())
            }
        }
    }
}

fn is_silence(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Connect | ErrorKind::Disconnected | ErrorKind::Timeout)
}
