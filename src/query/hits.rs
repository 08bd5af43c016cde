//! The reply to `FT.SEARCH`, in the shapes of both protocols.

use alizarin_core::resp::{Frame, Reader};

use crate::model::{
    Hit, Order, RedisModel, RedisProjection, ReplyForm, Storage, after_load, json, read_hit,
    upgraded,
};
use crate::repository::{Take, Whole};
use crate::{Error, ErrorKind, FromReply, Result, Sent};

/// The alias under which a vector's distance comes back.
pub(crate) const DISTANCE: &str = "__distance";

/// Documents that were found.
pub(crate) struct Hits<T: Take> {
    /// How many match, whether or not they are here.
    pub(crate) total: u64,
    /// Each with its vector's distance, where one was asked for.
    pub(crate) items: Vec<(T::Item, Option<f64>)>,
    /// How many were gone before they could be loaded.
    pub(crate) dropped: usize,
}

impl<T: Take> FromReply for Hits<T> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Hits<T>> {
        let mut items = Vec::new();
        let mut dropped = 0;
        let total = each(reader, Some(T::hit), |more, key, found| {
            make_room(&mut items, more);
            match found {
                Ok(found) => match found {
                    Some((item, _)) => {
                        T::place(item, key).map_err(|error| at_key(&error, key))?;
                        items.extend(found.take());
                    }
                    None => dropped += 1,
                },
                Err(error) => return Err(at_key(&error, key)),
            }
            Ok(())
        })?;
        Ok(Hits { total, items, dropped })
    }
}

/// The documents alone.
pub(crate) fn decode_hits<M: RedisModel>(reader: &mut Reader<'_>) -> Result<Vec<M>> {
    Ok(Hits::<Whole<M>>::from_reply(reader)?.items.into_iter().map(|(item, _)| item).collect())
}

/// Keys that were found.
pub(crate) struct Keys {
    pub(crate) total: u64,
    pub(crate) keys: Vec<Vec<u8>>,
}

/// Keys with the distances of their vectors, which alone were asked for.
pub(crate) struct Distances(pub(crate) Keys, pub(crate) Vec<Option<f64>>);

impl FromReply for Distances {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Distances> {
        let (mut keys, mut distances) = (Vec::new(), Vec::new());
        let total = each(reader, Some(distance), |more, key, found| {
            make_room(&mut keys, more);
            make_room(&mut distances, more);
            keys.push(key.to_vec());
            distances.push(*found?);
            Ok(())
        })?;
        Ok(Distances(Keys { total, keys }, distances))
    }
}

fn distance(reader: &mut Reader<'_>, distance: &mut Option<f64>) -> Result<()> {
    let Some(count) = pairs(reader)? else { return Ok(()) };
    for _ in 0..count {
        match text(reader)? {
            name if name == DISTANCE.as_bytes() => *distance = Some(f64::from_reply(reader)?),
            _ => reader.skip()?,
        }
    }
    Ok(())
}

impl FromReply for Keys {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Keys> {
        let mut keys = Vec::new();
        let total = each::<()>(reader, None, |more, key, _| {
            make_room(&mut keys, more);
            keys.push(key.to_vec());
            Ok(())
        })?;
        Ok(Keys { total, keys })
    }
}

/// How many hits are still to come, the present one included, and how many bytes of the reply.
type More = (usize, usize);

/// Makes room at once for those that are to come, but for no more bytes than they came in: else they
/// are moved each time that there are twice as many.
fn make_room<T>(items: &mut Vec<T>, (hits, bytes): More) {
    if items.capacity() == 0 {
        items.reserve(hits.min(bytes / size_of::<T>().max(1) + 1));
    }
}

/// The same error, naming the document.
pub(crate) fn at_key(error: &Error, key: &[u8]) -> Error {
    let message = format!("document `{}`: {}", String::from_utf8_lossy(key), error.message());
    let named = Error::new(error.kind(), message).with_sent(Sent::Yes);
    match error.field() {
        Some(field) => named.with_field(field),
        None => named,
    }
}

