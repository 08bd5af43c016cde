//! Vectors as targets: near which one is searched.

use std::fmt;
use std::marker::PhantomData;

use super::filter::{Leaf, wrong};
use super::operand::{self, Operand};
use super::{Field, FieldSpec, Filter, IsVector, QueryWriter, attribute_name};
use crate::{ErrorKind, Result};

/// A field and a value for it: the target of `nearest`, the change of `set`.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// let tense = films.nearest(1, |f| f.mood.to([1.0, 0.0, 0.3])).all().await?;
/// assert_eq!(tense[0].title, "Alien");
/// # Ok(()) });
/// ```
pub struct To<S, V> {
    pub(crate) value: V,
    field: PhantomData<fn() -> S>,
}

impl<S: FieldSpec> Field<S> {
    /// The field and a value for it: what `nearest` searches near, what `set` writes.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.set(&2, |f| (f.rating.to(7.8), f.director.to("Jim Abrahams"))).await?;
    /// let film = films.get(&2).await?;
    /// assert_eq!(film.and_then(|film| film.director).as_deref(), Some("Jim Abrahams"));
    /// # Ok(()) });
    /// ```
    pub fn to<V: Operand<S::Value>>(self, value: V) -> To<S, V> {
        To { value, field: PhantomData }
    }

    /// The vector's distance to `vector` is at most `radius`, in the field's metric
    /// (`VECTOR_RANGE`).
    ///
    /// With an HNSW index the answer is approximate. The query gives a `Value`
    /// error for a radius below zero, or not finite.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let calm = films.find(|f| f.mood.near([0.0, 1.0, 0.0], 0.1) & f.year.lt(1990));
    /// assert_eq!(calm.one().await?.title, "Airplane!");
    /// # Ok(()) });
    /// ```
    pub fn near<V: Operand<S::Value>>(
        self,
        vector: V,
        radius: f64,
    ) -> Filter<S::Model, Leaf<(V, f64)>>
    where
        S: IsVector,
    {
        Filter::of(Leaf::new((vector, radius), |(vector, radius), out| {
            range::<S, V>(vector, *radius, out)
        }))
    }
}

/// `(@f:[VECTOR_RANGE $p0 $p1])`
pub(crate) fn range<S, V>(vector: &V, radius: f64, out: &mut QueryWriter) -> Result<()>
where
    S: FieldSpec,
    V: Operand<S::Value>,
{
    if !(radius >= 0.0 && radius.is_finite()) {
        let message = format!("a radius is zero or more and finite, not {radius}");
        return Err(wrong(ErrorKind::Value, &attribute_name::<S>(), message));
    }
    let vector = operand::raw::<S, V>(vector)?;
    out.push("(");
    out.attribute::<S>();
    out.push(":[VECTOR_RANGE ");
    out.param(ryu::Buffer::new().format_finite(radius).as_bytes());
    out.push(" ");
    out.param(&vector);
    out.push("])");
    Ok(())
}

impl<S: FieldSpec, V> fmt::Debug for To<S, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("To").field(&attribute_name::<S>()).finish()
    }
}
