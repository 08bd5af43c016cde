//! Places: GEO and GEOSHAPE fields.

use super::filter::{Leaf, wrong};
use super::operand::{self, Operand};
use super::{Field, FieldSpec, Filter, IsGeo, IsGeoShape, QueryWriter, attribute_name};
use crate::{ErrorKind, Result};

/// A unit of distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "Redis knows these four")]
pub enum Unit {
    /// `ft`
    Feet,
    /// `km`
    Kilometers,
    /// `m`
    Meters,
    /// `mi`
    Miles,
}

impl Unit {
    /// The word Redis uses.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Feet => "ft",
            Unit::Kilometers => "km",
            Unit::Meters => "m",
            Unit::Miles => "mi",
        }
    }
}

impl<S: FieldSpec> Field<S> {
    /// The point is at most `distance` away from `center`; the distance is above zero.
    ///
    /// Points are indexed with a precision of about half a metre.
    pub fn within_radius<V: Operand<S::Value>>(
        self,
        center: V,
        distance: impl Into<f64>,
        unit: Unit,
    ) -> Filter<S::Model, Leaf<(V, f64, Unit)>>
    where
        S: IsGeo,
    {
        Filter::of(Leaf::new((center, distance.into(), unit), |(center, distance, unit), out| {
            radius::<S, V>(center, *distance, *unit, out)
        }))
    }

    /// The field's shape lies wholly inside `shape` (`WITHIN`).
    pub fn within<V: Operand<S::Value>>(self, shape: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsGeoShape,
    {
        Filter::of(Leaf::new(shape, |shape, out| relation::<S, V>("WITHIN ", shape, out)))
    }

    /// The field's shape encloses `shape` (`CONTAINS`).
    pub fn encloses<V: Operand<S::Value>>(self, shape: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsGeoShape,
    {
        Filter::of(Leaf::new(shape, |shape, out| relation::<S, V>("CONTAINS ", shape, out)))
    }

    /// The field's shape and `shape` have a point in common (`INTERSECTS`).
    pub fn intersects<V: Operand<S::Value>>(self, shape: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsGeoShape,
    {
        Filter::of(Leaf::new(shape, |shape, out| relation::<S, V>("INTERSECTS ", shape, out)))
    }

    /// The field's shape and `shape` have no point in common (`DISJOINT`).
    pub fn disjoint<V: Operand<S::Value>>(self, shape: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsGeoShape,
    {
        Filter::of(Leaf::new(shape, |shape, out| relation::<S, V>("DISJOINT ", shape, out)))
    }
}

fn radius<S, V>(center: &V, distance: f64, unit: Unit, out: &mut QueryWriter) -> Result<()>
where
    S: FieldSpec,
    V: Operand<S::Value>,
{
    if !(distance > 0.0 && distance.is_finite()) {
        let message = format!("a radius is above zero and finite, not {distance}");
        return Err(wrong(ErrorKind::Value, &attribute_name::<S>(), message));
    }
    let point = operand::raw::<S, V>(center)?;
    let mut numbers = point.splitn(2, |byte| *byte == b',');
    let (Some(longitude), Some(latitude)) = (numbers.next(), numbers.next()) else {
        return Err(wrong(ErrorKind::Value, &attribute_name::<S>(), "not a point"));
    };
    out.push("(");
    out.attribute::<S>();
    out.push(":[");
    out.param(longitude);
    out.push(" ");
    out.param(latitude);
    out.push(" ");
    out.param(ryu::Buffer::new().format_finite(distance).as_bytes());
    out.push(" ");
    out.push(unit.name());
    out.push("])");
    Ok(())
}

fn relation<S, V>(word: &str, shape: &V, out: &mut QueryWriter) -> Result<()>
where
    S: FieldSpec,
    V: Operand<S::Value>,
{
    let shape = operand::raw::<S, V>(shape)?;
    out.push("(");
    out.attribute::<S>();
    out.push(":[");
    out.push(word);
    out.param(&shape);
    out.push("])");
    Ok(())
}
