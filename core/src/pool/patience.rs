//! For how long a reply is waited for.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::Pool;
use crate::connection::{Dedicated, Reply, Rest, withholds};
use crate::direct::is_timeout;
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::resp::View;

/// For how long a reply is waited for.
#[derive(Clone, Copy)]
pub(crate) enum Patience<'p> {
    /// As long as the server shows some progress in this time, or says that it keeps the answer
    /// back.
    Time(&'p Pool, Duration),
    /// As long as the server lives, of which this pool knows.
    Life(&'p Pool),
}

impl Patience<'_> {
    /// For a command with this limit; without one it waits on the server.
    pub(super) fn of(limit: Option<Duration>, pool: &Pool) -> Patience<'_> {
        limit.map_or(Patience::Life(pool), |limit| Patience::Time(pool, limit))
    }
}

impl Pool {
    /// Sends and waits, as long as there is progress or the server keeps the answer back.
    pub(super) async fn insist(
        &self,
        connection: &mut Dedicated,
        bytes: View<'_>,
        frames: u32,
        patience: Duration,
    ) -> Result<Reply> {
        let mut rest = Rest::new(bytes);
        let mut sent = false;
        let begun = Instant::now();
        let mut timer = pin!(sleep(patience));
        let mut question: Option<Pin<Box<dyn Future<Output = bool> + Send + '_>>> = None;
        let mut seen = (0, 0);
        poll_fn(|cx| {
            loop {
                let polled = match sent {
                    false => connection.poll_send(cx, &mut rest).map_ok(|()| None),
                    true => connection.poll_item(cx, Some(frames)).map_ok(Some),
                };
                match polled {
                    Poll::Ready(Ok(None)) => sent = true,
                    Poll::Ready(Ok(Some(item))) => {
                        if let Some(reply) = item.into_reply() {
                            return Poll::Ready(Ok(reply));
                        }
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => break,
                }
            }
            let now = (rest.len(), connection.inbox.held());
            if seen != now {
                seen = now;
                question = None;
                timer.as_mut().reset(tokio::time::Instant::now() + patience);
            }
            loop {
                if let Some(asked) = &mut question {
                    let Poll::Ready(withheld) = asked.as_mut().poll(cx) else {
                        return Poll::Pending;
                    };
                    if !withheld {
                        return Poll::Ready(Err(late(patience)));
                    }
                    question = None;
                    timer.as_mut().reset(tokio::time::Instant::now() + patience);
                }
                if timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                match self.question(connection, begun, patience) {
                    Some(asked) => question = Some(Box::pin(asked)),
                    None => return Poll::Ready(Err(late(patience))),
                }
            }
        })
        .await
    }

    /// Goes on waiting on this thread, after this error of a socket that was silent for so long, as
    /// long as the server keeps the answer back.
    #[cold]
    pub(super) async fn insist_here(
        &self,
        connection: &mut Dedicated,
        frames: u32,
        patience: Duration,
        mut silence: Error,
    ) -> Result<Reply> {
        let begun = Instant::now();
        loop {
            let withheld = match self.question(connection, begun, patience) {
                Some(asked) => asked.await,
                None => false,
            };
            if !withheld {
                return Err(silence);
            }
            match connection.reply(frames).await {
                Err(error) if is_timeout(&error) => silence = error,
                outcome => return outcome,
            }
        }
    }

    /// The question whether the server keeps the answer back, where it can be asked and may take
    /// longer.
    fn question(
        &self,
        connection: &Dedicated,
        begun: Instant,
        patience: Duration,
    ) -> Option<impl Future<Output = bool> + Send + use<'_>> {
        let client = connection.id.filter(|_| begun.elapsed() < self.config.relaxed_timeout)?;
        let peer = connection.peer.clone();
        Some(withholds(&self.config, &self.connector, peer, client, patience / 4))
    }
}

/// The error when the server has been silent for so long.
#[cold]
pub(super) fn late(patience: Duration) -> Error {
    let text = format!("the server gave no answer within {patience:?}");
    Error::new(ErrorKind::Timeout, text).with_sent(Sent::Unknown)
}
