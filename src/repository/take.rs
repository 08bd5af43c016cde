//! What is read of each document: all of it, or a projection.

use std::fmt;
use std::marker::PhantomData;

use alizarin_core::commands;
use alizarin_core::resp::{Packed, Reader};

use crate::model::{Picked, RedisModel, RedisProjection, Shape, Storage, load, place};
use crate::query::hits;
use crate::{Command, FromReply, Result};

/// What a read takes of each document: [`Whole`], or [`Only`] a projection. Not for use by hand.
pub trait Take: sealed::Sealed + Send + Sync + 'static {
    /// The documents' model.
    type Model: RedisModel;

    /// What is given for each.
    type Item: Send + 'static;

    /// The command that reads one document.
    #[doc(hidden)]
    fn read(key: &[u8]) -> Command<Taken<Self>>
    where
        Self: Sized;

    /// Leaves what the reply to it holds in `found`; an error in the document leaves the replies
    /// behind it readable.
    #[doc(hidden)]
    fn decode(reader: &mut Reader<'_>, found: &mut Option<Self::Item>) -> Result<Result<()>>;

    /// Leaves a hit of a search, and its vector's distance, in `found`; nothing when it was gone.
    #[doc(hidden)]
    fn hit(reader: &mut Reader<'_>, found: &mut Option<(Self::Item, Option<f64>)>) -> Result<()>;

    /// Gives the item what only the document's key holds.
    ///
    /// # Errors
    /// `Decode` when the item takes its id from the key, and the key has none.
    #[doc(hidden)]
    fn place(_item: &mut Self::Item, _key: &[u8]) -> Result<()> {
        Ok(())
    }

    /// The fields, where not the whole document is wanted.
    #[doc(hidden)]
    fn shape() -> Option<&'static Shape>;
}

mod sealed {
    pub trait Sealed {}
}

/// Whole documents: what reads take unless `project` says otherwise.
pub struct Whole<M>(PhantomData<fn() -> M>);

/// Only the fields of a projection: what `project` makes of a read.
pub struct Only<P>(PhantomData<fn() -> P>);

impl<M> sealed::Sealed for Whole<M> {}
impl<P> sealed::Sealed for Only<P> {}

/// What was read of one document; `None` when there is none.
#[doc(hidden)]
pub struct Taken<T: Take>(pub(crate) Result<Option<T::Item>>);

impl<T: Take> fmt::Debug for Taken<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Taken")
    }
}

impl<T: Take> FromReply for Taken<T> {
    #[inline]
    fn from_reply(reader: &mut Reader<'_>) -> Result<Taken<T>> {
        let mut found = None;
        let outcome = T::decode(reader, &mut found)?;
        Ok(Taken(outcome.map(|()| found)))
    }
}

impl<M: RedisModel> Take for Whole<M> {
    type Model = M;
    type Item = M;

    fn read(key: &[u8]) -> Command<Taken<Self>> {
        match M::SCHEMA.storage {
            Storage::Hash => commands::hgetall(key),
            Storage::Json => commands::json_get(key, ()),
        }
    }

    #[inline]
    fn decode(reader: &mut Reader<'_>, found: &mut Option<M>) -> Result<Result<()>> {
        load(reader, found)
    }

    fn hit(reader: &mut Reader<'_>, found: &mut Option<(M, Option<f64>)>) -> Result<()> {
        hits::whole(reader, found)
    }

    fn place(item: &mut M, key: &[u8]) -> Result<()> {
        place(item, key)
    }

    fn shape() -> Option<&'static Shape> {
        None
    }
}

impl<P: RedisProjection> Take for Only<P> {
    type Model = P::Model;
    type Item = P;

    fn read(key: &[u8]) -> Command<Taken<Self>> {
        let name = match P::Model::SCHEMA.storage {
            Storage::Hash => "HMGET",
            Storage::Json => "JSON.GET",
        };
        let mut command = Command::new(name).key(key);
        for name in P::shape().names() {
            command.packed_mut().push(name.as_bytes());
        }
        command
    }

    fn decode(reader: &mut Reader<'_>, found: &mut Option<P>) -> Result<Result<()>> {
        let Picked(picked) = Picked::from_reply(reader)?;
        Ok(picked.map(|picked| *found = picked))
    }

    fn hit(reader: &mut Reader<'_>, found: &mut Option<(P, Option<f64>)>) -> Result<()> {
        hits::projected(reader, found)
    }

    fn shape() -> Option<&'static Shape> {
        Some(P::shape())
    }
}

/// Whether a search gives everything that is wanted, exactly as it is stored.
pub(crate) fn is_found_exactly<T: Take>() -> bool {
    T::shape().is_none_or(Shape::is_exact_in_search)
}

/// Appends what a search is to give of each document, and `more`; the dialect has to be
/// [`dialect`].
pub(crate) fn write_return<T: Take>(out: &mut Packed, more: Option<&str>) {
    let Some(shape) = T::shape() else { return };
    out.push(b"RETURN");
    out.push_int(shape.names().len() + usize::from(more.is_some()));
    for name in shape.names().chain(more) {
        out.push(name.as_bytes());
    }
}

/// The dialect in which a search gives values as they are: JSON needs the third.
pub(crate) fn dialect<T: Take>() -> &'static str {
    match (T::shape(), T::Model::SCHEMA.storage) {
        (Some(_), Storage::Json) => "3",
        _ => "2",
    }
}

impl<M> fmt::Debug for Whole<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Whole")
    }
}

impl<P> fmt::Debug for Only<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Only")
    }
}
