//! Places: GEO and GEOSHAPE fields.

use super::filter::{Leaf, wrong};
use super::operand::{self, Operand};
use super::{Field, FieldSpec, Filter, IsGeo, IsGeoShape, QueryWriter, attribute_name};
use crate::{ErrorKind, Result};

/// A unit of distance, in [`Field::within_radius`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::cafes(async |cafes| {
/// let opera = GeoPoint::new(16.369, 48.203)?;
/// for (distance, unit) in [(1500.0, Unit::Feet), (0.5, Unit::Kilometers)] {
///     let near = cafes.find(|c| c.place.within_radius(opera, distance, unit)).one().await?;
///     assert_eq!(near.name, "Café Sacher");
/// }
/// # Ok(()) });
/// ```
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
    ///
    /// ```
    /// assert_eq!(alizarin::query::Unit::Kilometers.name(), "km");
    /// ```
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
    /// The point is at most `distance` away from `center`. What is found is in no order by distance.
    ///
    /// Points are indexed with a precision of about half a metre. The query gives a `Value` error
    /// for a distance that is not above zero, or not finite.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::cafes(async |cafes| {
    /// let vienna = GeoPoint::new(16.373, 48.209)?;
    /// let found = cafes.find(|c| c.place.within_radius(vienna, 5, Unit::Kilometers));
    /// assert_eq!(found.count().await?, 2);
    /// # Ok(()) });
    /// ```
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
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::cafes(async |cafes| {
    /// // Longitudes and latitudes around Vienna.
    /// let vienna = GeoShape::polygon([(16.1, 48.1), (16.6, 48.1), (16.6, 48.4), (16.1, 48.4)])?;
    /// let cafe = cafes.find(|c| c.delivers.within(&vienna)).one().await?;
    /// assert_eq!(cafe.name, "Café Central");
    /// # Ok(()) });
    /// ```
    pub fn within<V: Operand<S::Value>>(self, shape: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsGeoShape,
    {
        Filter::of(Leaf::new(shape, |shape, out| relation::<S, V>("WITHIN ", shape, out)))
    }

    /// The field's shape encloses `shape` (`CONTAINS`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::cafes(async |cafes| {
    /// let home = GeoShape::point(16.37, 48.21)?;
    /// assert_eq!(cafes.find(|c| c.delivers.encloses(&home)).one().await?.name, "Café Central");
    /// # Ok(()) });
    /// ```
    pub fn encloses<V: Operand<S::Value>>(self, shape: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsGeoShape,
    {
        Filter::of(Leaf::new(shape, |shape, out| relation::<S, V>("CONTAINS ", shape, out)))
    }

    /// The field's shape and `shape` have a point in common (`INTERSECTS`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::cafes(async |cafes| {
    /// let district = GeoShape::polygon([(16.37, 48.19), (16.40, 48.19), (16.37, 48.21)])?;
    /// assert_eq!(cafes.find(|c| c.delivers.intersects(&district)).count().await?, 1);
    /// # Ok(()) });
    /// ```
    pub fn intersects<V: Operand<S::Value>>(self, shape: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsGeoShape,
    {
        Filter::of(Leaf::new(shape, |shape, out| relation::<S, V>("INTERSECTS ", shape, out)))
    }

    /// The field's shape and `shape` have no point in common (`DISJOINT`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::cafes(async |cafes| {
    /// let prague = GeoShape::polygon([(14.2, 50.0), (14.7, 50.0), (14.7, 50.2), (14.2, 50.2)])?;
    /// let far = cafes.find(|c| c.delivers.disjoint(&prague)).ids().await?;
    /// assert_eq!(far, ["central"]);
    /// # Ok(()) });
    /// ```
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