/// Reads a hit's fields, which it takes from the reader; leaves nothing when the document was gone.
type Read<T> = fn(&mut Reader<'_>, &mut Option<T>) -> Result<()>;

/// Takes what is to come, a hit's key and what was read of its fields. An error ends the reading.
type Then<'a, 'f, T> = dyn FnMut(More, &'a [u8], Result<&mut Option<T>>) -> Result<()> + 'f;

/// Calls `then` with each hit's key and what `read` made of its fields, if they were asked for;
/// gives the total.
fn each<'a, T>(
    reader: &mut Reader<'a>,
    read: Option<Read<T>>,
    mut then: impl FnMut(More, &'a [u8], Result<&mut Option<T>>) -> Result<()>,
) -> Result<u64> {
    match reader.next()? {
        Frame::Array(count) => flat(reader, count, read, &mut then),
        Frame::Map(count) => mapped(reader, count, read, &mut then),
        Frame::Error(line) => Err(Error::server(line)),
        frame => Err(Error::decode("search results", &frame.describe())),
    }
}

/// RESP2: total, key, fields, key, fields …
fn flat<'a, T>(
    reader: &mut Reader<'a>,
    count: usize,
    read: Option<Read<T>>,
    then: &mut Then<'a, '_, T>,
) -> Result<u64> {
    let total = u64::from_reply(reader)?;
    let (left, width) = (count.saturating_sub(1), if read.is_some() { 2 } else { 1 });
    if left % width != 0 {
        return Err(Error::decode("keys and their fields in turn", "a key without fields"));
    }
    for hits in (1..=left / width).rev() {
        let more = (hits, reader.rest().len());
        let key = text(reader)?;
        let mut found = None;
        let outcome = read.map_or(Ok(()), |read| read(reader, &mut found));
        then(more, key, outcome.map(|()| &mut found))?;
    }
    Ok(total)
}

/// RESP3: a map whose order differs from version to version.
fn mapped<'a, T>(
    reader: &mut Reader<'a>,
    count: usize,
    read: Option<Read<T>>,
    then: &mut Then<'a, '_, T>,
) -> Result<u64> {
    let mut total = 0;
    for _ in 0..count {
        match text(reader)? {
            b"total_results" => total = u64::from_reply(reader)?,
            b"results" => {
                let results = reader.next()?.children();
                for hits in (1..=results).rev() {
                    hit(reader, hits, read, then)?;
                }
            }
            b"warning" | b"warnings" => warnings(reader)?,
            _ => reader.skip()?,
        }
    }
    Ok(total)
}

/// One of RESP3's results.
fn hit<'a, T>(
    reader: &mut Reader<'a>,
    hits: usize,
    read: Option<Read<T>>,
    then: &mut Then<'a, '_, T>,
) -> Result<()> {
    let mut key: &[u8] = b"";
    let more = (hits, reader.rest().len());
    let (mut found, mut outcome) = (None, Ok(()));
    match reader.next()? {
        Frame::Map(count) => {
            for _ in 0..count {
                match part(reader)? {
                    b"id" => key = text(reader)?,
                    b"extra_attributes" => {
                        let start = reader.clone();
                        outcome = read.map_or(Ok(()), |read| read(reader, &mut found));
                        if read.is_none() || outcome.is_err() {
                            // The key, which the error is to name, may come behind it.
                            *reader = start;
                            reader.skip()?;
                        }
                    }
                    _ => reader.skip()?,
                }
            }
        }
        Frame::Null => {}
        frame => return Err(Error::decode("a search result", &frame.describe())),
    }
    then(more, key, outcome.map(|()| &mut found))
}

/// The name of a hit's part: mostly one of these lines.
#[inline(always)]
fn part<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    if reader.take(b"+extra_attributes\r\n") {
        Ok(b"extra_attributes")
    } else if reader.take(b"+id\r\n") {
        Ok(b"id")
    } else if reader.take(b"+values\r\n") {
        Ok(b"values")
    } else {
        text(reader)
    }
}

/// A search that ran out of time gives what it had: that is an error here.
pub(crate) fn warnings(reader: &mut Reader<'_>) -> Result<()> {
    let count = reader.next()?.children();
    for _ in 0..count {
        if let Frame::Bulk(bytes) | Frame::Verbatim(_, bytes) = peek_text(reader)? {
            check_warning(&String::from_utf8_lossy(bytes))?;
        }
        reader.skip()?;
    }
    Ok(())
}

fn peek_text<'a>(reader: &Reader<'a>) -> Result<Frame<'a>> {
    Ok(match reader.peek()? {
        Frame::Simple(text) => Frame::Bulk(text.as_bytes()),
        frame => frame,
    })
}

fn check_warning(text: &str) -> Result<()> {
    if text.to_ascii_lowercase().contains("timeout") {
        let message = format!("the results are incomplete: {text}");
        return Err(Error::new(ErrorKind::Timeout, message).with_sent(Sent::Yes));
    }
    Ok(())
}

/// Leaves a document, of this struct or of one that it is upgraded from, and its vector's distance in
/// `hit`; nothing when it was gone.
pub(crate) fn whole<M: RedisModel>(reader: &mut Reader<'_>, hit: &mut Hit<M>) -> Result<()> {
    let start = reader.clone();
    let Err(error) = current(reader, hit) else { return Ok(()) };
    *hit = upgraded(reader, start, ReplyForm::Hit).ok_or(error)?;
    Ok(())
}

