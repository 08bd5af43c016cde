//! Reads through the cache.

use std::any::TypeId;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::fill::{Decode, Fill, Waiter};
use super::keys::{Keys, keys};
use super::request::Request;
use super::shard::Value;
use super::store::{Found, Name};
use super::{Cache, Home};
use crate::command::{Command, Flags};
use crate::connection::polled_again;
use crate::error::{Error, ErrorKind, Result};
use crate::resp::{FromReply, Packed, Reader};

/// A read through a [`Cache`], from [`Cache::run`]; nothing happens before the first poll.
///
/// # Cancel safety
/// It only reads. Others who wait for the same answer get it all the same.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Fetch<'c, R> {
    inner: Inner<'c>,
    reply: PhantomData<fn() -> R>,
}

/// A read of a decoded value through a [`Cache`], from [`Cache::shared`]; nothing happens before
/// the first poll.
///
/// # Cancel safety
/// It only reads. Others who wait for the same answer get it all the same.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct FetchShared<'c, R> {
    inner: Inner<'c>,
    reply: PhantomData<fn() -> R>,
}

struct Inner<'c> {
    cache: &'c Cache,
    packed: Packed,
    flags: Flags,
    /// What the reply is decoded to.
    kind: Option<TypeId>,
    decode: Decode,
    stage: Stage,
}

enum Stage {
    Start,
    Waiting(Waiter),
    Done,
}

impl<'c, R> Fetch<'c, R> {
    pub(super) fn new(cache: &'c Cache, command: Command<R>) -> Fetch<'c, R> {
        Fetch { inner: Inner::new(cache, command, None, whole), reply: PhantomData }
    }
}

impl<'c, R: FromReply + Send + Sync + 'static> FetchShared<'c, R> {
    pub(super) fn new(cache: &'c Cache, command: Command<R>) -> FetchShared<'c, R> {
        let kind = Some(TypeId::of::<R>());
        FetchShared { inner: Inner::new(cache, command, kind, decoded::<R>), reply: PhantomData }
    }
}

/// A reply as it came, in memory of its own.
fn whole(reply: &Bytes) -> Result<(Value, usize)> {
    Ok((Value::Raw(Bytes::copy_from_slice(reply)), reply.len()))
}

fn decoded<R: FromReply + Send + Sync + 'static>(reply: &Bytes) -> Result<(Value, usize)> {
    // Not from a shared buffer, of which a small value would keep all.
    let value = R::from_reply(&mut Reader::new(reply))?;
    Ok((Value::Shared(Arc::new(value)), R::HELD + reply.len()))
}

impl<'c> Inner<'c> {
    fn new<R>(
        cache: &'c Cache,
        command: Command<R>,
        kind: Option<TypeId>,
        decode: Decode,
    ) -> Inner<'c> {
        let (packed, flags) = command.into_parts();
        Inner { cache, packed, flags, kind, decode, stage: Stage::Start }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Value>> {
        // Whoever reads in a loop and never waits would keep the runtime from hearing of changes.
        if matches!(self.stage, Stage::Start) && !self.cache.is_blocking() {
            ready!(pin!(tokio::task::consume_budget()).poll(cx));
        }
        let outcome = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Start => match self.start() {
                Ok(Begun::Value(value)) => return Poll::Ready(Ok(value)),
                Ok(Begun::Waiter(waiter)) => self.wait(waiter, cx),
                Err(error) => Poll::Ready(Err(error)),
            },
            Stage::Waiting(waiter) => self.wait(waiter, cx),
            Stage::Done => Poll::Ready(Err(polled_again())),
        };
        outcome.map_err(|error| error.with_command(self.packed.name()))
    }

    fn wait(&mut self, mut waiter: Waiter, cx: &mut Context<'_>) -> Poll<Result<Value>> {
        let polled = waiter.poll(cx);
        if polled.is_pending() {
            self.stage = Stage::Waiting(waiter);
        }
        polled
    }

    fn start(&self) -> Result<Begun> {
        let keys = keys(&self.packed, self.flags)?;
        let (store, home) = (&self.cache.inner.store, &self.cache.inner.home);
        if let Some(key) = keys.iter().find(|key| !store.config.covers(key)) {
            let key = String::from_utf8_lossy(key);
            let text = format!("`{key}` begins with none of the prefixes of `broadcast`");
            return Err(Error::new(ErrorKind::Usage, text));
        }
        let words = self.packed.bytes();
        let name = Name::new(&keys, self.kind, &words);
        let request = || self.request(&keys);
        if self.cache.is_blocking() {
            return Ok(Begun::Value(match home {
                Home::One(line) => line.read(store, name, &keys, request, self.decode)?,
                Home::Several(several) => several.read(store, name, &keys, request, self.decode)?,
            }));
        }
        let used;
        let line = match home {
            Home::One(line) => Some(line),
            Home::Several(several) => {
                used = several.line();
                used.as_deref()
            }
        };
        let is_valid = |source| line.is_some_and(|line| line.is_valid(source, &keys));
        let begin = |part, node| Fill::new(part, node, name.size, self.decode);
        Ok(match store.find(name, &keys, is_valid, begin) {
            Found::Hit(value) => Begun::Value(value),
            Found::Join(fill) => Begun::Waiter(Waiter::new(store, fill)),
            Found::Begun(fill) => {
                let waiter = Waiter::new(store, Arc::clone(&fill));
                fill.start(match home {
                    Home::One(line) => line.ask(request(), keys.slot()),
                    Home::Several(several) => several.ask(request(), &keys),
                });
                Begun::Waiter(waiter)
            }
        })
    }

    fn request(&self, keys: &Keys<'_>) -> Request {
        Request::new(&self.cache.inner.store.config, &self.packed, self.flags, keys)
    }
}

/// What a read begins with.
enum Begun {
    Value(Value),
    Waiter(Waiter),
}

impl<R: FromReply> Future for Fetch<'_, R> {
    type Output = Result<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<R>> {
        let inner = &mut self.get_mut().inner;
        let Value::Raw(reply) = ready!(inner.poll(cx))? else {
            return Poll::Ready(Err(confused()));
        };
        let decoded = R::from_reply(&mut Reader::shared(&reply));
        Poll::Ready(decoded.map_err(|error| error.with_command(inner.packed.name())))
    }
}

impl<R: FromReply + Send + Sync + 'static> Future for FetchShared<'_, R> {
    type Output = Result<Arc<R>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Arc<R>>> {
        let Value::Shared(value) = ready!(self.get_mut().inner.poll(cx))? else {
            return Poll::Ready(Err(confused()));
        };
        Poll::Ready(value.downcast().map_err(|_| confused()))
    }
}

/// Entries are found by their type, so this cannot be.
#[cold]
fn confused() -> Error {
    Error::new(ErrorKind::Decode, "the cache holds a value of another type")
}

impl<R> fmt::Debug for Fetch<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch").field("command", &self.inner.packed).finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for FetchShared<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchShared").field("command", &self.inner.packed).finish_non_exhaustive()
    }
}
