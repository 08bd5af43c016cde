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
    pub fn eq<V: Operand<S::Value>>(self, value: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsExact,
    {
        Filter::of(Leaf::new(value, equal::<S, V>))
    }

    /// The field is not `value`, or there is none; a list does not hold it.
    pub fn ne<V: Operand<S::Value>>(self, value: V) -> Filter<S::Model, Negation<Leaf<V>>>
    where
        S: IsExact,
    {
        Filter::of(Negation(Leaf::new(value, equal::<S, V>)))
    }

    /// The field is one of `values`; no document's is, when there are none.
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
    pub fn has<V: Operand<S::Value>>(self, value: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsTag,
    {
        Filter::of(Leaf::new(value, equal::<S, V>))
    }

    /// The list holds at least one of `values`; no document's does, when there are none.
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
    pub fn is_missing(self) -> Filter<S::Model, Leaf<()>>
    where
        S: HasMissing,
    {
        Filter::of(Leaf::new((), missing::<S>))
    }

    /// The document has the field.
    pub fn is_present(self) -> Filter<S::Model, Negation<Leaf<()>>>
    where
        S: HasMissing,
    {
        Filter::of(Negation(Leaf::new((), missing::<S>)))
    }

    /// The field is the empty string.
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
