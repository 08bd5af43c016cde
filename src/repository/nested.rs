//! Nested structs that are changed as a whole.

use std::fmt;

use super::script::json_string;
use super::{Assignment, Changes, Patch, PatchValue};
use crate::model::{DocumentWriter, FieldSchema, Nested as _, RedisModel, Storage};
use crate::query::NestedSpec;
use crate::{Error, ErrorKind, Result};

/// A nested struct as a whole, from `m.address.to_value(address)` or `m.address.clear()` in the
/// closure of [`Repository::set`](crate::Repository::set).
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::client(async |client, namespace| {
/// #[derive(Debug, Clone, PartialEq, RedisNested)]
/// struct Address {
///     city: String,
///     street: Option<String>,
/// }
///
/// #[derive(Debug, PartialEq, RedisModel)]
/// #[redis(hash, prefix = "person")]
/// struct Person {
///     #[redis(id)]
///     id: u32,
///     #[redis(nested)]
///     home: Address,
///     #[redis(nested)]
///     work: Option<Address>,
/// }
/// # let people = client.repository::<Person>().with_namespace(namespace);
///
/// let ulm = Address { city: "Ulm".into(), street: Some("Hof".into()) };
/// people.save(&Person { id: 1, home: ulm.clone(), work: Some(ulm) }).await?;
/// let bonn = Address { city: "Bonn".into(), street: None };
/// people.set(&1, |p| (p.home.to_value(bonn.clone()), p.work.clear())).await?;
/// assert_eq!(people.get(&1).await?, Some(Person { id: 1, home: bonn, work: None }));
/// # Ok(()) });
/// ```
pub struct ToNested<P: NestedSpec> {
    patch: Patch<P::Stored>,
}

impl<P: NestedSpec> ToNested<P> {
    /// Called by derived code.
    #[doc(hidden)]
    pub fn new<T>(patch: Patch<T>) -> ToNested<P>
    where
        P::Stored: PatchValue<T>,
    {
        let patch = match patch {
            Patch::Keep => Patch::Keep,
            Patch::Set(value) => Patch::Set(P::Stored::of(value)),
            Patch::Unset => Patch::Unset,
        };
        ToNested { patch }
    }
}

impl<P: NestedSpec> fmt::Debug for ToNested<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToNested")
    }
}

impl<M, P> Assignment<M> for ToNested<P>
where
    M: RedisModel,
    P: NestedSpec<Model = M>,
{
    fn assign_to(self, changes: &mut Changes<M>) -> Result<()> {
        match self.patch {
            Patch::Keep => Ok(()),
            Patch::Set(value) => changes.set_nested::<P>(|_| Ok(value)),
            // What is read where nothing is stored: an error of all but options.
            Patch::Unset => changes.set_nested::<P>(|field| {
                P::Stored::finish(Default::default(), field).map_err(|_| {
                    let message = "it is no `Option`: a document cannot be without it";
                    Error::new(ErrorKind::Value, message)
                })
            }),
        }
    }
}

impl<M: RedisModel> Changes<M> {
    /// Sets a nested struct as a whole; `value` makes it.
    fn set_nested<P: NestedSpec<Model = M>>(
        &mut self,
        value: impl FnOnce(&FieldSchema) -> Result<P::Stored>,
    ) -> Result<()> {
        let place = self.place_of_struct::<P>()?;
        let mut writer = DocumentWriter::new(M::SCHEMA.storage);
        let written = value(place.field).and_then(|value| {
            P::check(&value)?;
            within(&mut writer, place.parents(), &mut |out| value.write(place.field, out))
        });
        written.map_err(|error| error.with_field(&place.name))?;
        match M::SCHEMA.storage {
            Storage::Hash => {
                let (set, absent) = writer.into_hash();
                self.put_hash(&place, &set, &absent);
            }
            Storage::Json => {
                // A member, with its comma and its name; nothing where the struct is absent.
                let json = writer.into_json();
                let before = json_string(place.field.name).len() + 2;
                self.put_json(&place, json.get(before..).filter(|value| !value.is_empty()));
            }
        }
        self.written(place);
        Ok(())
    }
}

/// Writes inside of structs, outermost first.
fn within(
    out: &mut DocumentWriter,
    parents: &[&'static str],
    write: &mut dyn FnMut(&mut DocumentWriter) -> Result<()>,
) -> Result<()> {
    match parents {
        [outer, inner @ ..] if out.storage() == Storage::Hash => {
            out.inside(outer, |out| within(out, inner, write))
        }
        _ => write(out),
    }
}
