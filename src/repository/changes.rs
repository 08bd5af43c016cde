//! Changes of single fields, as data.

use std::fmt;
use std::marker::PhantomData;

use alizarin_core::resp::Packed;

use super::Assignment;
use super::script::{Call, json_path, put_limit};
use super::unique::{Change, Constraints};
use crate::model::{FieldSchema, RedisModel, RedisValue as _, Storage};
use crate::query::{FieldPath, FieldSpec};
use crate::{Error, ErrorKind, Result};

/// Changes of a document's fields that are made at run time, and can be kept and used again.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// use alizarin::repository::Changes;
///
/// # alizarin_samples::accounts(async |accounts| {
/// fn wanted(cents: Option<i64>, note: &str) -> Result<Changes<Account>> {
///     let mut changes = Changes::<Account>::new();
///     if let Some(cents) = cents {
///         changes.push(|a| a.cents.to(cents))?;
///     }
///     changes.push(|a| a.note.to(note))?;
///     Ok(changes)
/// }
///
/// let changes = wanted(Some(7), "both")?;
/// for id in [1, 2] {
///     accounts.set(&id, |_| changes.clone()).await?;
/// }
/// assert_eq!(accounts.get(&2).await?.map(|bob| bob.cents), Some(7));
/// # Ok(()) });
/// ```
pub struct Changes<M> {
    /// The fields' dotted names.
    names: Vec<String>,
    /// Name, parent or nothing, value ...; names are dotted in a hash, paths in JSON.
    set: Packed,
    /// Name, and its parent where it needs a marker when it is empty ...
    unset: Packed,
    /// As `edits.lua` takes them.
    edits: Packed,
    /// The values of edits.
    items: Packed,
    /// As `limits.lua` takes them.
    limits: Packed,
    model: PhantomData<fn() -> M>,
}

impl<M: RedisModel> Changes<M> {
    /// No changes yet.
    ///
    /// ```
    /// # use alizarin_samples::Account;
    /// use alizarin::repository::Changes;
    ///
    /// assert!(Changes::<Account>::new().is_empty());
    /// ```
    pub fn new() -> Changes<M> {
        Changes::default()
    }

    /// Adds a change, or a tuple of several.
    ///
    /// ```
    /// # use alizarin_samples::Account;
    /// use alizarin::repository::Changes;
    ///
    /// let mut changes = Changes::<Account>::new();
    /// changes.push(|a| (a.cents.add(5), a.note.clear()))?;
    /// assert_eq!(changes.fields(), ["cents", "note"]);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Value` for a value that cannot be stored; `Usage` for a field that cannot be changed so, or
    /// is changed twice. The field is named.
    pub fn push<A: Assignment<M>>(&mut self, fields: impl FnOnce(M::Fields) -> A) -> Result<()> {
        fields(M::Fields::default()).assign_to(self)
    }

