//! Entries, as they are written and read.

use alizarin_core::resp::{Frame, Packed, Reader};

use super::StreamId;
use crate::model::{Document, DocumentWriter, Storage, StoredValue};
use crate::{Error, ErrorKind, FromReply, Result};

/// An entry that was read.
///
/// One that is no `E`, or has been deleted since a consumer got it (`NotFound`), does not stop those
/// behind it: its `value` is the error.
#[derive(Debug)]
#[non_exhaustive]
pub struct Entry<E> {
    /// Its place in the stream.
    pub id: StreamId,
    /// The entry itself.
    pub value: Result<E>,
}

/// The entry's fields and values.
pub(super) fn write<E: Document>(entry: &E) -> Result<Packed> {
    let mut writer = DocumentWriter::new(Storage::Hash);
    writer.document(entry)?;
    let (set, _) = writer.into_hash();
    if set.argc() == 0 {
        return Err(Error::new(ErrorKind::Value, "an entry without any field cannot be stored"));
    }
    Ok(set)
}

/// The entries in a reply of `XRANGE` and its like.
pub(super) struct Entries<E>(pub(super) Vec<Entry<E>>);

impl<E: Document> FromReply for Entries<E> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Entries<E>> {
        let count = match reader.next()? {
            Frame::Array(count) => count,
            Frame::Null => 0,
            Frame::Error(line) => return Err(Error::server(line)),
            frame => return Err(Error::decode("entries", &frame.describe())),
        };
        let mut entries = Vec::new();
        for _ in 0..count {
            match reader.next()? {
                Frame::Array(2) => {}
                // What `XAUTOCLAIM` gave for deleted entries before Redis 7.
                Frame::Null => continue,
                frame => return Err(Error::decode("an id and fields", &frame.describe())),
            }
            let id = StreamId::from_reply(reader)?;
            // Fields that are no `E` are passed over as a whole.
            let mut inside = reader.clone();
            reader.skip()?;
            entries.push(Entry { id, value: read(&mut inside, id) });
        }
        Ok(Entries(entries))
    }
}

fn read<E: Document>(reader: &mut Reader<'_>, id: StreamId) -> Result<E> {
    let at = |error: Error| {
        let message = format!("entry {id}: {}", error.message());
        let named = Error::new(error.kind(), message).with_sent(error.sent());
        let named = match error.field() {
            Some(field) => named.with_field(field),
            None => named,
        };
        named.with_source(error)
    };
    let frame = reader.next()?;
    let (Frame::Array(_) | Frame::Map(_)) = frame else {
        return Err(match frame {
            Frame::Null => {
                at(Error::new(ErrorKind::NotFound, "it has been deleted since it was read"))
            }
            frame => at(Error::decode("fields", &frame.describe())),
        });
    };
    let mut partial = E::Partial::default();
    for _ in 0..frame.children() / 2 {
        let (Ok(name), Ok(value)) = (reader.next_bytes()?, reader.next_bytes()?) else {
            return Err(at(Error::decode("fields", "something else")));
        };
        E::accept(&mut partial, name, StoredValue::Hash(value)).map_err(at)?;
    }
    E::finish(partial).map_err(at)
}

/// The entries of the one stream that `XREAD` was asked for: nothing, a map (RESP3), or a list of
/// pairs.
pub(super) struct OneStream<E>(pub(super) Vec<Entry<E>>);

impl<E: Document> FromReply for OneStream<E> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<OneStream<E>> {
        match reader.next()? {
            Frame::Null | Frame::Array(0) | Frame::Map(0) => return Ok(OneStream(Vec::new())),
            Frame::Map(1) => {}
            Frame::Array(1) => match reader.next()? {
                Frame::Array(2) => {}
                frame => return Err(Error::decode("a stream and its entries", &frame.describe())),
            },
            Frame::Error(line) => return Err(Error::server(line)),
            frame => return Err(Error::decode("one stream", &frame.describe())),
        }
        reader.skip()?;
        Entries::from_reply(reader).map(|Entries(entries)| OneStream(entries))
    }
}
