//! Equality: TAG and NUMERIC fields, and what is there at all.

use super::filter::{AllOf, Leaf, Negation, OneOf};
use super::operand::{self, Operand};
use super::{Field, FieldSpec, Filter, HasEmpty, HasMissing, IsExact, IsTag, QueryWriter};
use super::{attribute_name, field_schema, filter::wrong};
use crate::model::IndexKind;
use crate::{ErrorKind, Result};

impl<S: FieldSpec> Field<S> {
    /// The field is `value`; a list holds it.
    ///
    /// TAG fields compare without regard to the case of ASCII letters, unless `case_sensitive`.
    /// The query gives a `Value` error for a tag that no index holds: an empty one without
    /// `index_empty`, one with white space at its ends, with NUL or with the field's separator; and
    /// for a number that no index holds exactly: NaN, and integers beyond 2^53.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.director.eq("Ridley Scott")).count().await?, 2);
    /// assert_eq!(films.find(|f| f.year.eq(1995)).one().await?.title, "Apollo 13");
    /// # Ok(()) });
    /// ```
    pub fn eq<V: Operand<S::Value>>(self, value: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsExact,
    {
        Filter::of(Leaf::new(value, equal::<S, V>))
    }

    /// The field is not `value`, or there is none; a list does not hold it.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.director.ne("Ridley Scott")).count().await?, 2);
    /// # Ok(()) });
    /// ```
    pub fn ne<V: Operand<S::Value>>(self, value: V) -> Filter<S::Model, Negation<Leaf<V>>>
    where
        S: IsExact,
    {
        Filter::of(Negation(Leaf::new(value, equal::<S, V>)))
    }

    /// The field is one of `values`; no document's is, when there are none.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let found = films.find(|f| f.year.is_in([1979, 1980, 1981])).count().await?;
    /// assert_eq!(found, 2);
    /// # Ok(()) });
    /// ```
    pub fn is_in<V: Operand<S::Value>>(
        self,
        values: impl IntoIterator<Item = V>,
    ) -> Filter<S::Model, OneOf<V>>
    where
        S: IsExact,
    {
        Filter::of(OneOf::new(values, one_of::<S, V>))
    }

    /// The field is none of `values`, or there is none; every document's, when there are none.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let scott_or_howard = ["Ridley Scott", "Ron Howard"];
    /// let film = films.find(|f| f.director.not_in(scott_or_howard)).one().await?;
    /// assert_eq!(film.title, "Airplane!");
    /// # Ok(()) });
    /// ```
    pub fn not_in<V: Operand<S::Value>>(
        self,
        values: impl IntoIterator<Item = V>,
    ) -> Filter<S::Model, Negation<OneOf<V>>>
    where
        S: IsExact,
    {
        Filter::of(Negation(OneOf::new(values, one_of::<S, V>)))
    }

    /// The list holds `value`: [`Field::eq`] by another name.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.genres.has("Horror")).one().await?.title, "Alien");
    /// # Ok(()) });
    /// ```
    pub fn has<V: Operand<S::Value>>(self, value: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsTag,
    {
        Filter::of(Leaf::new(value, equal::<S, V>))
    }

    /// The list holds at least one of `values`; no document's does, when there are none.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let found = films.find(|f| f.genres.has_any(["horror", "comedy"])).count().await?;
    /// assert_eq!(found, 2);
    /// # Ok(()) });
    /// ```
    pub fn has_any<V: Operand<S::Value>>(
        self,
        values: impl IntoIterator<Item = V>,
    ) -> Filter<S::Model, OneOf<V>>
    where
        S: IsTag,
    {
        Filter::of(OneOf::new(values, one_of::<S, V>))
    }

    /// The list holds all of `values`; every document's does, when there are none.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let film = films.find(|f| f.genres.has_all(["horror", "science fiction"])).one().await?;
    /// assert_eq!(film.title, "Alien");
    /// # Ok(()) });
    /// ```
    pub fn has_all<V: Operand<S::Value>>(
        self,
        values: impl IntoIterator<Item = V>,
    ) -> Filter<S::Model, AllOf<V>>
    where
        S: IsTag,
    {
        Filter::of(AllOf(OneOf::new(values, all_of::<S, V>)))
    }

    /// The document does not have the field.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.director.is_missing()).one().await?.title, "Airplane!");
    /// # Ok(()) });
    /// ```
    pub fn is_missing(self) -> Filter<S::Model, Leaf<()>>
    where
        S: HasMissing,
    {
        Filter::of(Leaf::new((), missing::<S>))
    }

    /// The document has the field.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.director.is_present()).count().await?, 3);
    /// # Ok(()) });
    /// ```
    pub fn is_present(self) -> Filter<S::Model, Negation<Leaf<()>>>
    where
        S: HasMissing,
    {
        Filter::of(Negation(Leaf::new((), missing::<S>)))
    }

    /// The field is the empty string.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// #[derive(Debug, RedisModel)]
    /// #[redis(hash, prefix = "note", index)]
    /// struct Note {
    ///     #[redis(id)]
    ///     id: u32,
    ///     #[redis(text, index_empty)]
    ///     text: String,
    /// }
    /// # alizarin_samples::client(async |client, prefix| {
    /// # let notes = client.repository::<Note>().with_namespace(prefix);
    /// # notes.index().sync().await?;
    /// notes.save_all(&[Note { id: 1, text: "".into() }, Note { id: 2, text: "buy".into() }]).await?;
    /// # notes.index().wait().await?;
    /// assert_eq!(notes.find(|n| n.text.is_empty()).ids().await?, [1]);
    /// # Ok(()) });
    /// ```
    pub fn is_empty(self) -> Filter<S::Model, Leaf<()>>
    where
        S: HasEmpty,
    {
        Filter::of(Leaf::new((), empty::<S>))
    }
}

fn equal<S, V>(value: &V, out: &mut QueryWriter) -> Result<()>
where
    S: FieldSpec,
    V: Operand<S::Value>,
{
    if matches!(field_schema::<S>().kind(), Some(IndexKind::Numeric)) {
        return one_number::<S, V>(value, out);
    }
    out.push("(");
    out.attribute::<S>();
    out.push(":{");
    operand::write::<S, V>(value, out)?;
    out.push("})");
    Ok(())
}

fn one_number<S, V>(value: &V, out: &mut QueryWriter) -> Result<()>
where
    S: FieldSpec,
    V: Operand<S::Value>,
{
    out.push("(");
    out.attribute::<S>();
    out.push(":[");
    operand::number::<S, V>(value, out)?;
    out.push(" ");
    operand::number::<S, V>(value, out)?;
    out.push("])");
    Ok(())
}

fn one_of<S, V>(values: &[V], out: &mut QueryWriter) -> Result<()>
where
    S: FieldSpec,
    V: Operand<S::Value>,
{
    out.push("(");
    if matches!(field_schema::<S>().kind(), Some(IndexKind::Numeric)) {
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                out.push("|");
            }
            one_number::<S, V>(value, out)?;
        }
    } else {
        out.attribute::<S>();
        out.push(":{");
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                out.push("|");
            }
            operand::write::<S, V>(value, out)?;
        }
        out.push("}");
    }
    out.push(")");
    Ok(())
}

fn all_of<S, V>(values: &[V], out: &mut QueryWriter) -> Result<()>
where
    S: FieldSpec,
    V: Operand<S::Value>,
{
    out.push("(");
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(" ");
        }
        equal::<S, V>(value, out)?;
    }
    out.push(")");
    Ok(())
}

fn missing<S: FieldSpec>((): &(), out: &mut QueryWriter) -> Result<()> {
    out.push("(ismissing(");
    out.attribute::<S>();
    out.push("))");
    Ok(())
}

fn empty<S: FieldSpec>((): &(), out: &mut QueryWriter) -> Result<()> {
    let (open, close) = match field_schema::<S>().kind() {
        Some(IndexKind::Tag { .. }) => (":{", "})"),
        Some(IndexKind::Text { .. }) => (":(", "))"),
        _ => {
            let name = attribute_name::<S>();
            return Err(wrong(ErrorKind::Usage, &name, "only text and tags can be empty"));
        }
    };
    out.push("(");
    out.attribute::<S>();
    out.push(open);
    out.param(b"");
    out.push(close);
    Ok(())
}