    /// Whether nothing is changed.
    ///
    /// ```
    /// # use alizarin_samples::Account;
    /// use alizarin::repository::Changes;
    ///
    /// let mut changes = Changes::<Account>::new();
    /// changes.push(|a| a.cents.to(0))?;
    /// assert!(!changes.is_empty());
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names of the fields that are changed, dotted where nested.
    ///
    /// ```
    /// # use alizarin_samples::Account;
    /// use alizarin::repository::Changes;
    ///
    /// let mut changes = Changes::<Account>::new();
    /// changes.push(|a| a.owner.to("Ann"))?;
    /// assert_eq!(changes.fields(), ["owner"]);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn fields(&self) -> &[String] {
        &self.names
    }

    /// Whether a change starts from what is stored.
    pub(crate) fn has_edits(&self) -> bool {
        self.edits.argc() > 0
    }

    /// Adds what the write script is told of them.
    pub(crate) fn write_to(&self, call: &mut Call) {
        call.section("part", &[""; 0])
            .section_of("set", &self.set)
            .section_of("unset", &self.unset)
            .section_of("edit", &self.edits)
            .section_of("items", &self.items);
        if self.limits.argc() > 0 {
            call.limits_mut().append(&self.limits);
        }
    }

    /// What they do to unique fields.
    pub(super) fn unique(&self, constraints: &Constraints) -> Result<Vec<Change>> {
        constraints.of_part(&self.set, &self.unset)
    }

    /// All changes of another one.
    pub(super) fn append(&mut self, other: &Changes<M>) -> Result<()> {
        for name in &other.names {
            self.once(name)?;
        }
        self.names.extend_from_slice(&other.names);
        let before = self.items.argc();
        self.set.append(&other.set);
        self.unset.append(&other.unset);
        self.items.append(&other.items);
        self.limits.append(&other.limits);
        for (at, argument) in other.edits.arguments().enumerate() {
            // The place of an edit's first item.
            let moved = (at % EDIT == FIRST_ITEM)
                .then(|| std::str::from_utf8(argument).ok()?.strip_prefix('@')?.parse().ok())
                .flatten();
            match moved {
                Some(place) => {
                    let place: usize = place;
                    self.edits.push(item_place(before + place).as_bytes());
                }
                None => self.edits.push(argument),
            }
        }
        Ok(())
    }

    /// Sets a field to bytes that `write` makes.
    pub(super) fn assign<S: FieldSpec<Model = M>>(
        &mut self,
        write: impl FnOnce(Storage, &FieldSchema, &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let place = self.place::<S>()?;
        let storage = M::SCHEMA.storage;
        let mut value = Vec::new();
        write(storage, place.field, &mut value)
            .and_then(|()| check::<S>(storage, place.field, &value))
            .map_err(|error| error.with_field(&place.name))?;
        place.put_into(&mut self.set, storage);
        self.set.push(&value);
        self.written(place);
        Ok(())
    }

    /// Sets a field to a value of its own type, or removes it where that is absent.
    pub(super) fn set_value<S: FieldSpec<Model = M>>(&mut self, value: &S::Stored) -> Result<()> {
        if value.is_absent() {
            return self.remove::<S>();
        }
        self.assign::<S>(|storage, field, out| match storage {
            Storage::Hash => value.to_hash(field, out),
            Storage::Json => value.to_json(field, out),
        })
    }

    /// Removes a field.
    pub(super) fn remove<S: FieldSpec<Model = M>>(&mut self) -> Result<()> {
        let place = self.place::<S>()?;
        if S::Stored::absent().is_none() {
            let message = "it is no `Option`: a document cannot be without it";
            return Err(Error::new(ErrorKind::Value, message).with_field(&place.name));
        }
        if M::SCHEMA.storage == Storage::Json && place.field.layout.forms().nulls {
            place.put_into(&mut self.set, Storage::Json);
            self.set.push(b"null");
        } else {
            place.put_removed(&mut self.unset, M::SCHEMA.storage);
        }
        self.names.push(place.name);
        Ok(())
    }

    /// Changes a field starting from what is stored; `items` makes values that the edit uses.
    pub(super) fn edit<S: FieldSpec<Model = M>>(
        &mut self,
        how: &str,
        items: impl FnOnce(&FieldSchema, &mut Packed) -> Result<()>,
        arguments: impl FnOnce(&str, &str) -> [String; 3],
    ) -> Result<()> {
        let place = self.place::<S>()?;
        if S::CHECKED {
            let message = "it has `validate`, and only the server sees its new value; use `update`";
            return Err(Error::new(ErrorKind::Usage, message).with_field(&place.name));
        }
        if M::SCHEMA.unique.iter().any(|one| one.fields.contains(&&*place.name)) {
            let message = "it is unique, and only the server sees its new value; use `update`";
            return Err(Error::new(ErrorKind::Usage, message).with_field(&place.name));
        }
        let first = self.items.argc();
        items(place.field, &mut self.items).map_err(|error| error.with_field(&place.name))?;
        let count = (self.items.argc() - first).to_string();
        self.edits.push(how.as_bytes());
        place.put_into(&mut self.edits, M::SCHEMA.storage);
        self.edits.push(place.name.as_bytes());
        for argument in arguments(&item_place(first), &count) {
            self.edits.push(argument.as_bytes());
        }
        self.written(place);
        Ok(())
    }

    /// Sets and removes the fields of a nested struct in a hash: dotted names.
    pub(super) fn put_hash(&mut self, place: &Place, set: &Packed, absent: &Packed) {
        let parent = stored_name(Storage::Hash, place.parents());
        let mut set = set.arguments();
        while let (Some(name), Some(value)) = (set.next(), set.next()) {
            self.set.push(name);
            self.set.push(parent.as_bytes());
            self.set.push(value);
        }
        let parent = if place.field.layout.is_native() { parent.as_str() } else { "" };
        for name in absent.arguments() {
            self.unset.push(name);
            self.unset.push(parent.as_bytes());
        }
    }

    /// Sets a nested struct in JSON, or removes it.
    pub(super) fn put_json(&mut self, place: &Place, value: Option<&[u8]>) {
        match value {
            Some(value) => {
                place.put_into(&mut self.set, Storage::Json);
                self.set.push(value);
            }
            // Where a layout has `null` for it, that was written.
            None => place.put_into(&mut self.unset, Storage::Json),
        }
    }

    pub(super) fn written(&mut self, place: Place) {
        if let Some(limit) = M::SCHEMA.writes.limit(&place.name) {
            put_limit(limit, &mut self.limits);
        }
        self.names.push(place.name);
    }

    fn once(&self, name: &str) -> Result<()> {
        // The same one, or a struct and a field inside it.
        let inside = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if self.names.iter().any(|other| inside(other, name) || inside(name, other)) {
            return Err(Error::new(ErrorKind::Usage, "it is set twice").with_field(name));
        }
        Ok(())
    }

    /// Where a field is stored; refuses those that `set` may not touch.
    fn place<S: FieldPath>(&self) -> Result<Place> {
        let (steps, field, in_list) = walk::<S>();
        self.at(steps, field, in_list)
    }

    /// Where a nested struct is stored as a whole.
    pub(super) fn place_of_struct<P: FieldPath>(&self) -> Result<Place> {
        let (steps, field, _) = walk::<P>();
        let mut lists = 0;
        P::walk(&mut |step| lists += usize::from(step.nested.is_some_and(|nested| nested.many)));
        let itself = usize::from(field.and_then(|field| field.nested).is_some_and(|it| it.many));
        if field.and_then(|field| field.nested).is_some_and(|nested| nested.flat) {
            let message = "a flattened struct has no place of its own: set its fields";
            let name = field.map_or("", |field| field.name);
            return Err(Error::new(ErrorKind::Usage, message).with_field(name));
        }
        self.at(steps, field, lists > itself)
    }

    fn at(
        &self,
        steps: Vec<&'static str>,
        field: Option<&'static FieldSchema>,
        in_list: bool,
    ) -> Result<Place> {
        let name = steps.join(".");
        let schema = M::SCHEMA;
        if let Some(computed) = schema.computed() {
            let message = format!(
                "`{}` is worked out from the whole of a {}, which is not at hand: use `update`",
                computed.name, schema.name
            );
            return Err(Error::new(ErrorKind::Usage, message).with_field(&name));
        }
        let is = |field: Option<&str>| field == Some(name.as_str());
        let refused = if in_list {
            "it stands in a list of structs; change it by `update`"
        } else if schema.ids.contains(&name.as_str()) {
            "the id of a document cannot be changed"
        } else if is(schema.version) {
            "the version is counted by the server"
        } else if is(schema.writes.created_at.map(|stamp| stamp.field))
            || is(schema.writes.updated_at.map(|stamp| stamp.field))
        {
            "it is stamped by the server"
        } else {
            self.once(&name)?;
            match field {
                Some(field) => return Ok(Place { name, steps, field }),
                None => "it has no place in the document",
            }
        };
        Err(Error::new(ErrorKind::Usage, refused).with_field(&name))
    }
}

