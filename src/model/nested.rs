//! Structs inside a model: flattened to dotted fields in a hash, objects in JSON.

use std::fmt;
use std::marker::PhantomData;

use serde_json::value::RawValue;

use super::{Document, DocumentWriter, FieldSchema, Storage, StoredValue, StructSpec, missing};
use crate::query::{FieldPath, NestedSpec};
use crate::{Error, ErrorKind, Result};

/// A nested struct, an `Option` of one, or (JSON only) a `Vec` of them.
///
/// Made by `#[derive(RedisNested)]`; the field needs `#[redis(nested)]`. The methods are called by
/// derived code.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::client(async |client, namespace| {
/// #[derive(Debug, Clone, PartialEq, RedisNested)]
/// struct Size {
///     #[redis(numeric)]
///     width: u32,
///     height: u32,
/// }
///
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "picture", index)]
/// struct Picture {
///     #[redis(id)]
///     id: u32,
///     #[redis(nested)]
///     size: Option<Size>,
/// }
///
/// # let pictures = client.repository::<Picture>().with_namespace(namespace);
/// let size = Size { width: 40, height: 30 };
/// pictures.save(&Picture { id: 1, size: Some(size.clone()) }).await?;
/// assert_eq!(pictures.get(&1).await?.and_then(|picture| picture.size), Some(size));
/// let wide = pictures.find(|p| p.size.width.gt(30));
/// # drop(wide);
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a nested struct",
    note = "add `#[derive(RedisNested)]` to the struct, or take `nested` off the field"
)]
pub trait Nested: Sized + Send + Sync + 'static {
    /// The struct itself.
    type Item: Document;

    /// The typed handles of its fields, under the path of the field that holds it.
    type Fields<P: FieldPath>: Copy + Default + Send + Sync + 'static;

    /// What was read so far.
    type Slot: Default + Send;

    /// Whether this is a list.
    const MANY: bool;

    /// Writes it under `field`.
    ///
    /// # Errors
    /// As [`Document::write`].
    fn write(&self, field: &FieldSchema, out: &mut DocumentWriter) -> Result<()>;

    /// Takes a part of it: in a hash one field, named from here on (`""` for the marker of a
    /// struct without fields), in JSON the whole value under the name `""`.
    ///
    /// # Errors
    /// As [`Document::accept`].
    fn accept(slot: &mut Self::Slot, rest: &[u8], value: StoredValue<'_>) -> Result<bool>;

    /// The value, when everything was read.
    ///
    /// # Errors
    /// As [`Document::finish`], and when nothing of it was there.
    fn finish(slot: Self::Slot, field: &FieldSchema) -> Result<Self>;
}

/// A struct whose fields can stand among those of the struct around it, by `#[redis(flatten)]`:
/// what derives [`RedisNested`](derive@crate::RedisNested), without an `Option` or `Vec` around it.
/// Implemented by derived code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be flattened",
    note = "a struct that derives `RedisNested` can, without `Option` or `Vec` around it: nothing would tell that it is not there; those take `nested`"
)]
pub trait Flatten: Nested<Item = Self> + Document {}

/// Writes a struct that is there: what the derive's [`Nested::write`] does. A hash without any of
/// its fields gets a marker: the field's own name with an empty value, so that it is told apart
/// from one that is not there. With a layout it gets none, since other mappers know of no such field.
///
/// # Errors
/// As [`Document::write`].
pub fn write_struct<D: Document>(
    document: &D,
    field: &FieldSchema,
    out: &mut DocumentWriter,
) -> Result<()> {
    if out.storage() == Storage::Json {
        out.member(field.name);
        return out.document(document);
    }
    let before = out.len();
    out.inside(field.name, |out| document.write(out))?;
    if out.len() == before && field.layout.is_native() {
        out.set_raw(field.name, b"");
    } else {
        out.absent(field.name);
    }
    Ok(())
}

/// Takes a part of a struct; the slot is `Some` once anything of it was seen.
///
/// # Errors
/// As [`Document::accept`].
pub fn accept_struct<D: Document>(
    slot: &mut Option<D::Partial>,
    rest: &[u8],
    value: StoredValue<'_>,
) -> Result<bool> {
    match value {
        StoredValue::Hash(_) if rest.is_empty() => {
            slot.get_or_insert_default();
            Ok(true)
        }
        StoredValue::Hash(_) => D::accept(slot.get_or_insert_default(), rest, value),
        StoredValue::Json("null") => Ok(true),
        StoredValue::Json(json) => {
            let partial = slot.get_or_insert_default();
            super::stored::members(json, |name, value| D::accept(partial, name.as_bytes(), value))?;
            Ok(true)
        }
    }
}

