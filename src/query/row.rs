//! Rows of an aggregation, and the types they decode into.

use std::borrow::Cow;
use std::fmt;

use alizarin_core::resp::{Frame, Reader};

use crate::model::{Attribute, FieldSchema, IndexKind, RedisValue};
use crate::{Error, ErrorKind, Result};

/// A struct that holds one row of an aggregation; made by `#[derive(RedisRow)]`.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// #[derive(RedisRow)]
/// struct ByDirector {
///     /// An `Option`: films without a director are a group, too.
///     director: Option<String>,
///     #[redis(rename = "list_title")]
///     titles: Vec<String>,
/// }
///
/// let groups = films.aggregate(|f| f.year.eq(1980)).group_by(|f| f.director);
/// let rows: Vec<ByDirector> = groups.reduce(|f| f.title.to_list()).rows().await?;
/// assert_eq!((&rows[0].director, &rows[0].titles[..]), (&None, &["Airplane!".to_owned()][..]));
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row",
    note = "add `#[derive(RedisRow)]` to the struct"
)]
pub trait RedisRow: Sized {
    /// The columns it needs.
    const COLUMNS: &'static [&'static str];

    /// Takes its columns out of a row. Called by [`Rows::all`](super::Rows::all).
    ///
    /// # Errors
    /// `Decode`, naming the column that is missing or does not parse.
    fn from_row(row: &mut Row<'_>) -> Result<Self>;
}

/// What a column can be: every field type; a list for `to_list`, an `Option` for what may be
/// missing.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::query::{Cell, RowValue};
///
/// let cell = Cell::Bytes(b"8.5".into());
/// assert_eq!(f64::from_cell(Some(&cell))?, 8.5);
/// assert_eq!(Option::<f64>::from_cell(None)?, None);
/// # Ok::<(), alizarin::Error>(())
/// ```
pub trait RowValue: Sized {
    /// Reads a column; `None` where the row has no value for it.
    ///
    /// # Errors
    /// `Decode` when there is no such value.
    fn from_cell(cell: Option<&Cell<'_>>) -> Result<Self>;
}

/// One row as it was read: names and values.
///
/// Most programs never see one. It serves a [`RedisRow`] written by hand:
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::query::{RedisRow, Row};
///
/// struct Decade(i32);
///
/// impl RedisRow for Decade {
///     const COLUMNS: &'static [&'static str] = &["year"];
///
///     fn from_row(row: &mut Row<'_>) -> Result<Decade> {
///         Ok(Decade(row.take::<i32>("year")? / 10 * 10))
///     }
/// }
///
/// # alizarin_samples::films(async |films| {
/// let years = films.aggregate(|f| f.year.lt(1980)).group_by(|f| f.year).reduce(|_| count());
/// let decades: Vec<Decade> = years.rows().await?;
/// assert_eq!(decades[0].0, 1970);
/// # Ok(()) });
/// ```
pub struct Row<'a> {
    columns: Vec<(&'a [u8], Cell<'a>)>,
}

/// One value of a row.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::query::{Cell, RowValue};
///
/// let list = Cell::List(vec![b"Alien".into(), b"Blade Runner".into()]);
/// assert_eq!(Vec::<String>::from_cell(Some(&list))?, ["Alien", "Blade Runner"]);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Cell<'a> {
    /// Text or a number as text.
    Bytes(Cow<'a, [u8]>),
    /// What `to_list` collected.
    List(Vec<Cow<'a, [u8]>>),
}

impl<'a> Row<'a> {
    /// Takes the column `name`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::query::{RedisRow, Row};
    ///
    /// struct Named(String);
    ///
    /// impl RedisRow for Named {
    ///     const COLUMNS: &'static [&'static str] = &["title"];
    ///
    ///     fn from_row(row: &mut Row<'_>) -> Result<Named> {
    ///         row.take("title").map(Named)
    ///     }
    /// }
    /// # alizarin_samples::films(async |films| {
    /// # let titles = films.aggregate(|f| f.year.lt(1980)).group_by(|f| f.title);
    /// # assert_eq!(titles.reduce(|_| count()).rows::<Named>().await?[0].0, "Alien");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Decode`, naming the column.
    pub fn take<T: RowValue>(&mut self, name: &str) -> Result<T> {
        T::from_cell(self.cell(name)).map_err(|error| error.with_field(name))
    }

    /// The column `name`, where the row has a value for it.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::query::{RedisRow, Row};
    ///
    /// /// Whether the group has a director.
    /// struct Known(bool);
    ///
    /// impl RedisRow for Known {
    ///     const COLUMNS: &'static [&'static str] = &["director"];
    ///
    ///     fn from_row(row: &mut Row<'_>) -> Result<Known> {
    ///         Ok(Known(row.cell("director").is_some()))
    ///     }
    /// }
    /// # alizarin_samples::films(async |films| {
    /// # let groups = films.aggregate(|f| f.year.le(1980)).group_by(|f| f.director);
    /// # let mut known: Vec<Known> = groups.reduce(|_| count()).rows().await?;
    /// # known.sort_by_key(|known| known.0);
    /// # assert_eq!((known[0].0, known[1].0), (false, true));
    /// # Ok(()) });
    /// ```
    pub fn cell(&self, name: &str) -> Option<&Cell<'a>> {
        let mut columns = self.columns.iter();
        columns.find(|(column, _)| *column == name.as_bytes()).map(|(_, cell)| cell)
    }

    /// Reads one row: a map (RESP3), or names and values in turn (RESP2).
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Row<'a>> {
        let count = match reader.next()? {
            Frame::Map(count) => count,
            Frame::Array(count) => count / 2,
            Frame::Error(line) => return Err(Error::server(line)),
            frame => return Err(Error::decode("a row", &frame.describe())),
        };
        let mut columns = Vec::new();
        for _ in 0..count {
            let name = match reader.next()? {
                Frame::Bulk(name) => name,
                Frame::Simple(name) => name.as_bytes(),
                frame => return Err(Error::decode("a column's name", &frame.describe())),
            };
            if let Some(cell) = Cell::read(reader)? {
                columns.push((name, cell));
            }
        }
        Ok(Row { columns })
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns.iter().map(|(name, cell)| (String::from_utf8_lossy(name), cell));
        f.debug_map().entries(columns).finish()
    }
}

