//! Comparisons by size: NUMERIC fields, dates among them.

use super::filter::Leaf;
use super::operand::{self, Operand};
use super::{Field, FieldSpec, Filter, IsNumeric, QueryWriter};
use crate::Result;

impl<S: FieldSpec> Field<S> {
    /// The field is less than `value`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.year.lt(1980)).count().await?, 1);
    /// # Ok(()) });
    /// ```
    pub fn lt<V: Operand<S::Value>>(self, value: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsNumeric,
    {
        Filter::of(Leaf::new(value, |value, out| one_sided::<S, V>("-inf (", value, "", out)))
    }

    /// The field is at most `value`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.year.le(1980)).count().await?, 2);
    /// # Ok(()) });
    /// ```
    pub fn le<V: Operand<S::Value>>(self, value: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsNumeric,
    {
        Filter::of(Leaf::new(value, |value, out| one_sided::<S, V>("-inf ", value, "", out)))
    }

    /// The field is greater than `value`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.rating.gt(8.1)).count().await?, 1);
    /// # Ok(()) });
    /// ```
    pub fn gt<V: Operand<S::Value>>(self, value: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsNumeric,
    {
        Filter::of(Leaf::new(value, |value, out| one_sided::<S, V>("(", value, " +inf", out)))
    }

    /// The field is at least `value`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.rating.ge(8.1)).count().await?, 2);
    /// # Ok(()) });
    /// ```
    pub fn ge<V: Operand<S::Value>>(self, value: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsNumeric,
    {
        Filter::of(Leaf::new(value, |value, out| one_sided::<S, V>("", value, " +inf", out)))
    }

    /// The field is at least `least` and at most `most`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.year.between(1980, 1989)).count().await?, 2);
    /// # Ok(()) });
    /// ```
    pub fn between<V, W>(self, least: V, most: W) -> Filter<S::Model, Leaf<(V, W)>>
    where
        S: IsNumeric,
        V: Operand<S::Value>,
        W: Operand<S::Value>,
    {
        Filter::of(Leaf::new((least, most), |(least, most), out| {
            out.push("(");
            out.attribute::<S>();
            out.push(":[");
            operand::number::<S, V>(least, out)?;
            out.push(" ");
            operand::number::<S, W>(most, out)?;
            out.push("])");
            Ok(())
        }))
    }
}

/// A range open at one end: what stands before and after the parameter.
fn one_sided<S, V>(before: &str, value: &V, after: &str, out: &mut QueryWriter) -> Result<()>
where
    S: FieldSpec,
    V: Operand<S::Value>,
{
    out.push("(");
    out.attribute::<S>();
    out.push(":[");
    out.push(before);
    operand::number::<S, V>(value, out)?;
    out.push(after);
    out.push("])");
    Ok(())
}
