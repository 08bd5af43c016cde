//! Requests that the server refused for the moment: nothing of them ran, so they are sent again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::connection::{Exchange, Link, Reply, Route, Wire, Work};
use crate::direct::Direct;
use crate::error::Result;
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
}

impl Request {
    pub(super) fn of(work: &impl Work) -> Request {
        let wire = work.wire();
        let mut bytes = Pieces::default();
        wire.write_pieces(&mut bytes);
        let atomic = is_atomic(work);
        Request { bytes: bytes.into(), frames: wire.frames(), atomic, waits: work.is_blocking() }
    }

    fn wire(&self) -> Wire<'_> {
        Wire::Many { bytes: self.bytes.view(), frames: self.frames }
    }
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

/// Sends a request again until it is not refused, or the time is up; then gives the refusal.
pub(super) async fn again(link: Arc<Link>, request: Request, mut reply: Reply) -> Result<Reply> {
    let elects = link.config.elects();
    let deadline = Instant::now() + link.config.total_timeout;
    let mut pause = PAUSES.0;
    while let Some(refusal) = refusal(&reply, request.frames, request.atomic, elects)
        && Instant::now() < deadline
    {
        if refusal == Refusal::ReadOnly {
            link.leave("the server is a primary no longer");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
        let bytes = request.bytes.clone();
        reply = Exchange::new(Arc::clone(&link), bytes, request.frames).await?;
    }
    Ok(reply)
}

/// Runs a request that may wait on the server on a connection of the pool, without a limit on the
/// time to answer; again while it is refused.
pub(super) async fn apart(link: Arc<Link>, request: Request) -> Result<Reply> {
    let elects = link.config.elects();
    let mut pause = PAUSES.0;
    let mut left = link.config.total_timeout;
    loop {
        link.state().admit()?;
        let pool = link.pool()?;
        let mut connection = pool.get().await?;
        let reply = pool.enter(connection.exchange(&request.wire(), None)).await?;
        drop(connection);
        let Some(refusal) = refusal(&reply, request.frames, false, elects) else {
            return Ok(reply);
        };
        if left.is_zero() {
            return Ok(reply);
        }
        if refusal == Refusal::ReadOnly {
            pool.renew();
            link.leave("the server is a primary no longer");
        }
        pool.enter(async { tokio::time::sleep(pause).await }).await;
        left = left.saturating_sub(pause);
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// As [`again`], on this thread.
#[cold]
pub(super) fn again_blocking(
    direct: &Direct,
    request: &Request,
    mut reply: Reply,
) -> Result<Reply> {
    let elects = direct.config.elects();
    let mut pause = PAUSES.0;
    let mut left = direct.config.total_timeout;
    while let Some(refusal) = refusal(&reply, request.frames, request.atomic, elects)
        && !left.is_zero()
    {
        if refusal == Refusal::ReadOnly {
            direct.leave();
        }
        std::thread::sleep(pause);
        left = left.saturating_sub(pause);
        pause = (pause * 2).min(PAUSES.1);
        reply = direct.run(&request.wire(), request.waits)?;
    }
    Ok(reply)
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
