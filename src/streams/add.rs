//! Appending entries.

use std::fmt;
use std::pin::Pin;

use super::failure::explain;
use super::{Stream, StreamId, entry};
use crate::model::Document;
use crate::{Command, Result};

/// An entry being appended, from [`Stream::add`].
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin::streams::{StreamId, StreamSource as _};
/// # use alizarin_samples::Address;
/// # alizarin_samples::client(async |client, prefix| {
/// # let moves = client.stream::<Address>(format!("{prefix}moves"));
/// # let vienna = Address { street: "Herrengasse 14".into(), city: "Vienna".into() };
/// let none = moves.add(&vienna).existing().await.unwrap_err();
/// assert_eq!(none.kind(), ErrorKind::NotFound);
/// moves.add(&vienna).id(StreamId::new(7, 1)).await?;
/// // An id that was used says that the entry was added before.
/// let again = moves.add(&vienna).id(StreamId::new(7, 1)).await.unwrap_err();
/// assert_eq!(again.kind(), ErrorKind::Conflict);
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Value`, naming the field, for a value that cannot be stored, and for an entry without any;
/// `Conflict` for an id that is not above the last one; `NotFound` with
/// [`existing`](AddEntry::existing); `Server(WrongType)` for a key of another type.
///
/// # Cancel safety
/// Dropped before it is done, the entry may have been added.
#[must_use = "nothing is added before it is awaited"]
pub struct AddEntry<'a, E> {
    stream: &'a Stream<E>,
    entry: &'a E,
    id: Option<StreamId>,
    max_len: Option<u64>,
    exact: bool,
    existing: bool,
}

impl<'a, E: Document> AddEntry<'a, E> {
    pub(super) fn new(stream: &'a Stream<E>, entry: &'a E) -> AddEntry<'a, E> {
        AddEntry { stream, entry, id: None, max_len: None, exact: false, existing: false }
    }

    /// With this id, which must be above all others; by default the server makes one of its clock.
    pub fn id(mut self, id: StreamId) -> Self {
        self.id = Some(id);
        self
    }

    /// Drops the oldest entries when there are many more than this (`MAXLEN ~`): whole nodes of the
    /// server's tree at a time, which costs next to nothing.
    pub fn max_len(mut self, entries: u64) -> Self {
        (self.max_len, self.exact) = (Some(entries), false);
        self
    }

    /// Drops the oldest entries, so that exactly so many stay (`MAXLEN =`).
    pub fn max_len_exact(mut self, entries: u64) -> Self {
        (self.max_len, self.exact) = (Some(entries), true);
        self
    }

    /// Only when the stream exists (`NOMKSTREAM`); else `NotFound`.
    pub fn existing(mut self) -> Self {
        self.existing = true;
        self
    }

    async fn run(self) -> Result<StreamId> {
        let key = &self.stream.key;
        let mut command: Command<Option<StreamId>> = Command::new("XADD").key(key);
        if self.existing {
            command = command.arg("NOMKSTREAM");
        }
        if let Some(entries) = self.max_len {
            let how = if self.exact { "=" } else { "~" };
            command = command.arg(("MAXLEN", how, entries));
        }
        command = match self.id {
            Some(id) => command.arg(id.to_string()),
            None => command.arg("*"),
        };
        command.packed_mut().append(&entry::write(self.entry)?);
        let id = self.stream.client.run(command).await.map_err(|error| explain(error, key))?;
        id.ok_or_else(|| {
            crate::Error::new(crate::ErrorKind::NotFound, format!("there is no stream `{key}`"))
        })
    }
}

impl<'a, E: Document + Sync> IntoFuture for AddEntry<'a, E> {
    type Output = Result<StreamId>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<StreamId>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<E> fmt::Debug for AddEntry<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddEntry").field("stream", &self.stream).field("id", &self.id).finish()
    }
}