/// How many arguments a record of an edit has, and which of them may be the place of its items.
const EDIT: usize = 7;
const FIRST_ITEM: usize = 4;

/// The place of an edit's first item, as `edits.lua` takes it.
fn item_place(before: usize) -> String {
    format!("@{before}")
}

/// A field's steps, its schema, and whether it stands in a list.
fn walk<S: FieldPath>() -> (Vec<&'static str>, Option<&'static FieldSchema>, bool) {
    let mut steps = Vec::new();
    let mut field = None;
    let mut in_list = false;
    S::walk(&mut |step| {
        if !step.nested.is_some_and(|nested| nested.flat) {
            steps.push(step.name);
        }
        in_list |= step.nested.is_some_and(|nested| nested.many);
        field = Some(step);
    });
    (steps, field, in_list)
}

/// The name of a field as the scripts take it.
pub(crate) fn script_name<S: FieldPath>() -> String {
    stored_name(<S::Model as RedisModel>::SCHEMA.storage, &walk::<S>().0)
}

fn stored_name(storage: Storage, steps: &[&str]) -> String {
    match (storage, steps) {
        (_, []) => String::new(),
        (Storage::Hash, steps) => steps.join("."),
        (Storage::Json, steps) => json_path(steps.iter().copied()),
    }
}

