//! The replies of a transaction.

use std::fmt;

use alizarin_core::resp::{Frame, Reader};
use bytes::Bytes;

use super::super::failure::code;
use crate::{Error, ErrorKind, FromReply, Result, Sent};

/// The place of a step's reply among the [`Replies`] of its transaction, and its type.
pub struct Handle<R> {
    pub(super) transaction: u64,
    pub(super) at: usize,
    pub(super) decode: fn(&mut Reader<'_>) -> Result<R>,
}

impl<R> Clone for Handle<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Handle<R> {}

impl<R> fmt::Debug for Handle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("step", &(self.at + 1)).finish_non_exhaustive()
    }
}

/// The decoder of a step that was refused: its transaction has no replies.
pub(super) fn never<R>(_: &mut Reader<'_>) -> Result<R> {
    Err(Error::new(ErrorKind::Usage, "the step was refused before it was sent"))
}

/// What the steps of a transaction gave; see [`Transaction::commit`](super::Transaction::commit).
#[derive(Clone)]
pub struct Replies {
    transaction: u64,
    /// As they came from the server, in the steps' order.
    replies: Vec<Bytes>,
}

impl Replies {
    pub(super) fn none(transaction: u64) -> Replies {
        Replies { transaction, replies: Vec::new() }
    }

    /// Those of this transaction.
    pub(super) fn of(self, transaction: u64, steps: usize) -> Result<Replies> {
        match self.replies.len() == steps {
            true => Ok(Replies { transaction, ..self }),
            false => {
                let (want, came) = (format!("{steps} replies"), self.replies.len().to_string());
                Err(Error::decode(&want, &came))
            }
        }
    }

    pub(super) fn at(&self, step: usize) -> Option<&Bytes> {
        self.replies.get(step)
    }

    /// The reply of a step, by the handle that [`push`](super::Transaction::push) gave.
    ///
    /// Of a raw command it went through a script, as by the second version of the protocol: maps are
    /// lists of pairs, doubles are text. The types here decode those as they decode the others.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::commands::get;
    ///
    /// # alizarin_samples::client(async |client, namespace| {
    /// # let key = format!("{namespace}k");
    /// let mut tx = client.begin();
    /// let value = tx.push(get::<Option<String>>(&key));
    /// let done = tx.commit().await?;
    /// assert_eq!(done.get(value)?, None);
    ///
    /// let stranger = client.begin().push(get::<String>(&key));
    /// assert_eq!(done.get(stranger).unwrap_err().kind(), ErrorKind::Usage);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Decode` when the reply is none of that type, or holds a whole number from 2^53 on, which
    /// scripts cannot give exactly; the command took place. `Usage` for a handle of another
    /// transaction.
    pub fn get<R>(&self, handle: Handle<R>) -> Result<R> {
        let reply = match self.replies.get(handle.at) {
            Some(reply) if self.transaction == handle.transaction => reply,
            _ => {
                let text = "the handle is that of another transaction";
                return Err(Error::new(ErrorKind::Usage, text));
            }
        };
        let outcome = (handle.decode)(&mut Reader::shared(reply));
        outcome.map_err(|error| match code(error.message()) {
            Some(("ALZINEXACT", _)) => Error::decode(
                "a reply that scripts can give exactly",
                "a whole number from 2^53 on; the command took place",
            ),
            _ => error.with_sent(Sent::Yes),
        })
    }
}

impl FromReply for Replies {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Replies> {
        let count = match reader.next()? {
            Frame::Array(count) => count,
            Frame::Error(line) => return Err(Error::server(line)),
            frame => return Err(Error::decode("the replies of a transaction", &frame.describe())),
        };
        let mut replies = Vec::new();
        for _ in 0..count {
            let rest = reader.rest();
            reader.skip()?;
            let len = rest.len().saturating_sub(reader.rest().len());
            replies.push(reader.slice(rest.get(..len).unwrap_or_default()));
        }
        Ok(Replies { transaction: 0, replies })
    }
}

impl fmt::Debug for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies").field("steps", &self.replies.len()).finish_non_exhaustive()
    }
}
