//! Commands that the server refused for the moment: nothing of them ran, so they are sent again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::connection::Wire;
use crate::connection::{Exchange, Link, Reply};
use crate::direct::Direct;
use crate::error::Result;
use crate::resp::Parcel;

/// The pauses double, from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// Why a server refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It reads its data from disk yet.
    Loading,
    /// It is a primary no longer.
    ReadOnly,
}

/// Whether the reply to a command is a refusal that passes. With `elects`, another server may
/// become the primary.
pub(super) fn refusal(reply: &Reply, elects: bool) -> Option<Refusal> {
    let reply = reply.as_bytes();
    if reply.starts_with(b"-LOADING ") {
        Some(Refusal::Loading)
    } else if elects && reply.starts_with(b"-READONLY ") {
        Some(Refusal::ReadOnly)
    } else {
        None
    }
}

/// Sends a request again until it is not refused, or the time is up; then gives the refusal.
pub(super) async fn again(link: Arc<Link>, bytes: Parcel, mut reply: Reply) -> Result<Reply> {
    let deadline = Instant::now() + link.config.total_timeout;
    let mut pause = PAUSES.0;
    while let Some(refusal) = refusal(&reply, link.config.elects())
        && Instant::now() < deadline
    {
        if refusal == Refusal::ReadOnly {
            link.leave("the server is a primary no longer");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
        reply = Exchange::new(Arc::clone(&link), bytes.clone(), 1).await?;
    }
    Ok(reply)
}

/// As [`again`], on this thread.
pub(super) fn again_blocking(direct: &Direct, wire: &Wire<'_>, mut reply: Reply) -> Result<Reply> {
    let deadline = Instant::now() + direct.config.total_timeout;
    let mut pause = PAUSES.0;
    while let Some(refusal) = refusal(&reply, direct.config.elects())
        && Instant::now() < deadline
    {
        if refusal == Refusal::ReadOnly {
            direct.leave();
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSES.1);
        reply = direct.run(wire, false)?;
    }
    Ok(reply)
}