/// Holds a value that was written to its field's `validate`.
fn check<S: FieldSpec>(storage: Storage, field: &FieldSchema, value: &[u8]) -> Result<()> {
    if !S::CHECKED {
        return Ok(());
    }
    let value = match storage {
        Storage::Hash => S::Stored::from_hash(value, field)?,
        Storage::Json => S::Stored::from_json(&String::from_utf8_lossy(value), field)?,
    };
    S::check(&value)
}

/// Where a field is stored.
pub(super) struct Place {
    pub(super) name: String,
    steps: Vec<&'static str>,
    pub(super) field: &'static FieldSchema,
}

impl Place {
    /// Its name, and that of the struct it is in, as the write script takes them.
    fn put_into(&self, out: &mut Packed, storage: Storage) {
        out.push(stored_name(storage, &self.steps).as_bytes());
        out.push(stored_name(storage, self.parents()).as_bytes());
    }

    /// The same of a field that goes: without the struct, where none is marked that has no fields.
    fn put_removed(&self, out: &mut Packed, storage: Storage) {
        match self.field.layout.is_native() {
            true => self.put_into(out, storage),
            false => {
                out.push(stored_name(storage, &self.steps).as_bytes());
                out.push(b"");
            }
        }
    }

    /// The structs that it is in.
    pub(super) fn parents(&self) -> &[&'static str] {
        self.steps.split_last().map_or(&[], |(_, parents)| parents)
    }
}

impl<M> Default for Changes<M> {
    fn default() -> Self {
        Changes {
            names: Vec::new(),
            set: Packed::new(),
            unset: Packed::new(),
            edits: Packed::new(),
            items: Packed::new(),
            limits: Packed::new(),
            model: PhantomData,
        }
    }
}

impl<M> Clone for Changes<M> {
    fn clone(&self) -> Self {
        Changes {
            names: self.names.clone(),
            set: self.set.clone(),
            unset: self.unset.clone(),
            edits: self.edits.clone(),
            items: self.items.clone(),
            limits: self.limits.clone(),
            model: PhantomData,
        }
    }
}

impl<M> fmt::Debug for Changes<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values stay out of it: they may be anybody's data.
        f.debug_tuple("Changes").field(&self.names).finish()
    }
}
