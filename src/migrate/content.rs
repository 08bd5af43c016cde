//! What a document holds, before it is known which struct it is.

use alizarin_core::resp::{Frame, Packed, Reader};

use crate::model::{RedisModel, StoredValue, json};
use crate::{Error, ErrorKind, FromReply, Result};

/// A document's raw content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Hash(Vec<(Vec<u8>, Vec<u8>)>),
    Json(Vec<u8>),
}

impl Content {
    /// The struct, if it is one of these: by the fields that it needs.
    pub(crate) fn read<M: RedisModel>(&self) -> Result<M> {
        if M::KEYED {
            let message = format!(
                "{} keeps the id in the key alone, which migrations do not see",
                M::SCHEMA.layout.name()
            );
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let mut partial = M::Partial::default();
        match self {
            Content::Json(text) => json::<M>(&mut partial, text)?,
            Content::Hash(fields) => {
                for (name, value) in fields {
                    M::accept(&mut partial, name, StoredValue::Hash(value))?;
                }
            }
        }
        M::finish(partial)
    }

    /// A hash's fields that are the struct's. JSON is written as a whole, and has none to tell.
    fn fields_of<M: RedisModel>(&self) -> impl Iterator<Item = &Vec<u8>> {
        let fields = match self {
            Content::Hash(fields) => fields.as_slice(),
            Content::Json(_) => &[],
        };
        let of = |(name, value): &&(Vec<u8>, Vec<u8>)| {
            let mut partial = M::Partial::default();
            M::accept(&mut partial, name, StoredValue::Hash(value)).unwrap_or(true)
        };
        fields.iter().filter(of).map(|(name, _)| name)
    }

    /// A hash's fields that were `A`'s and are not among those that are written instead.
    pub(crate) fn left_over<A: RedisModel>(&self, written: &Packed) -> Vec<Vec<u8>> {
        let written: Vec<&[u8]> = written.arguments().step_by(2).collect();
        let left = |name: &&Vec<u8>| !written.contains(&name.as_slice());
        self.fields_of::<A>().filter(left).cloned().collect()
    }

    /// What a hash holds when these fields are gone and those are written.
    pub(crate) fn with(&self, gone: &[Vec<u8>], written: &Packed) -> Content {
        let mut fields = match self {
            Content::Hash(fields) => fields.clone(),
            Content::Json(_) => Vec::new(),
        };
        let words: Vec<&[u8]> = written.arguments().collect();
        let pairs =
            || words.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
        fields.retain(|(name, _)| {
            !gone.contains(name) && !pairs().any(|(other, _)| other == name.as_slice())
        });
        fields.extend(pairs().map(|(name, value)| (name.to_vec(), value.to_vec())));
        Content::Hash(fields)
    }
}

/// The content, as `HGETALL` and `JSON.GET` give it; `None` when there is no document.
#[derive(Debug)]
pub(crate) struct Found(pub(crate) Option<Content>);

impl FromReply for Found {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Found> {
        let content = match reader.next()? {
            Frame::Null | Frame::Array(0) | Frame::Map(0) => return Ok(Found(None)),
            Frame::Bulk(text) => Content::Json(text.to_vec()),
            frame @ (Frame::Map(_) | Frame::Array(_)) => {
                let mut fields = Vec::new();
                for _ in 0..frame.children() / 2 {
                    let (Ok(name), Ok(value)) = (reader.next_bytes()?, reader.next_bytes()?) else {
                        return Err(Error::decode("hash fields", "something else"));
                    };
                    fields.push((name.to_vec(), value.to_vec()));
                }
                Content::Hash(fields)
            }
            Frame::Error(line) => return Err(Error::server(line)),
            frame => return Err(Error::decode("a document", &frame.describe())),
        };
        Ok(Found(Some(content)))
    }
}