/// The struct, when everything was read: what the derive's [`Nested::finish`] does. One of which
/// nothing was there may be one without values, with a layout that stores nothing for it in a hash.
///
/// # Errors
/// As [`Document::finish`], and when nothing of it was there.
pub fn finish_struct<D: Document>(slot: Option<D::Partial>, field: &FieldSchema) -> Result<D> {
    match slot {
        Some(partial) => D::finish(partial).map_err(|error| error.with_field(field.name)),
        None if field.layout.marks_empty_structs() => Err(missing(field)),
        None => D::finish(D::Partial::default()).map_err(|_| missing(field)),
    }
}

impl<T: Nested<Slot = Option<<<T as Nested>::Item as Document>::Partial>>> Nested for Option<T> {
    type Item = T::Item;
    type Fields<P: FieldPath> = T::Fields<P>;
    type Slot = T::Slot;
    const MANY: bool = false;

    fn write(&self, field: &FieldSchema, out: &mut DocumentWriter) -> Result<()> {
        if let Some(value) = self {
            return value.write(field, out);
        }
        if out.storage() == Storage::Hash {
            out.absent(field.name);
            out.inside(field.name, |out| absent_fields(T::Item::FIELDS, out));
        } else {
            out.null(field);
        }
        Ok(())
    }

    fn accept(slot: &mut Self::Slot, rest: &[u8], value: StoredValue<'_>) -> Result<bool> {
        T::accept(slot, rest, value)
    }

    fn finish(slot: Self::Slot, field: &FieldSchema) -> Result<Option<T>> {
        match slot {
            None => Ok(None),
            slot => T::finish(slot, field).map(Some),
        }
    }
}

/// Notes all fields of a struct that is not there, so that a save removes them.
fn absent_fields(fields: &[FieldSchema], out: &mut DocumentWriter) {
    for field in fields {
        match &field.nested {
            Some(nested) if nested.flat => absent_fields(nested.fields, out),
            Some(nested) => {
                out.absent(field.name);
                out.inside(field.name, |out| absent_fields(nested.fields, out));
            }
            None => out.absent(field.name),
        }
    }
}

/// The way to the structs of a list.
pub struct InList<P>(PhantomData<fn() -> P>);

impl<P> fmt::Debug for InList<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InList")
    }
}

impl<P: FieldPath> FieldPath for InList<P> {
    type Model = P::Model;

    fn walk(each: &mut dyn FnMut(&'static FieldSchema)) {
        P::walk(each);
    }
}

/// The list as a whole stands where its field does.
impl<P: StructSpec> StructSpec for InList<P> {}

impl<P: NestedSpec> NestedSpec for InList<P> {
    type Stored = P::Stored;
    const CHECKED: bool = P::CHECKED;

    fn check(value: &P::Stored) -> Result<()> {
        P::check(value)
    }

    fn absent() -> Option<P::Stored> {
        P::absent()
    }
}

impl<D> Nested for Vec<D>
where
    D: Document + Nested<Item = D> + Send + Sync,
{
    type Item = D;
    type Fields<P: FieldPath> = D::Fields<InList<P>>;
    type Slot = Option<Vec<D>>;
    const MANY: bool = true;

    fn write(&self, field: &FieldSchema, out: &mut DocumentWriter) -> Result<()> {
        if out.storage() == Storage::Hash {
            return Err(Error::new(
                ErrorKind::Usage,
                "a hash cannot hold a list of structs; use json",
            ));
        }
        out.member(field.name);
        out.json_mut().push(b'[');
        for (at, item) in self.iter().enumerate() {
            if at > 0 {
                out.json_mut().push(b',');
            }
            out.document(item).map_err(|error| error.with_field(&at.to_string()))?;
        }
        out.json_mut().push(b']');
        Ok(())
    }

    fn accept(slot: &mut Self::Slot, _rest: &[u8], value: StoredValue<'_>) -> Result<bool> {
        let StoredValue::Json(json) = value else { return Ok(false) };
        let items: Vec<&RawValue> = serde_json::from_str(json)
            .map_err(|error| Error::decode("a list of objects", "other JSON").with_source(error))?;
        let items = items.iter().enumerate().map(|(at, item)| {
            let mut partial = D::Partial::default();
            super::stored::members(item.get(), |name, value| {
                <D as Document>::accept(&mut partial, name.as_bytes(), value)
            })
            .and_then(|()| <D as Document>::finish(partial))
            .map_err(|error| error.with_field(&at.to_string()))
        });
        *slot = Some(items.collect::<Result<_>>()?);
        Ok(true)
    }

    fn finish(slot: Self::Slot, field: &FieldSchema) -> Result<Vec<D>> {
        slot.ok_or_else(|| missing(field))
    }
}
