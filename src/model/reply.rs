//! Documents out of the server's replies.

use alizarin_core::resp::{Frame, Reader};

use super::{RedisModel, StoredValue, stored::members};
use crate::{Error, FromReply, Result};

/// A document of which a part was read.
pub(crate) struct Unfinished<M: RedisModel>(M::Partial);

impl<M: RedisModel> Unfinished<M> {
    /// Nothing was read yet.
    pub(crate) fn new() -> Unfinished<M> {
        Unfinished(M::Partial::default())
    }

    /// Takes one field of a hash.
    ///
    /// # Errors
    /// `Decode`, naming the field that does not parse.
    pub(crate) fn hash_field(&mut self, name: &[u8], value: &[u8]) -> Result<()> {
        // The names of a model's fields are UTF-8: others are not its.
        match std::str::from_utf8(name) {
            Ok(name) => M::accept(&mut self.0, name, StoredValue::Hash(value)).map(drop),
            Err(_) => Ok(()),
        }
    }

    /// Takes a whole JSON document.
    ///
    /// # Errors
    /// `Decode`, naming the field that does not parse.
    pub(crate) fn json(&mut self, text: &[u8]) -> Result<()> {
        let text = std::str::from_utf8(text).map_err(|error| {
            Error::decode("a JSON document", "bytes that are not UTF-8").with_source(error)
        })?;
        members(text, |name, value| M::accept(&mut self.0, name, value))
    }

    /// The document.
    ///
    /// # Errors
    /// `Decode`, naming a field that is missing and has no default.
    pub(crate) fn finish(self) -> Result<M> {
        M::finish(self.0)
    }
}

/// A document as `HGETALL` or `JSON.GET` give it; `None` when there is none.
///
/// What does not parse is kept inside, so that the key can be named.
pub(crate) struct Loaded<M>(pub(crate) Result<Option<M>>);

impl<M: RedisModel> FromReply for Loaded<M> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Loaded<M>> {
        if let Frame::Error(line) = reader.peek()? {
            return Err(Error::server(line));
        }
        let mut document = reader.clone();
        reader.skip()?;
        Ok(Loaded(decode(&mut document)))
    }
}

fn decode<M: RedisModel>(reader: &mut Reader<'_>) -> Result<Option<M>> {
    let mut document = Unfinished::<M>::new();
    match reader.next()? {
        Frame::Null | Frame::Array(0) | Frame::Map(0) => return Ok(None),
        Frame::Bulk(text) => document.json(text)?,
        frame @ (Frame::Map(_) | Frame::Array(_)) => {
            for _ in 0..frame.children() / 2 {
                let (Frame::Bulk(name), Frame::Bulk(value)) = (reader.next()?, reader.next()?)
                else {
                    return Err(Error::decode("hash fields", "something else"));
                };
                document.hash_field(name, value)?;
            }
        }
        frame => return Err(Error::decode("a document", &frame.describe())),
    }
    document.finish().map(Some)
}
