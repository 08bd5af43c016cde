//! Requests that are sent again: what the server refused for the moment, of which nothing ran, and what
//! changes nothing when its answer was lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::connection::{Exchange, Link, Reply, Route, Wire, Work};
use crate::direct::Direct;
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::pool::{Held, LEAST, Pool};
use crate::resp::{Frame, Parcel, Pieces};

/// The pauses double, from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// The answer to the `EXEC` of a transaction of which nothing ran.
const ABORTED: &str = "-EXECABORT ";

/// Why a server refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It reads its data from disk yet.
    Loading,
    /// It is a primary no longer.
    ReadOnly,
}

/// What is sent again.
pub(super) struct Request {
    bytes: Parcel,
    frames: u32,
    /// Whether all or nothing of it runs.
    atomic: bool,
    /// Whether it may wait on the server.
    waits: bool,
    /// Whether it is sent again when its answer was lost.
    repeatable: bool,
}

/// On which way.
pub(super) enum By<'d> {
    Link(Arc<Link>),
    Direct(&'d Direct),
}

impl Request {
    pub(super) fn of(work: &impl Work, repeatable: bool) -> Request {
        let wire = work.wire();
        let mut bytes = Pieces::default();
        wire.write_pieces(&mut bytes);
        let (atomic, waits) = (is_atomic(work), work.is_blocking());
        Request { bytes: bytes.into(), frames: wire.frames(), atomic, waits, repeatable }
    }

    fn wire(&self) -> Wire<'_> {
        Wire::Many { bytes: self.bytes.view(), frames: self.frames }
    }

    /// Sends it until there is an answer or the [`Config::total_timeout`] is over, of which so much is
    /// `spent`; `first` is what has come of it already. The time stands still while a server lets it
    /// wait.
    ///
    /// # Errors
    /// The last reason to send it again; those after which it is not.
    pub(super) async fn run(
        self,
        by: By<'_>,
        first: Option<Result<Reply>>,
        spent: Duration,
    ) -> Result<Reply> {
        let pool = by.pool().cloned();
        let running = self.repeat(&by, first, spent);
        match pool {
            // Whoever waits for it may be outside of the runtime.
            Ok(pool) => pool.enter(running).await,
            Err(_) => running.await,
        }
    }

    async fn repeat(
        self,
        by: &By<'_>,
        first: Option<Result<Reply>>,
        spent: Duration,
    ) -> Result<Reply> {
        let config = by.config();
        let mut until = Instant::now() + config.total_timeout.saturating_sub(spent);
        let mut pause = PAUSES.0;
        let (mut attempts, mut losses) = (1, 0);
        let mut last = match first {
            Some(first) => first,
            None => self.send(by, None, &mut until).await,
        };
        loop {
            let refusal = match &last {
                Ok(reply) => match refusal(reply, self.frames, self.atomic, config.elects()) {
                    None => return last,
                    refusal => refusal,
                },
                Err(error) if self.repeatable && losses < config.retries && is_lost(error) => None,
                Err(_) => break,
            };
            if left(until).is_zero() {
                break;
            }
            losses += u32::from(refusal.is_none());
            if refusal == Some(Refusal::ReadOnly) {
                by.leave();
            }
            if refusal.is_some() {
                by.pause(pause.min(left(until))).await;
                pause = (pause * 2).min(PAUSES.1);
                if left(until).is_zero() {
                    break;
                }
            }
            let next = self.send(by, Some(left(until).max(LEAST)), &mut until).await;
            attempts += 1;
            last = match next {
                // Its time was over before it was sent, or in the midst of it. That it was sent again
                // has a better reason.
                Err(late) if late.kind() == ErrorKind::Timeout && left(until).is_zero() => {
                    if late.sent() == Sent::No && losses == 0 {
                        return last;
                    }
                    Err(cause(last).with_sent(Sent::Unknown))
                }
                next => next,
            };
        }
        match last {
            // One before it may have been executed.
            last if losses > 0 => Err(cause(last).with_sent(Sent::Unknown).after(attempts)),
            Err(error) if attempts > 1 => Err(error.after(attempts)),
            last => last,
        }
    }

    /// Sends it once, in the time that is `left` where it is not the first time.
    async fn send(
        &self,
        by: &By<'_>,
        left: Option<Duration>,
        until: &mut Instant,
    ) -> Result<Reply> {
        if self.waits {
            let mut connection = by.connection(left).await?;
            let begun = Instant::now();
            let reply = connection.exchange(&self.wire(), None).await?;
            *until += begun.elapsed();
            return Ok(reply);
        }
        let link = match by {
            By::Direct(direct) => return direct.run(&self.wire(), left),
            By::Link(link) => Arc::clone(link),
        };
        let exchange = Exchange::new(link, self.bytes.clone(), self.frames);
        let Some(left) = left else { return exchange.await };
        tokio::time::timeout(left, exchange).await.unwrap_or_else(|_| {
            let late = Error::new(ErrorKind::Timeout, "the time for all attempts is over");
            Err(late.with_sent(Sent::Unknown))
        })
    }
}

impl By<'_> {
    fn config(&self) -> &Config {
        match self {
            By::Link(link) => &link.config,
            By::Direct(direct) => &direct.config,
        }
    }

    fn pool(&self) -> Result<&Arc<Pool>> {
        match self {
            By::Link(link) => link.pool(),
            By::Direct(direct) => Ok(direct.pool()),
        }
    }

    async fn connection(&self, left: Option<Duration>) -> Result<Held<Arc<Pool>>> {
        if let By::Link(link) = self {
            link.state().admit()?;
        }
        self.pool()?.get(left).await
    }

    /// Leaves a server that is a primary no longer.
    fn leave(&self) {
        match self {
            By::Link(link) => {
                link.pool.get().into_iter().for_each(|pool| pool.renew());
                link.leave("the server is a primary no longer");
            }
            By::Direct(direct) => direct.leave(),
        }
    }

    async fn pause(&self, time: Duration) {
        match self {
            By::Link(_) => tokio::time::sleep(time).await,
            By::Direct(_) => std::thread::sleep(time),
        }
    }
}

