//! The fields of a projection, each held to the model's field when the program is compiled.

use std::fmt;

use crate::model::{FieldSchema, Nested, RedisValue, StoredValue};
use crate::query::{Field, FieldPath as _, FieldSpec, NestedSpec};
use crate::{Error, ErrorKind, Result};

/// What a model's field can be in a projection: what it is, or an `Option` of that.
#[diagnostic::on_unimplemented(
    message = "the model's field is a `{Self}`, and not a `{T}`",
    label = "give the projection's field the type `{Self}`, or `Option<{Self}>`"
)]
pub trait ProjectsTo<T>: Sized {
    /// Reads a value.
    ///
    /// # Errors
    /// `Decode` when it is no such value.
    fn read(value: StoredValue<'_>, field: &FieldSchema) -> Result<T>;

    /// What stands for a field that the document lacks.
    fn lacking(default: Option<Self>) -> Option<T>;
}

impl<T: RedisValue> ProjectsTo<T> for T {
    fn read(value: StoredValue<'_>, field: &FieldSchema) -> Result<T> {
        value.read(field)
    }

    fn lacking(default: Option<T>) -> Option<T> {
        default
    }
}

impl<T: RedisValue> ProjectsTo<Option<T>> for T {
    fn read(value: StoredValue<'_>, field: &FieldSchema) -> Result<Option<T>> {
        value.read(field)
    }

    fn lacking(_default: Option<T>) -> Option<Option<T>> {
        Some(None)
    }
}

/// What a model's nested struct can be in a projection: what it is, or an `Option` of that.
#[diagnostic::on_unimplemented(
    message = "the model's field is a `{Self}`, and not a `{T}`",
    label = "give the projection's field the type `{Self}`, or `Option<{Self}>`"
)]
pub trait StructProjectsTo<T>: Sized {
    /// What stands for a struct that the document lacks.
    fn lacking(default: Option<Self>) -> Option<T>;
}

impl<T: Nested> StructProjectsTo<T> for T {
    fn lacking(default: Option<T>) -> Option<T> {
        default
    }
}

impl<T: Nested> StructProjectsTo<Option<T>> for T {
    fn lacking(_default: Option<T>) -> Option<Option<T>> {
        Some(None)
    }
}

/// The handle of a field that holds a value.
#[diagnostic::on_unimplemented(
    message = "the model's field is a nested struct",
    label = "take the whole struct, with `#[redis(nested)]`, or a field of it, with `#[redis(at = ..)]`"
)]
pub trait ValueField {
    /// The field.
    type Spec: FieldSpec + InDocument;
}

impl<S: FieldSpec + InDocument> ValueField for Field<S> {
    type Spec = S;
}

/// The struct of a nested struct's handles. Implemented by derived code.
#[diagnostic::on_unimplemented(
    message = "the model's field is no nested struct",
    label = "take `nested` off this field"
)]
pub trait StructFields: Copy {
    /// The way to the field that holds the struct.
    type Path: StructSpec;
}

/// A field that holds a nested struct once in a document. Implemented by derived code.
#[diagnostic::on_unimplemented(
    message = "the model's field is a flattened struct, or stands in a list of structs",
    label = "take its fields, with `#[redis(at = ..)]`, or the whole list"
)]
pub trait StructSpec: NestedSpec {}

type Walk = fn(&mut dyn FnMut(&'static FieldSchema));

/// A field that stands once in a document, and in no list of structs. Implemented by derived code.
#[diagnostic::on_unimplemented(
    message = "the model's field stands in a list of structs, so a document has many of it",
    label = "take the whole list, with `#[redis(nested)]`"
)]
pub trait InDocument {}

/// Where a column is stored.
#[derive(Clone, Copy)]
pub struct Path {
    pub(super) walk: Walk,
    /// Whether an index that sorts by it keeps the value as it is.
    pub(super) exact: bool,
}

impl Path {
    /// The error with the field's whole name.
    fn name(self, error: Error) -> Error {
        self.parents(error.with_field(self.last().name))
    }