fn current<M: RedisModel>(reader: &mut Reader<'_>, hit: &mut Hit<M>) -> Result<()> {
    let Some(count) = pairs(reader)? else { return Ok(()) };
    let mut partial = M::Partial::default();
    let mut distance = None;
    let mut found = false;
    let mut order = Order::of(count);
    while match M::SCHEMA.storage {
        Storage::Hash if reader.rest().first() == Some(&b'+') => {
            order.go_on::<M, true>(&mut partial, reader)?
        }
        Storage::Hash => order.go_on::<M, false>(&mut partial, reader)?,
        Storage::Json => order.count_down(),
    } {
        let name = text(reader)?;
        if name == DISTANCE.as_bytes() {
            distance = Some(f64::from_reply(reader)?);
            continue;
        }
        let value = match reader.next_bytes()? {
            Ok(value) => value,
            Err(frame) => {
                reader.skip_many(frame.children())?;
                continue;
            }
        };
        match M::SCHEMA.storage {
            Storage::Hash => {
                found = true;
                order.accept::<M>(&mut partial, name, value)?;
            }
            // The rest of a JSON hit is what it was sorted by.
            Storage::Json if name == b"$" => {
                found = true;
                json::<M>(&mut partial, value)?;
            }
            Storage::Json => {}
        }
    }
    if !found && !order.has_begun() {
        return Ok(());
    }
    let (document, _) = hit.insert((M::finish(partial)?, distance));
    after_load(document)
}

/// Leaves a projection and its vector's distance in `hit`; nothing when the document was gone.
pub(crate) fn projected<P: RedisProjection>(
    reader: &mut Reader<'_>,
    hit: &mut Option<(P, Option<f64>)>,
) -> Result<()> {
    let Some(count) = pairs(reader)? else { return Ok(()) };
    let mut distance = None;
    let found = read_hit(reader, count, |name, reader| {
        if name != DISTANCE.as_bytes() {
            return Ok(false);
        }
        distance = Some(f64::from_reply(reader)?);
        Ok(true)
    })?;
    *hit = found.map(|found| (found, distance));
    Ok(())
}

/// How many names with values follow; `None` when the document was gone.
fn pairs(reader: &mut Reader<'_>) -> Result<Option<usize>> {
    match reader.next()? {
        Frame::Map(count) => Ok(Some(count)),
        Frame::Array(count) => Ok(Some(count / 2)),
        frame => {
            reader.skip_many(frame.children())?;
            Ok(None)
        }
    }
}

fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    match reader.next_bytes()? {
        Ok(bytes) => Ok(bytes),
        Err(Frame::Error(line)) => Err(Error::server(line)),
        Err(frame) => Err(Error::decode("a name", &frame.describe())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::sample::Film;

    fn read(reply: &[u8]) -> Result<Hits<Whole<Film>>> {
        Hits::from_reply(&mut Reader::new(reply))
    }

    #[test]
    fn both_protocols_in_any_order_and_hits_that_vanished() {
        let resp2 = b"*5\r\n:2\r\n$1\r\na\r\n*4\r\n$2\r\nid\r\n$1\r\n7\r\n$10\r\n__distance\r\n$3\r\n0.5\r\n$1\r\nb\r\n*-1\r\n";
        let resp3 = b"%3\r\n+warning\r\n*0\r\n+results\r\n*2\r\n\
            %2\r\n+extra_attributes\r\n%2\r\n$10\r\n__distance\r\n$3\r\n0.5\r\n$2\r\nid\r\n$1\r\n7\r\n+id\r\n$1\r\na\r\n\
            %2\r\n+id\r\n$1\r\nb\r\n+extra_attributes\r\n_\r\n+total_results\r\n:2\r\n";
        for reply in [&resp2[..], resp3] {
            let hits = read(reply).unwrap();
            assert_eq!((hits.total, hits.dropped), (2, 1));
            assert_eq!(hits.items, [(Film { id: 7 }, Some(0.5))]);
        }
    }

    #[test]
    fn a_document_that_does_not_parse_is_named() {
        let error =
            read(b"*3\r\n:1\r\n$6\r\nfilm:1\r\n*2\r\n$2\r\nid\r\n$1\r\nx\r\n").err().unwrap();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("id")));
        assert!(error.message().contains("`film:1`"), "{error}");
    }

    #[test]
    fn results_cut_short_by_the_time_limit_are_an_error() {
        let error = read(b"%1\r\n+warning\r\n*1\r\n+Timeout limit was reached\r\n").err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }

    #[test]
    fn hostile_replies_are_errors_not_panics() {
        for reply in [
            &b"*0\r\n"[..],
            b":1\r\n",
            b"*2\r\n:1\r\n:2\r\n",
            b"%1\r\n+results\r\n*1\r\n:1\r\n",
            b"-nope: no such index\r\n",
        ] {
            assert!(read(reply).is_err());
        }
        assert_eq!(read(b"%1\r\n+results\r\n*1\r\n_\r\n").unwrap().dropped, 1);
    }
}