/// The time until then.
fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

#[inline]
fn is_atomic(work: &impl Work) -> bool {
    matches!(work.route(), Route::Transaction(_))
}

/// Whether the server refused all of the request for the moment, or until another server is the
/// primary, where one is elected.
#[inline]
pub(super) fn is_refused(work: &impl Work, reply: &Reply, elects: impl FnOnce() -> bool) -> bool {
    let atomic = is_atomic(work);
    let bytes = reply.as_bytes();
    let maybe = matches!(bytes.first(), Some(b'-')) || atomic && ends_aborted(bytes);
    maybe && refusal(reply, work.wire().frames(), atomic, elects()).is_some()
}

/// Whether the last line says that a transaction was discarded.
fn ends_aborted(reply: &[u8]) -> bool {
    // Such a line is not longer.
    let tail = reply.get(reply.len().saturating_sub(160)..).unwrap_or_default();
    let tail = tail.strip_suffix(b"\r\n").unwrap_or_default();
    let last = tail.iter().rposition(|byte| *byte == b'\n').and_then(|end| tail.get(end + 1..));
    last.is_some_and(|line| line.starts_with(ABORTED.as_bytes()))
}

/// Whether all of the reply is a refusal that passes: nothing ran. With `elects`, another server may
/// become the primary.
fn refusal(reply: &Reply, frames: u32, atomic: bool, elects: bool) -> Option<Refusal> {
    let mut reader = reply.reader();
    let (mut refused, mut aborted) = (None, false);
    for _ in 0..frames {
        aborted = false;
        match reader.next().ok()? {
            Frame::Error(line) if line.starts_with("EXECABORT ") => {
                // `EXEC` itself may be what was refused.
                let own = line.split_once("because of: ").and_then(|(_, why)| reason(why, elects));
                (aborted, refused) = (true, refused.or(own));
            }
            Frame::Error(line) => match reason(line, elects) {
                // Another mistake is told first.
                None if refused.is_none() => return None,
                None => {}
                reason => refused = refused.or(reason),
            },
            // What a transaction queued did not run; what a pipeline answers did.
            Frame::Simple(_) if atomic => {}
            _ => return None,
        }
    }
    refused.filter(|_| aborted || !atomic)
}

/// Why a server refuses to execute something for the moment.
fn reason(line: &str, elects: bool) -> Option<Refusal> {
    if line.starts_with("LOADING ") {
        Some(Refusal::Loading)
    } else if elects && (line.starts_with("READONLY ") || line.starts_with("UNBLOCKED force")) {
        Some(Refusal::ReadOnly)
    } else {
        None
    }
}

/// Whether a request's answer was lost with its connection.
pub(super) fn is_lost(error: &Error) -> bool {
    error.kind() == ErrorKind::Disconnected && error.sent() == Sent::Unknown
}

/// Why a request was sent again.
fn cause(outcome: Result<Reply>) -> Error {
    let reply = match outcome {
        Ok(reply) => reply,
        Err(error) => return error,
    };
    let mut reader = reply.reader();
    loop {
        match reader.next() {
            Ok(Frame::Error(line)) => return Error::server(line),
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn refusals_of_everything_pass_and_others_do_not() {
        let (loading, readonly) = (Some(Refusal::Loading), Some(Refusal::ReadOnly));
        let aborted = "-EXECABORT Transaction discarded because of previous errors.|";
        for (reply, frames, atomic, expected) in [
            ("-LOADING x|", 1, false, loading),
            ("-READONLY x|", 1, false, readonly),
            ("-UNBLOCKED force unblock|", 1, false, readonly),
            ("-UNBLOCKED client unblocked|", 1, false, None),
            ("-LOADING x|-LOADING x|", 2, false, loading),
            // A part of it ran.
            ("-READONLY x|:1|", 2, false, None),
            (":1|-READONLY x|", 2, false, None),
            ("-ERR x|-LOADING x|", 2, false, None),
            (&format!("+OK|-READONLY x|+QUEUED|{aborted}"), 4, true, readonly),
            (&format!("+OK|+QUEUED|-LOADING x|{aborted}"), 4, true, loading),
            (&format!("+OK|-ERR x|+QUEUED|{aborted}"), 4, true, None),
            (
                "+OK|+QUEUED|-EXECABORT Transaction discarded because of: READONLY You|",
                3,
                true,
                readonly,
            ),
            ("+OK|+QUEUED|-EXECABORT Transaction discarded because of: OOM x|", 3, true, None),
            // Its commands were refused one by one while it ran.
            ("+OK|+QUEUED|*1|-READONLY x|", 3, true, None),
            ("-LOADING x|-LOADING x|-ERR EXEC without MULTI|", 3, true, None),
        ] {
            let reply = Reply::Shared(Bytes::from(reply.replace('|', "\r\n")));
            let found = refusal(&reply, frames, atomic, true);
            assert_eq!(found, expected, "{:?}", reply.as_bytes());
            if atomic && expected.is_some() {
                assert!(ends_aborted(reply.as_bytes()));
            }
        }
        let readonly = Reply::Shared(Bytes::from_static(b"-READONLY x\r\n"));
        assert_eq!(refusal(&readonly, 1, false, false), None);
    }
}
