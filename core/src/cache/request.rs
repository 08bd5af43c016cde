//! A read as it is sent: in one write with what the cache needs to know beside the reply.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

use super::config::CacheConfig;
use super::fill::Asking;
use super::keys::Keys;
use crate::client::{Client, Execute};
use crate::command::{Command, Flags, named};
use crate::connection::{Flight, Link, Reply, Route, Wire, Work};
use crate::error::{Error, Result};
use crate::resp::{Frame, FromReply, Packed, Reader};

/// The read, before it `CLIENT CACHING YES` where the server asks for that, behind it `PTTL` for
/// each key.
#[derive(Clone)]
pub(super) struct Request {
    packed: Packed,
    flags: Flags,
    bytes: Bytes,
    frames: u32,
    /// Frames before the reply.
    before: u32,
}

/// What came back.
pub(super) struct Answer {
    pub(super) reply: Bytes,
    pub(super) is_error: bool,
    /// When the first of the keys ends.
    pub(super) expiry: Option<Duration>,
    /// The connection that will tell of changes; `None` where that is unknown.
    pub(super) source: Option<u64>,
}

impl Request {
    pub(super) fn new(
        config: &CacheConfig,
        packed: &Packed,
        flags: Flags,
        keys: &Keys<'_>,
    ) -> Request {
        let mut bytes = Vec::with_capacity(packed.wire_len() + 64);
        let before = u32::from(config.opt_in);
        if config.opt_in {
            bytes.extend_from_slice(b"*3\r\n$6\r\nCLIENT\r\n$7\r\nCACHING\r\n$3\r\nYES\r\n");
        }
        packed.write_to(&mut bytes);
        let mut frames = before + 1;
        if config.key_expiry {
            for key in keys.iter() {
                let expiry: Command<i64> = named!("PTTL", key key);
                expiry.packed().write_to(&mut bytes);
                frames += 1;
            }
        }
        Request { packed: packed.clone(), flags, bytes: Bytes::from(bytes), frames, before }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn frames(&self) -> u32 {
        self.frames
    }

    /// Sends it over a client of one server.
    pub(super) fn over(self, client: &Client, source: u64) -> Asking {
        let asking = Execute::new(client.clone(), self);
        Box::pin(async move { Ok(Answer { source: Some(source), ..asking.await? }) })
    }

    /// Sends it to the primary of the slot. Where there is another to be asked first, or keys of
    /// several slots, the cluster's client does the rest, and nobody would tell of changes.
    pub(super) fn over_cluster(self, client: Client, slot: Option<u16>) -> Asking {
        Box::pin(async move {
            let node = client.cluster().zip(slot);
            let node = node.and_then(|(cluster, slot)| {
                let link = cluster.primary_link(slot)?;
                Some((Arc::clone(cluster), link))
            });
            if let Some((cluster, link)) = node {
                let source = link.source();
                let leg = Leg { link, request: &self, flight: Flight::default() };
                match leg.await {
                    Ok(reply) => {
                        let answer = self.decode(&mut reply.reader())?;
                        if cluster.is_answer(&Reply::Shared(answer.reply.clone())) {
                            return Ok(Answer { source, ..answer });
                        }
                    }
                    Err(error) if !cluster.may_resend(&error, true) => return Err(error),
                    Err(_) => {}
                }
            }
            self.past_the_cache(client).await
        })
    }

    /// Sends the read alone, as any other command: nobody would tell of changes.
    pub(super) async fn past_the_cache(self, client: Client) -> Result<Answer> {
        let mut command: Command<Raw> = Command::from_packed(self.packed);
        command.set_flags(self.flags);
        let Raw(reply) = Execute::new(client, command).await?;
        let is_error = is_error(&reply)?;
        Ok(Answer { reply, is_error, expiry: None, source: None })
    }

    fn read(&self, reader: &mut Reader<'_>) -> Result<Answer> {
        for _ in 0..self.before {
            if let Frame::Error(line) = reader.next()? {
                return Err(Error::server(line).with_command("CLIENT CACHING"));
            }
        }
        let Raw(reply) = Raw::from_reply(reader)?;
        let mut expiry: Option<Duration> = None;
        for _ in self.before + 1..self.frames {
            // No time to live, no key, or no leave to ask for it.
            let Frame::Integer(millis) = reader.next()? else { continue };
            if let Ok(millis) = u64::try_from(millis) {
                let own = Duration::from_millis(millis);
                expiry = Some(expiry.map_or(own, |expiry| expiry.min(own)));
            }
        }
        Ok(Answer { is_error: is_error(&reply)?, reply, expiry, source: None })
    }
}

fn is_error(reply: &[u8]) -> Result<bool> {
    Ok(matches!(Reader::new(reply).next()?, Frame::Error(_)))
}

impl Work for Request {
    type Reply = Answer;

    fn wire(&self) -> Wire<'_> {
        Wire::Many { bytes: (&*self.bytes).into(), frames: self.frames }
    }

    fn route(&self) -> Route<'_> {
        Route::Command(&self.packed, self.flags)
    }

    fn name(&self) -> String {
        self.packed.name()
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn decode(&self, reader: &mut Reader<'_>) -> Result<Answer> {
        self.read(reader)
    }
}

/// One reply as it came.
struct Raw(Bytes);

impl FromReply for Raw {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Raw> {
        let rest = reader.rest();
        reader.skip()?;
        let len = rest.len() - reader.remaining();
        Ok(Raw(reader.slice(rest.get(..len).unwrap_or_default())))
    }
}

/// A request on its way to one node.
struct Leg<'r> {
    link: Arc<Link>,
    request: &'r Request,
    flight: Flight,
}

impl Future for Leg<'_> {
    type Output = Result<Reply>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Reply>> {
        let Leg { link, request, flight } = self.get_mut();
        flight.poll(link, || request.wire(), cx)
    }
}

impl Drop for Leg<'_> {
    fn drop(&mut self) {
        self.flight.cancel(&self.link);
    }
}
