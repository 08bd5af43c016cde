//! A struct as a document: written and read field by field, in either storage.

use std::fmt;

use alizarin_core::resp::Packed;

mod next;
mod reply;

pub use next::Next;
pub(crate) use next::Order;
#[doc(hidden)]
pub use reply::{Hit, ReplyForm};
pub(crate) use reply::{Loaded, after_load, document, json, load, place, upgraded};

use super::{FieldSchema, Nested, RedisModel, RedisValue, Storage, StoredValue};
use crate::Result;

/// A struct of stored fields: a model, or a struct nested in one.
///
/// Made by the derives; the methods are what they have to write, once for both storages. Called by
/// repositories.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// use alizarin::model::Document;
///
/// let names: Vec<&str> = Account::FIELDS.iter().map(|field| field.name).collect();
/// assert_eq!(names, ["id", "owner", "cents", "note", "version"]);
/// # Ok::<(), alizarin::Error>(())
/// ```
pub trait Document: Sized + 'static {
    /// The stored fields in the struct's order.
    const FIELDS: &'static [FieldSchema];

    /// The fields read so far.
    type Partial: Default + Send;

    /// Writes each field.
    ///
    /// # Errors
    /// `Value`, naming the field that cannot be stored.
    fn write(&self, out: &mut DocumentWriter) -> Result<()>;

    /// Takes one field as it was read; `name` is dotted for the fields of nested structs in a
    /// hash. Gives `false` for a field that the struct does not have.
    ///
    /// # Errors
    /// `Decode`, naming the field that does not parse.
    fn accept(partial: &mut Self::Partial, name: &[u8], value: StoredValue<'_>) -> Result<bool>;

    /// Which of [`Document::FIELDS`] has this name in a document of its own.
    #[doc(hidden)]
    fn place(_name: &[u8]) -> Option<usize> {
        None
    }

    /// Takes the fields that a reply goes on with, as far as they come in the struct's order: that is
    /// how a server mostly gives them. `LINES` says in which form their names come.
    ///
    /// # Errors
    /// As [`Document::accept`].
    #[doc(hidden)]
    fn in_order<const LINES: bool>(
        _partial: &mut Self::Partial,
        _next: &mut Next<'_, '_>,
    ) -> Result<()> {
        Ok(())
    }

    /// As [`Document::accept`], for the field `at` a place.
    ///
    /// # Errors
    /// The same.
    #[doc(hidden)]
    fn accept_at(
        _partial: &mut Self::Partial,
        _at: usize,
        _value: StoredValue<'_>,
    ) -> Result<bool> {
        Ok(false)
    }

    /// The struct, when all fields were read.
    ///
    /// # Errors
    /// `Decode`, naming a field that is missing and has no default.
    fn finish(partial: Self::Partial) -> Result<Self>;
}

/// Collects a document's fields in the form its storage needs: what a save sends.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// use alizarin::model::{DocumentWriter, Storage};
///
/// let mut writer = DocumentWriter::new(Storage::Json);
/// writer.document(&Account::new(1, "Ann", 500))?;
/// let json = String::from_utf8(writer.into_json())?;
/// assert_eq!(json, r#"{"id":1,"owner":"Ann","cents":500,"version":0}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DocumentWriter {
    storage: Storage,
    /// Hash: field, value, field, value …
    set: Packed,
    /// Hash: names of fields that the document does not have.
    absent: Packed,
    /// JSON: the text so far.
    json: Vec<u8>,
    /// Hash: the dotted path of the nested struct being written, with its last dot.
    path: String,
    /// One value's bytes, reused.
    scratch: Vec<u8>,
}

impl fmt::Debug for DocumentWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values stay out of it: they may be anybody's data.
        let DocumentWriter { storage, set, absent, json, path, scratch: _ } = self;
        f.debug_struct("DocumentWriter")
            .field("storage", storage)
            .field("set", &set.argc())
            .field("absent", &absent.argc())
            .field("json", &json.len())
            .field("path", path)
            .finish_non_exhaustive()
    }
}

