//! `SET` and its options.

use std::fmt;
use std::time::Duration;

use crate::client::Client;
use crate::client::Execute;
use crate::command::{Command, Encoded, IntoCommand, named};
use crate::error::Result;
use crate::resp::ToArgs;

/// What [`Client::set`] runs, as a value.
#[inline]
pub fn set(key: impl ToArgs, value: impl ToArgs) -> Set {
    Set { command: named!("SET", key key, arg value) }
}

impl Client {
    /// Sets the value at a key (`SET`); options follow before `.await`. `false` only when a
    /// condition ([`nx`](Set::nx), [`xx`](Set::xx)) did not hold.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use std::time::Duration;
    /// client.set("session", "abc").ex(Duration::from_secs(60)).await?;
    /// assert!(!client.set("session", "xyz").nx().await?);
    /// let old: Option<String> = client.set("session", "xyz").get().await?;
    /// assert_eq!(old.as_deref(), Some("abc"));
    /// # });
    /// ```
    pub fn set(&self, key: impl ToArgs, value: impl ToArgs) -> Set<&Client> {
        Set { command: set(key, value).command.on(self) }
    }
}

/// A `SET` that still takes options.
#[must_use = "a command does nothing until it is awaited or pushed into a batch"]
pub struct Set<X = ()> {
    command: Command<bool, X>,
}

impl<X> Set<X> {
    /// Lets the key expire after a time, in whole milliseconds (`PX`).
    pub fn ex(self, after: Duration) -> Set<X> {
        Set { command: self.command.arg(("PX", after)) }
    }

    /// As [`Set::ex`], by Redis' name for milliseconds.
    pub fn px(self, after: Duration) -> Set<X> {
        self.ex(after)
    }

    /// Only if the key does not exist (`NX`).
    pub fn nx(self) -> Set<X> {
        Set { command: self.command.arg("NX") }
    }

    /// Only if the key exists (`XX`).
    pub fn xx(self) -> Set<X> {
        Set { command: self.command.arg("XX") }
    }

    /// Keeps the time to live that the key has (`KEEPTTL`).
    pub fn keepttl(self) -> Set<X> {
        Set { command: self.command.arg("KEEPTTL") }
    }

    /// Gives the value that was there before (`GET`); the last option.
    pub fn get<R>(self) -> Command<R, X> {
        self.command.arg("GET").replying()
    }
}

impl IntoCommand for Set {
    type Reply = bool;

    #[inline]
    fn into_command(self) -> Command<bool> {
        self.command
    }

    #[inline]
    fn push_to(self, out: &mut Encoded) {
        out.push(&self.command);
    }
}

impl<'c> IntoFuture for Set<&'c Client> {
    type Output = Result<bool>;
    type IntoFuture = Execute<Command<bool>, &'c Client>;

    fn into_future(self) -> Self::IntoFuture {
        self.command.into_future()
    }
}

impl<X> fmt::Debug for Set<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.command.fmt(f)
    }
}
