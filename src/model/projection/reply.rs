//! Projections out of replies.

use alizarin_core::resp::{Frame, Reader};
use serde_json::value::RawValue;

use super::{RedisProjection, Shape};
use crate::model::{RedisModel, Storage, StoredValue, members};
use crate::{Error, FromReply, Result};

/// A projection as `HMGET` or `JSON.GET` give it; `None` when there is no document. An error in it
/// leaves the replies behind it readable.
pub(crate) struct Picked<P>(pub(crate) Result<Option<P>>);

impl<P: RedisProjection> FromReply for Picked<P> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Picked<P>> {
        let start = reader.clone();
        let picked = document(reader);
        if picked.is_err() {
            if let Frame::Error(line) = start.peek()? {
                return Err(Error::server(line));
            }
            *reader = start;
            reader.skip()?;
        }
        Ok(Picked(picked))
    }
}

/// What was read so far.
struct Picking<P: RedisProjection> {
    shape: &'static Shape,
    partial: P::Partial,
    found: bool,
}

impl<P: RedisProjection> Picking<P> {
    fn new() -> Picking<P> {
        Picking { shape: P::shape(), partial: P::Partial::default(), found: false }
    }

    /// Takes the value under the name `at`.
    fn take(&mut self, at: usize, value: StoredValue<'_>) -> Result<()> {
        self.found = true;
        self.shape.route(at, |column, rest| P::accept(&mut self.partial, column, rest, value))
    }

    /// Takes what a JSON path leads to: an array of one, or of none.
    fn take_matches(&mut self, at: usize, matches: &str) -> Result<()> {
        let matches: Vec<&RawValue> = serde_json::from_str(matches).map_err(|error| {
            Error::decode("an array of what a path leads to", "other JSON").with_source(error)
        })?;
        match matches.first() {
            Some(value) => self.take(at, StoredValue::Json(value.get())),
            None => Ok(()),
        }
    }

    fn finish(self) -> Result<Option<P>> {
        self.found.then(|| P::finish(self.partial)).transpose()
    }
}

fn document<P: RedisProjection>(reader: &mut Reader<'_>) -> Result<Option<P>> {
    let mut picking = Picking::<P>::new();
    match reader.next()? {
        Frame::Null => return Ok(None),
        Frame::Array(count) => {
            for at in 0..count {
                match reader.next_bytes()? {
                    Ok(value) => picking.take(at, StoredValue::Hash(value))?,
                    Err(Frame::Null) => {}
                    Err(frame) => return Err(Error::decode("hash fields", &frame.describe())),
                }
            }
        }
        Frame::Bulk(json) => {
            let json = utf8(json)?;
            // One path alone gives what it leads to; several give an object of these.
            if picking.shape.names().len() == 1 {
                picking.take_matches(0, json)?;
            } else {
                members(json, |name, value| {
                    let (Some(at), StoredValue::Json(matches)) =
                        (picking.shape.position(name.as_bytes()), value)
                    else {
                        return Ok(false);
                    };
                    picking.take_matches(at, matches).map(|()| true)
                })?;
            }
        }
        frame => return Err(Error::decode("fields of a document", &frame.describe())),
    }
    picking.finish()
}

/// Reads the `count` pairs of a search's hit; `other` takes those that are no field of the
/// projection, and says whether it knew them.
pub(crate) fn read_hit<P: RedisProjection>(
    reader: &mut Reader<'_>,
    count: usize,
    mut other: impl FnMut(&[u8], &mut Reader<'_>) -> Result<bool>,
) -> Result<Option<P>> {
    let mut picking = Picking::<P>::new();
    for _ in 0..count {
        let name = match reader.next_bytes()? {
            Ok(name) => name,
            Err(frame) => return Err(Error::decode("a name", &frame.describe())),
        };
        let Some(at) = picking.shape.position(name) else {
            if !other(name, reader)? {
                reader.skip()?;
            }
            continue;
        };
        match (reader.next_bytes()?, <P::Model as RedisModel>::SCHEMA.storage) {
            (Ok(value), Storage::Hash) => picking.take(at, StoredValue::Hash(value))?,
            (Ok(matches), Storage::Json) => picking.take_matches(at, utf8(matches)?)?,
            (Err(frame), _) => reader.skip_many(frame.children())?,
        }
    }
    picking.finish()
}

fn utf8(json: &[u8]) -> Result<&str> {
    std::str::from_utf8(json).map_err(|error| {
        Error::decode("a JSON document", "bytes that are not UTF-8").with_source(error)
    })
}