    /// The error, named already, with the names of the structs around the field.
    fn parents(self, error: Error) -> Error {
        let mut names = self.names();
        names.pop();
        names.into_iter().rev().fold(error, |error, name| error.with_field(name))
    }

    /// The names in the document: the fields of a flattened struct stand among those around it.
    fn names(self) -> Vec<&'static str> {
        let mut names = Vec::new();
        (self.walk)(&mut |step| {
            if step.nested.is_none_or(|nested| !nested.flat) {
                names.push(step.name);
            }
        });
        names
    }

    fn last(self) -> &'static FieldSchema {
        const NONE: FieldSchema = FieldSchema::plain("");
        let mut last: &'static FieldSchema = &NONE;
        (self.walk)(&mut |step| last = step);
        last
    }

    fn missing(self) -> Error {
        self.name(Error::new(ErrorKind::Decode, "missing in the document"))
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Path").field(&self.names().join(".")).finish()
    }
}

/// A field that holds a value. Its functions know the model's type, so that a mistake in a
/// projection is one error.
#[derive(Debug)]
pub struct Column<T> {
    path: Path,
    read: fn(StoredValue<'_>, &FieldSchema) -> Result<T>,
    lacking: fn() -> Option<T>,
}

/// The column of a model's field. Called by derived code.
pub fn column<F: ValueField, T>(_field: F) -> Column<T>
where
    <F::Spec as FieldSpec>::Stored: ProjectsTo<T>,
{
    type Stored<F> = <<F as ValueField>::Spec as FieldSpec>::Stored;
    Column {
        path: Path { walk: F::Spec::walk, exact: Stored::<F>::EXACT_IN_INDEX },
        read: Stored::<F>::read,
        lacking: || Stored::<F>::lacking(F::Spec::absent()),
    }
}

impl<T> Column<T> {
    /// Where it is stored.
    pub fn path(&self) -> Path {
        self.path
    }

    /// Reads a value.
    ///
    /// # Errors
    /// `Decode`, naming the field.
    pub fn read(&self, value: StoredValue<'_>) -> Result<T> {
        // The value's own error names the field already.
        (self.read)(value, self.path.last()).map_err(|error| self.path.parents(error))
    }

    /// What was read, or what stands for a field that is not there.
    ///
    /// # Errors
    /// `Decode` when nothing does.
    pub fn finish(&self, value: Option<T>) -> Result<T> {
        value.or_else(self.lacking).ok_or_else(|| self.path.missing())
    }
}

/// A field that holds a nested struct.
#[derive(Debug)]
pub struct StructColumn<T> {
    path: Path,
    lacking: fn() -> Option<T>,
}

/// The column of a model's nested struct. Called by derived code.
pub fn struct_column<F: StructFields, T: Nested>(_fields: F) -> StructColumn<T>
where
    <F::Path as NestedSpec>::Stored: StructProjectsTo<T>,
{
    StructColumn {
        path: Path { walk: F::Path::walk, exact: false },
        lacking: || <F::Path as NestedSpec>::Stored::lacking(F::Path::absent()),
    }
}

impl<T: Nested> StructColumn<T> {
    /// Where it is stored.
    pub fn path(&self) -> Path {
        self.path
    }

    /// Takes a part of it.
    ///
    /// # Errors
    /// `Decode`, naming the field.
    pub fn accept(
        &self,
        slot: &mut Option<T::Slot>,
        rest: &[u8],
        value: StoredValue<'_>,
    ) -> Result<()> {
        if let StoredValue::Json("null") = value {
            return Ok(());
        }
        T::accept(slot.get_or_insert_default(), rest, value)
            .map(drop)
            .map_err(|error| self.path.name(error))
    }

    /// What was read, or what stands for a struct that is not there.
    ///
    /// # Errors
    /// `Decode` when a part of it is missing.
    pub fn finish(&self, slot: Option<T::Slot>) -> Result<T> {
        if slot.is_none()
            && let Some(default) = (self.lacking)()
        {
            return Ok(default);
        }
        // Nothing of it was read: an `Option` is `None`.
        T::finish(slot.unwrap_or_default(), self.path.last())
            .map_err(|error| self.path.parents(error))
    }
}
