//! Several documents in one pipeline, each left where it stays as it is read.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use alizarin_core::command::{Batch, Encoded, Replies, each};
use alizarin_core::resp::Reader;

use super::get::at_key;
use super::take::Take;
use crate::{Client, Error, Result};

/// Reads several documents in one pipeline.
pub(crate) async fn load_page<T: Take>(
    client: &Client,
    keys: &[impl AsRef<[u8]> + Sync],
) -> Result<Vec<Option<T::Item>>> {
    load_behind::<T>(client, keys, Vec::with_capacity(keys.len())).await
}

/// The same, behind what was `found` before.
pub(super) async fn load_behind<T: Take>(
    client: &Client,
    keys: &[impl AsRef<[u8]> + Sync],
    found: Vec<Option<T::Item>>,
) -> Result<Vec<Option<T::Item>>> {
    if keys.is_empty() {
        return Ok(found);
    }
    let found = Cell::new(found);
    client.pipeline(Reads::<'_, T, _> { keys, found, take: PhantomData }).await
}

/// The documents at these keys, behind others. A model may be large: it is not moved through lists of
/// its own.
struct Reads<'k, T: Take, K> {
    keys: &'k [K],
    found: Cell<Vec<Option<T::Item>>>,
    take: PhantomData<fn() -> T>,
}

impl<T: Take, K: AsRef<[u8]>> Batch for Reads<'_, T, K> {
    type Reply = Vec<Option<T::Item>>;
    type Replies = Self;

    fn encode(self, out: &mut Encoded) -> Self {
        let _ = each(self.keys.iter().map(|key| T::read(key.as_ref()))).encode(out);
        self
    }
}

impl<T: Take, K: AsRef<[u8]>> Replies for Reads<'_, T, K> {
    type Reply = Vec<Option<T::Item>>;

    /// The first document that fails is the error.
    fn decode(&self, _commands: &Encoded, reader: &mut Reader<'_>) -> Result<Self::Reply> {
        let mut documents = self.found.take();
        for key in self.keys {
            let key = key.as_ref();
            let failed = |error: Error| at_key(error, &String::from_utf8_lossy(key));
            let place = documents.len();
            documents.push(None);
            let Some(found) = documents.get_mut(place) else { continue };
            T::decode(reader, found).and_then(|outcome| outcome).map_err(failed)?;
            if let Some(document) = found {
                T::place(document, key).map_err(failed)?;
            }
        }
        Ok(documents)
    }
}

impl<T: Take, K> fmt::Debug for Reads<'_, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reads").field("keys", &self.keys.len()).finish()
    }
}
