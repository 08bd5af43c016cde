//! Writes that replicas have confirmed.

use std::borrow::Borrow;
use std::time::{Duration, Instant};

use super::exclusive::Exclusive;
use super::session::Change;
use crate::client::{Client, Execute};
use crate::command::{Command, slot};
use crate::commands::Set;
use crate::connection::{Reply, Route, Wire, Work};
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::resp::{Frame, FromReply, Packed, Pieces, Reader};

impl<W: Work, C: Borrow<Client>> Execute<W, C> {
    /// Waits until so many replicas have confirmed the write (`WAIT`, on the same connection, one
    /// of the pool), but no longer than `timeout`. On a cluster the replicas are those of the node
    /// that serves the keys, which must be of one slot.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use std::time::Duration;
    /// use alizarin_core::ErrorKind;
    /// use alizarin_core::commands::{incr, set};
    ///
    /// let write = client.transaction((set("k", "v"), incr("n")));
    /// // This server has no replica.
    /// let error = write.confirmed_by(1, Duration::from_millis(1)).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Unconfirmed);
    /// assert_eq!(client.get::<u32>("n").await?, 1);
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future closes its connection; what was sent is executed all the same.
    ///
    /// # Errors
    /// `Unconfirmed` when fewer have: the write is done all the same, but a failover may lose it.
    /// It is never sent twice.
    pub fn confirmed_by(mut self, replicas: u32, timeout: Duration) -> Execute<W, C> {
        let (client, work) = self.parts();
        let write = Write {
            checked: work.check(),
            slot: slot_of(&work.route(), client.is_cluster()),
            atomic: matches!(work.route(), Route::Transaction(_)),
            frames: work.wire().frames(),
            waits: work.is_blocking(),
            bytes: {
                let mut bytes = Pieces::default();
                work.wire().write_pieces(&mut bytes);
                wait(replicas, timeout).write_pieces(&mut bytes);
                bytes
            },
        };
        let confirmed = write.run(client.clone(), replicas, timeout);
        self.go(Box::pin(confirmed));
        self
    }
}

/// A request, with `WAIT` behind it.
struct Write {
    checked: Result<()>,
    slot: Result<Option<u16>>,
    /// All or nothing of it runs.
    atomic: bool,
    frames: u32,
    waits: bool,
    bytes: Pieces,
}

impl Write {
    async fn run(mut self, client: Client, replicas: u32, timeout: Duration) -> Result<Reply> {
        std::mem::replace(&mut self.checked, Ok(()))?;
        let slot = std::mem::replace(&mut self.slot, Ok(None))?;
        let until = Instant::now() + client.config().total_timeout;
        let patience = timeout.saturating_add(client.config().response_timeout);
        let patience = (!self.waits).then_some(patience);
        let wire = Wire::Many { bytes: self.bytes.view(), frames: self.frames + 1 };
        // Once it is sent again, it has what is left of its time.
        let mut left = None;
        loop {
            let sent = async {
                let mut connection = Exclusive::of(&client.pool_for(slot)?, left).await?;
                connection.send(&wire, Change::Nothing, patience).await
            };
            let sent = sent.await;
            left = Some(until.saturating_duration_since(Instant::now()));
            let reply = match sent {
                Ok(reply) => reply.into_bytes(),
                Err(error) if client.learns_from(&error, until).await => continue,
                Err(error) => return Err(error),
            };
            let mut reader = Reader::new(&reply);
            reader.skip_many(self.frames as usize)?;
            let at = reply.len() - reader.remaining();
            let (answer, count) = (reply.slice(..at), reply.slice(at..));
            if let Some(line) = self.refusal(&answer) {
                let error = Error::server(&line);
                // Where others serve the slot, nothing was done here.
                if client.learns_from(&error, until).await {
                    continue;
                }
                return Ok(Reply::Shared(answer));
            }
            if !self.is_void(&answer) {
                counted(&count, replicas)?;
            }
            return Ok(Reply::Shared(answer));
        }
    }

    /// The error that all of it was refused with.
    fn refusal(&self, answer: &[u8]) -> Option<String> {
        let mut reader = Reader::new(answer);
        let mut refusal = None;
        for _ in 0..self.frames {
            let line = match reader.peek() {
                Ok(Frame::Error(line)) => Some(line.to_owned()),
                _ => None,
            };
            match line {
                // The first command that was not queued, or EXEC itself.
                Some(line) => refusal = refusal.or(Some(line)),
                None if self.atomic => {}
                None => return None,
            }
            reader.skip().ok()?;
        }
        refusal
    }

    /// Whether it is a transaction that did not run, without an error.
    fn is_void(&self, answer: &[u8]) -> bool {
        let mut reader = Reader::new(answer);
        self.atomic
            && reader.skip_many(self.frames.saturating_sub(1) as usize).is_ok()
            && matches!(reader.next(), Ok(Frame::Null))
    }
}

/// The slot of all keys, where that matters.
fn slot_of(route: &Route<'_>, cluster: bool) -> Result<Option<u16>> {
    let encoded = match route {
        _ if !cluster => return Ok(None),
        Route::Command(packed, _) => return Ok(packed.first_key().map(slot)),
        Route::Pipeline(encoded) | Route::Transaction(encoded) => encoded,
    };
    let mut slots = encoded.spans().filter_map(|(_, slot, _)| slot);
    let first = slots.next();
    if slots.any(|slot| Some(slot) != first) {
        let text = "the keys belong to several slots of the cluster: replicas confirm the writes \
                    of one connection";
        return Err(Error::new(ErrorKind::Usage, text));
    }
    Ok(first)
}

/// `WAIT`.
pub(super) fn wait(replicas: u32, timeout: Duration) -> Packed {
    let mut packed = Packed::new();
    packed.push(b"WAIT");
    packed.push_int(replicas);
    // 0 would mean for ever.
    let millis = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX).max(1);
    packed.push_int(millis);
    packed
}

/// Reads the answer to `WAIT`.
///
/// # Errors
/// `Unconfirmed`.
pub(super) fn counted(answer: &[u8], wanted: u32) -> Result<u32> {
    let count = u32::from_reply(&mut Reader::new(answer));
    // Whatever goes wrong here, the write was done.
    let count = count.map_err(|error| error.with_sent(Sent::Yes).with_command("WAIT"))?;
    if count < wanted {
        let text = format!("{count} of {wanted} replicas have confirmed the write in time");
        return Err(Error::new(ErrorKind::Unconfirmed, text)
            .with_sent(Sent::Yes)
            .with_command("WAIT"));
    }
    Ok(count)
}

impl<'c, R: FromReply> Command<R, &'c Client> {
    /// Runs the command and waits until so many replicas have confirmed it; see
    /// [`Execute::confirmed_by`].
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use std::time::Duration;
    /// let count = client.incr("visits").confirmed_by(0, Duration::from_millis(50)).await?;
    /// assert_eq!(count, 1);
    /// # });
    /// ```
    pub fn confirmed_by(self, replicas: u32, timeout: Duration) -> Execute<Command<R>, &'c Client> {
        self.into_future().confirmed_by(replicas, timeout)
    }
}

impl<'c> Set<&'c Client> {
    /// Runs the command and waits until so many replicas have confirmed it; see
    /// [`Execute::confirmed_by`].
    pub fn confirmed_by(
        self,
        replicas: u32,
        timeout: Duration,
    ) -> Execute<Command<bool>, &'c Client> {
        self.into_future().confirmed_by(replicas, timeout)
    }
}