impl<'a> Cell<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Option<Cell<'a>>> {
        let count = match reader.peek()? {
            Frame::Array(count) | Frame::Set(count) => count,
            _ => return Ok(scalar(reader)?.map(Cell::Bytes)),
        };
        reader.next()?;
        let mut list = Vec::new();
        for _ in 0..count {
            list.extend(scalar(reader)?);
        }
        Ok(Some(Cell::List(list)))
    }
}

/// A value that is no list; `None` for null.
fn scalar<'a>(reader: &mut Reader<'a>) -> Result<Option<Cow<'a, [u8]>>> {
    Ok(Some(match reader.next()? {
        Frame::Null => return Ok(None),
        Frame::Bulk(bytes) | Frame::Verbatim(_, bytes) => Cow::Borrowed(bytes),
        Frame::Simple(text) | Frame::BigNumber(text) => Cow::Borrowed(text.as_bytes()),
        Frame::Integer(value) => Cow::Owned(value.to_string().into_bytes()),
        Frame::Double(value) => Cow::Owned(value.to_string().into_bytes()),
        Frame::Boolean(value) => Cow::Borrowed(if value { b"true" } else { b"false" }),
        Frame::Error(line) => return Err(Error::server(line)),
        frame => return Err(Error::decode("a value", &frame.describe())),
    }))
}

/// How a row's lists are handed to `RedisValue`: as a TAG field's, joined by a separator.
const LIST: FieldSchema = FieldSchema {
    attributes: &[Attribute::plain(IndexKind::Tag {
        separator: '\u{1f}',
        case_sensitive: true,
        suffix_trie: false,
    })],
    many: true,
    ..PLAIN
};

/// Any other value.
const PLAIN: FieldSchema = FieldSchema::plain("");

/// A value that is no list.
fn plain<T: RedisValue>(bytes: &[u8]) -> Result<T> {
    let error = match T::from_hash(bytes, &PLAIN) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // The server's own words for what is neither text nor number: the mean of nothing, and the
    // booleans of a JSON document.
    match bytes {
        b"nan" | b"-nan" => T::absent().ok_or(error),
        b"0" => T::from_hash(b"false", &PLAIN).map_err(|_| error),
        b"1" => T::from_hash(b"true", &PLAIN).map_err(|_| error),
        _ => Err(error),
    }
}

impl<T: RedisValue> RowValue for T {
    fn from_cell(cell: Option<&Cell<'_>>) -> Result<T> {
        match cell {
            None => T::absent().ok_or_else(|| {
                Error::new(ErrorKind::Decode, "the row has no value; an `Option` can hold that")
            }),
            Some(Cell::Bytes(bytes)) if T::MANY => T::from_hash(bytes, &LIST),
            Some(Cell::Bytes(bytes)) => plain(bytes),
            Some(Cell::List(list)) if T::MANY => {
                if list.iter().any(|item| item.contains(&0x1f)) {
                    return Err(Error::decode("list elements", "one that holds U+001F"));
                }
                T::from_hash(&list.join(&0x1f_u8), &LIST)
            }
            Some(Cell::List(_)) => Err(Error::decode("one value", "a list; take it as a `Vec`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_decode_by_name_in_both_protocols() {
        let resp2 = b"*10\r\n$1\r\nn\r\n$1\r\n3\r\n$1\r\nl\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nx\r\n$-1\r\n$1\r\nm\r\n$3\r\nnan\r\n$1\r\nb\r\n$1\r\n1\r\n";
        let resp3 = b"%5\r\n$1\r\nb\r\n$1\r\n1\r\n$1\r\nm\r\n$3\r\nnan\r\n$1\r\nx\r\n_\r\n$1\r\nl\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nn\r\n$1\r\n3\r\n";
        for reply in [&resp2[..], resp3] {
            let mut row = Row::read(&mut Reader::new(reply)).unwrap();
            assert_eq!(row.take::<u64>("n").unwrap(), 3);
            assert_eq!(row.take::<f64>("n").unwrap(), 3.0);
            assert_eq!(row.take::<Vec<String>>("l").unwrap(), ["a", "b"]);
            assert_eq!(row.take::<Option<String>>("x").unwrap(), None);
            assert_eq!(row.take::<Option<f64>>("m").unwrap(), None);
            assert!(row.take::<bool>("b").unwrap());
            let error = row.take::<String>("x").unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("x")));
            assert!(row.take::<String>("l").is_err());
        }
    }
}
