//! Finding a document by what is unique.

use std::fmt;
use std::pin::Pin;

use super::constraint::{Change, Constraints, exact, owner};
use crate::model::{DocumentWriter, RedisModel, Storage, UniqueSchema};
use crate::query::{Field, FieldSpec, IsUnique, Operand, field_schema};
use crate::repository::Repository;
use crate::repository::get::load;
use crate::{Error, ErrorKind, Result};

impl<M: RedisModel> Repository<M> {
    /// Reads the document that has a value in a unique field, or values in a group of fields; `None`
    /// when there is none (`GET` of the reservation, then `HGETALL` or `JSON.GET`).
    ///
    /// No index is needed, nor asked. Documents that were written before the field was unique are
    /// found after [`unique().repair()`](super::UniqueFields::repair).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::members(async |members| {
    /// let ann = members.by(|m| m.email, "ann@example.com").await?;
    /// assert_eq!(ann.map(|ann| ann.id), Some(1));
    /// let seven = members.by(|m| (m.team, m.number), ("red", 7)).await?;
    /// assert_eq!(seven.map(|seven| seven.email), Some("ann@example.com".to_owned()));
    /// assert_eq!(members.by(|m| m.email, "ANN@example.com").await?, None);
    /// # Ok(()) });
    /// ```
    pub fn by<K, V>(&self, fields: impl FnOnce(M::Fields) -> K, values: V) -> By<'_, M>
    where
        K: UniqueKey<M, V>,
    {
        let mut lookup = Lookup { storage: M::SCHEMA.storage, fields: Vec::new() };
        let outcome = fields(M::Fields::default()).look_for(values, &mut lookup);
        By { repository: self, lookup: outcome.map(|()| lookup) }
    }
}

/// A read by unique values, from [`Repository::by`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::members(async |members| {
/// // No constraint has these two fields.
/// let error = members.by(|m| (m.team, m.email), ("red", "ann@example.com")).await.unwrap_err();
/// assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("team+email")));
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Value`, naming the field, for a value that cannot be stored; `Usage` for fields that are not
/// unique together; else as [`Get`](crate::repository::Get).
///
/// # Cancel safety
/// It only reads.
#[must_use = "a read does nothing until it is awaited"]
pub struct By<'a, M> {
    repository: &'a Repository<M>,
    lookup: Result<Lookup>,
}

/// Fields and values to look for. Not for use by hand.
#[derive(Debug)]
pub struct Lookup {
    storage: Storage,
    fields: Vec<(&'static str, Vec<u8>)>,
}

impl Lookup {
    fn add<S: FieldSpec>(&mut self, value: &impl Operand<S::Value>) -> Result<()> {
        let field = field_schema::<S>();
        let mut bytes = Vec::new();
        value
            .write(self.storage, field, &mut bytes)
            .map_err(|error| error.with_field(field.name))?;
        if self.storage == Storage::Json {
            let text = std::str::from_utf8(&bytes).unwrap_or_default();
            bytes = match exact(text).map_err(|error| error.with_field(field.name))? {
                Change::Set(bytes) => bytes,
                _ => {
                    let error = Error::new(ErrorKind::Value, "nothing is not unique");
                    return Err(error.with_field(field.name));
                }
            };
        }
        self.fields.push((field.name, bytes));
        Ok(())
    }

    /// The constraint that has these fields, whatever their order.
    fn constraint(&self, all: &'static [UniqueSchema]) -> Result<&'static UniqueSchema> {
        let named = |one: &&UniqueSchema| {
            one.fields.len() == self.fields.len()
                && self.fields.iter().all(|(name, _)| one.fields.contains(name))
        };
        all.iter().find(named).ok_or_else(|| {
            let names: Vec<_> = self.fields.iter().map(|(name, _)| *name).collect();
            let message = "these fields are not unique together";
            Error::new(ErrorKind::Usage, message).with_field(&names.join("+"))
        })
    }
}

/// A unique field and its value, or a tuple of fields that are unique together and one of values:
/// what [`Repository::by`] takes.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::repository::UniqueKey;
/// # use alizarin_samples::Member;
///
/// async fn found<K: UniqueKey<Member, &'static str>>(
///     members: &Repository<Member>,
///     field: impl FnOnce(alizarin_samples::MemberFields) -> K,
/// ) -> Result<bool> {
///     Ok(members.by(field, "bob@example.com").await?.is_some())
/// }
/// # alizarin_samples::members(async |members| {
/// assert!(found(&members, |m| m.email).await?);
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` and `{V}` are no unique field of `{M}` and its value",
    note = "`by` takes a field and a value, or a tuple of fields and one of as many values"
)]
pub trait UniqueKey<M, V> {
    /// Notes the fields and values.
    ///
    /// # Errors
    /// `Value`, naming the field.
    #[doc(hidden)]
    fn look_for(self, values: V, lookup: &mut Lookup) -> Result<()>;
}

