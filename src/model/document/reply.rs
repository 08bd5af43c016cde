//! Documents out of replies.

use alizarin_core::resp::{Frame, Reader};

use super::{Document, Order, RedisModel};
use crate::model::{ModelId as _, members};
use crate::{Error, FromReply, Result};

/// A document as `HGETALL` or `JSON.GET` give it; `None` when there is none. An error in it leaves
/// the replies behind it readable.
pub(crate) struct Loaded<M>(pub(crate) Result<Option<M>>);

impl<M: RedisModel> FromReply for Loaded<M> {
    #[inline]
    fn from_reply(reader: &mut Reader<'_>) -> Result<Loaded<M>> {
        let mut found = None;
        let outcome = load(reader, &mut found)?;
        Ok(Loaded(outcome.map(|()| found)))
    }
}

/// Leaves a document in `found`, as [`Loaded`] has it: models are large, and are moved little.
#[inline]
pub(crate) fn load<M: RedisModel>(
    reader: &mut Reader<'_>,
    found: &mut Option<M>,
) -> Result<Result<()>> {
    let start = reader.clone();
    let outcome = document(reader, found);
    if outcome.is_err() {
        if let Frame::Error(line) = start.peek()? {
            return Err(Error::server(line));
        }
        *reader = start;
        reader.skip()?;
    }
    Ok(outcome)
}

/// Leaves one document in `found`, of this struct or of one that it is upgraded from.
pub(crate) fn document<M: RedisModel>(
    reader: &mut Reader<'_>,
    found: &mut Option<M>,
) -> Result<()> {
    let start = reader.clone();
    let Err(error) = whole(reader, found) else { return Ok(()) };
    match upgraded(reader, start, ReplyForm::Document) {
        Some(hit) => *found = hit.map(|(document, _)| document),
        None => return Err(error),
    }
    Ok(())
}

/// What a reply holds one document in.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum ReplyForm {
    /// The reply to `HGETALL` or `JSON.GET`.
    Document,
    /// The fields of one of the results of `FT.SEARCH`.
    Hit,
}

/// A document and its vector's distance; `None` when it was gone.
#[doc(hidden)]
pub type Hit<M> = Option<(M, Option<f64>)>;

/// Reads once more, from `start`, what could not be read as an `M`: as what it is upgraded from.
/// `None`, and the reader stays where it is, where that is no better.
pub(crate) fn upgraded<'a, M: RedisModel>(
    reader: &mut Reader<'a>,
    start: Reader<'a>,
    form: ReplyForm,
) -> Option<Hit<M>> {
    let mut again = start;
    let mut found = M::earlier(&mut again, form)?.ok()?;
    if let Some((document, _)) = &mut found {
        after_load(document).ok()?;
    }
    *reader = again;
    Some(found)
}

fn whole<M: RedisModel>(reader: &mut Reader<'_>, found: &mut Option<M>) -> Result<()> {
    let mut partial = M::Partial::default();
    match reader.next()? {
        Frame::Null | Frame::Array(0) | Frame::Map(0) => return Ok(()),
        Frame::Bulk(value) => json::<M>(&mut partial, value)?,
        frame @ (Frame::Map(_) | Frame::Array(_)) => {
            let mut order = Order::of(frame.children() / 2);
            while order.go_on::<M, false>(&mut partial, reader)? {
                let (Ok(name), Ok(value)) = (reader.next_bytes()?, reader.next_bytes()?) else {
                    return Err(Error::decode("hash fields", "something else"));
                };
                order.accept::<M>(&mut partial, name, value)?;
            }
        }
        frame => return Err(Error::decode("a document", &frame.describe())),
    }
    after_load(found.insert(M::finish(partial)?))
}

/// The hook waits for the id, where that is still to come.
#[inline]
pub(crate) fn after_load<M: RedisModel>(model: &mut M) -> Result<()> {
    if M::KEYED { Ok(()) } else { model.hook_after_load() }
}

/// Gives a document the id of its key, where it does not hold its own.
///
/// # Errors
/// `Decode` when the key has no such id; that of the hook.
#[inline]
pub(crate) fn place<M: RedisModel>(model: &mut M, key: &[u8]) -> Result<()> {
    if M::KEYED {
        let first = M::SCHEMA.key.first().copied().unwrap_or_default();
        let key = std::str::from_utf8(key).ok();
        // Behind the last one: a namespace may hold the prefix too, and no id does.
        let id = key.and_then(|key| key.rsplit_once(first)).map(|(_, id)| id);
        let id = id.and_then(|id| M::Id::parse_id(id).ok());
        let lacking = || Error::decode("a key that ends in an id", "another one");
        model.set_id(id.ok_or_else(lacking)?);
        model.hook_after_load()?;
    }
    Ok(())
}

/// Takes a JSON document's members.
pub(crate) fn json<D: Document>(partial: &mut D::Partial, value: &[u8]) -> Result<()> {
    let json = std::str::from_utf8(value).map_err(|error| {
        Error::decode("a JSON document", "bytes that are not UTF-8").with_source(error)
    })?;
    members(json, |name, value| D::accept(partial, name.as_bytes(), value))
}