impl DocumentWriter {
    /// An empty document.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::model::{DocumentWriter, Storage};
    ///
    /// assert_eq!(DocumentWriter::new(Storage::Hash).storage(), Storage::Hash);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn new(storage: Storage) -> DocumentWriter {
        DocumentWriter {
            storage,
            set: Packed::new(),
            absent: Packed::new(),
            json: Vec::new(),
            path: String::new(),
            scratch: Vec::new(),
        }
    }

    /// The form being written.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::model::{DocumentWriter, Storage};
    ///
    /// assert_eq!(DocumentWriter::new(Storage::Json).storage(), Storage::Json);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// Writes a whole document.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// use alizarin::model::{DocumentWriter, Storage};
    ///
    /// let mut writer = DocumentWriter::new(Storage::Hash);
    /// writer.document(&Account::new(1, "Ann", 500))?;
    /// let (set, _) = writer.into_hash();
    /// assert!(set.arguments().any(|argument| argument == b"Ann"));
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Document::write`].
    pub fn document<D: Document>(&mut self, document: &D) -> Result<()> {
        if self.storage == Storage::Hash {
            return document.write(self);
        }
        self.json.push(b'{');
        let start = self.json.len();
        document.write(self)?;
        // Every member was written with a comma before it: the first one goes.
        if self.json.len() > start {
            self.json.remove(start);
        }
        self.json.push(b'}');
        Ok(())
    }

    /// Writes one field. Called by derived code.
    ///
    /// # Errors
    /// As [`RedisValue::to_hash`], with the field's name.
    pub fn field<T: RedisValue>(&mut self, field: &FieldSchema, value: &T) -> Result<()> {
        match self.storage {
            Storage::Hash if value.is_absent() => self.absent(field.name),
            Storage::Hash => {
                self.scratch.clear();
                value
                    .to_hash(field, &mut self.scratch)
                    .map_err(|error| error.with_field(field.name))?;
                self.push_name(field.name);
                self.set.push(&self.scratch);
            }
            Storage::Json if value.is_absent() => self.null(field),
            Storage::Json => {
                self.member(field.name);
                value
                    .to_json(field, &mut self.json)
                    .map_err(|error| error.with_field(field.name))?;
            }
        }
        Ok(())
    }

    /// Writes a hash field that is the same in all documents. Called by derived code.
    #[doc(hidden)]
    pub fn constant(&mut self, name: &str, value: &str) {
        if self.storage == Storage::Hash {
            self.set_raw(name, value.as_bytes());
        }
    }

    /// Writes a nested struct. Called by derived code.
    ///
    /// # Errors
    /// As [`Document::write`], with the field's name before the inner one.
    pub fn nested<T: Nested>(&mut self, field: &FieldSchema, value: &T) -> Result<()> {
        value.write(field, self).map_err(|error| error.with_field(field.name))
    }

    /// The hash's fields and values, and the names of those it does not have, which a save removes.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// use alizarin::model::{DocumentWriter, Storage};
    ///
    /// let mut writer = DocumentWriter::new(Storage::Hash);
    /// writer.document(&Account::new(1, "Ann", 500))?;
    /// let (set, absent) = writer.into_hash();
    /// assert_eq!(set.arguments().take(2).collect::<Vec<_>>(), [&b"id"[..], b"1"]);
    /// assert_eq!(absent.arguments().collect::<Vec<_>>(), [b"note"]);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn into_hash(self) -> (Packed, Packed) {
        (self.set, self.absent)
    }

    /// The JSON text.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// use alizarin::model::{DocumentWriter, Storage};
    ///
    /// let mut writer = DocumentWriter::new(Storage::Json);
    /// writer.document(&Account::new(1, "Ann", 500))?;
    /// assert!(writer.into_json().starts_with(br#"{"id":1,"owner":"Ann""#));
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn into_json(self) -> Vec<u8> {
        self.json
    }

    /// The JSON text so far, for a nested value to continue.
    pub(crate) fn json_mut(&mut self) -> &mut Vec<u8> {
        &mut self.json
    }

    /// Begins a JSON member.
    pub(crate) fn member(&mut self, name: &str) {
        self.json.push(b',');
        super::stored::write_json_string(name, &mut self.json);
        self.json.push(b':');
    }

    /// Writes what stands for a member that the document does not have: nothing, or to a layout
    /// `null`.
    pub(crate) fn null(&mut self, field: &FieldSchema) {
        if field.layout.forms().nulls {
            self.member(field.name);
            self.json.extend_from_slice(b"null");
        }
    }

    /// Notes a hash field that the document does not have.
    pub(crate) fn absent(&mut self, name: &str) {
        let full = [self.path.as_str(), name].concat();
        self.absent.push(full.as_bytes());
    }

    /// Sets a hash field to bytes that are ready.
    pub(crate) fn set_raw(&mut self, name: &str, value: &[u8]) {
        self.push_name(name);
        self.set.push(value);
    }

    /// The number of hash fields set so far.
    pub(crate) fn len(&self) -> usize {
        self.set.argc() / 2
    }

    /// Runs `write` with the hash path one struct deeper.
    pub(crate) fn inside<T>(&mut self, name: &str, write: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.path.len();
        self.path.push_str(name);
        self.path.push('.');
        let outcome = write(self);
        self.path.truncate(before);
        outcome
    }

    fn push_name(&mut self, name: &str) {
        if self.path.is_empty() {
            self.set.push(name.as_bytes());
        } else {
            self.set.push([self.path.as_str(), name].concat().as_bytes());
        }
    }
}

#[cfg(test)]
mod order;
#[cfg(test)]
mod tests;