impl<M, S, V> UniqueKey<M, V> for Field<S>
where
    M: RedisModel,
    S: FieldSpec<Model = M> + IsUnique,
    V: Operand<S::Value>,
{
    fn look_for(self, value: V, lookup: &mut Lookup) -> Result<()> {
        lookup.add::<S>(&value)
    }
}

macro_rules! tuples {
    ($(($($field:ident $value:ident $at:tt)+))+) => {$(
        impl<M, $($field, $value),+> UniqueKey<M, ($($value,)+)> for ($(Field<$field>,)+)
        where
            M: RedisModel,
            $($field: FieldSpec<Model = M>, $value: Operand<$field::Value>,)+
        {
            fn look_for(self, values: ($($value,)+), lookup: &mut Lookup) -> Result<()> {
                $(lookup.add::<$field>(&values.$at)?;)+
                Ok(())
            }
        }
    )+};
}

tuples! {
    (A Va 0 B Vb 1)
    (A Va 0 B Vb 1 C Vc 2)
    (A Va 0 B Vb 1 C Vc 2 D Vd 3)
    (A Va 0 B Vb 1 C Vc 2 D Vd 3 E Ve 4)
    (A Va 0 B Vb 1 C Vc 2 D Vd 3 E Ve 4 F Vf 5)
}

impl<M: RedisModel> By<'_, M> {
    async fn run(self) -> Result<Option<M>> {
        let (lookup, client) = (self.lookup?, self.repository.client());
        let one = lookup.constraint(M::SCHEMA.unique)?;
        let Some(constraints) = Constraints::of(self.repository) else { return Ok(None) };
        let values = one.fields.iter().filter_map(|name| {
            lookup.fields.iter().find(|(field, _)| field == name).map(|(_, value)| &**value)
        });
        let reservation = constraints.key(one, &values.collect::<Vec<_>>());
        let mut last = None;
        loop {
            let command = crate::commands::get::<Option<String>>(&reservation);
            let Some(record) = client.run(command).await? else { return Ok(None) };
            let Some(document) = owner(&record) else { return Ok(None) };
            if let Some(model) = load::<M>(client, document).await?
                && holds(&constraints, one, &model)?.as_ref() == Some(&reservation)
            {
                return Ok(Some(model));
            }
            // The document gave the value away: to nobody, or to one that the reservation names now.
            if last.as_ref() == Some(&record) {
                return Ok(None);
            }
            last = Some(record);
        }
    }
}

/// The reservation of what a model holds.
fn holds<M: RedisModel>(
    constraints: &Constraints,
    one: &UniqueSchema,
    model: &M,
) -> Result<Option<String>> {
    let mut writer = DocumentWriter::new(M::SCHEMA.storage);
    writer.document(model)?;
    let changes = match M::SCHEMA.storage {
        Storage::Hash => constraints.of_hash(&writer.into_hash().0),
        Storage::Json => constraints.of_json(&writer.into_json())?,
    };
    let nothing = vec![None; changes.len()];
    Ok(constraints.reservation(one, &constraints.after(&nothing, &changes)))
}

impl<'a, M: RedisModel> IntoFuture for By<'a, M> {
    type Output = Result<Option<M>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Option<M>>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M> fmt::Debug for By<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values may be nobody's business.
        let names = self
            .lookup
            .as_ref()
            .map(|lookup| lookup.fields.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        f.debug_struct("By").field("fields", &names.ok()).finish_non_exhaustive()
    }
}
