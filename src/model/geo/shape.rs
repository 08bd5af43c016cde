//! Points and polygons as well-known text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{GeoPoint, decode, shortest, stored_as_text};
use crate::model::FieldSchema;
use crate::model::stored::{read_json_string, write_json_string};
use crate::model::value::{GeoShapeValue, ListItem, RedisValue};
use crate::{Error, ErrorKind, Result};

/// A point or a polygon. Coordinates are `(x, y)`: longitude and latitude, unless the field is
/// `geoshape(flat)`.
///
/// Stored as well-known text (WKT), which [`GeoShape::to_wkt`] gives and `parse` reads.
///
/// ```
/// use alizarin::GeoShape;
/// let park = GeoShape::polygon([(0.0, 0.0), (4.0, 0.0), (0.0, 3.0)])?;
/// assert_eq!(park.to_wkt(), "POLYGON((0 0,4 0,0 3,0 0))");
/// assert_eq!("POINT(1 2)".parse::<GeoShape>()?, GeoShape::point(1.0, 2.0)?);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GeoShape(Shape);

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Point(f64, f64),
    /// The outline, then the holes. Invariant: each ring is closed and has 4 positions or more.
    Polygon(Vec<Vec<(f64, f64)>>),
}

impl GeoShape {
    /// A point.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::cafes(async |cafes| {
    /// let here = GeoShape::point(16.37, 48.205)?;
    /// assert_eq!(cafes.find(|c| c.delivers.encloses(here)).ids().await?, ["central"]);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Value` for coordinates that are not finite.
    pub fn point(x: f64, y: f64) -> Result<GeoShape> {
        check((x, y))?;
        Ok(GeoShape(Shape::Point(x, y)))
    }

    /// A polygon from the corners of its outline; the first need not be repeated at the end.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::cafes(async |cafes| {
    /// let east = GeoShape::polygon([(16.3, 48.1), (16.5, 48.1), (16.5, 48.3), (16.3, 48.3)])?;
    /// assert_eq!(cafes.find(|c| c.delivers.within(east)).ids().await?, ["central"]);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Value` for fewer than three corners, and coordinates that are not finite.
    pub fn polygon(outline: impl IntoIterator<Item = (f64, f64)>) -> Result<GeoShape> {
        Ok(GeoShape(Shape::Polygon(vec![ring(outline)?])))
    }

    /// The same polygon with a hole.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// let yard = GeoShape::polygon([(0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0)])?
    ///     .with_hole([(4.0, 4.0), (5.0, 4.0), (5.0, 5.0)])?;
    /// assert_eq!(yard.to_wkt(), "POLYGON((0 0,9 0,9 9,0 9,0 0),(4 4,5 4,5 5,4 4))");
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Value` as for [`GeoShape::polygon`], and for a point.
    pub fn with_hole(mut self, hole: impl IntoIterator<Item = (f64, f64)>) -> Result<GeoShape> {
        match &mut self.0 {
            Shape::Polygon(rings) => rings.push(ring(hole)?),
            Shape::Point(..) => return Err(wrong("a point has no holes; use a polygon")),
        }
        Ok(self)
    }

    /// Whether this is a point.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// assert!(GeoShape::point(1.0, 2.0)?.is_point());
    /// assert!(!"POLYGON((0 0,4 0,0 3,0 0))".parse::<GeoShape>()?.is_point());
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn is_point(&self) -> bool {
        matches!(self.0, Shape::Point(..))
    }

    /// As it is stored: no layout has another form.
    fn text(&self, _: &FieldSchema) -> String {
        self.to_string()
    }

    /// The coordinates: those of the point alone, or of each ring, the outline first, each with
    /// its first corner repeated at the end.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// let park = GeoShape::polygon([(0.0, 0.0), (4.0, 0.0), (0.0, 3.0)])?;
    /// assert_eq!(park.rings(), [[(0.0, 0.0), (4.0, 0.0), (0.0, 3.0), (0.0, 0.0)]]);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn rings(&self) -> Vec<Vec<(f64, f64)>> {
        match &self.0 {
            Shape::Point(x, y) => vec![vec![(*x, *y)]],
            Shape::Polygon(rings) => rings.clone(),
        }
    }

    /// The shape as well-known text.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// assert_eq!(GeoShape::point(16.37, 48.21)?.to_wkt(), "POINT(16.37 48.21)");
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn to_wkt(&self) -> String {
        self.to_string()
    }
}

impl From<GeoPoint> for GeoShape {
    fn from(point: GeoPoint) -> GeoShape {
        GeoShape(Shape::Point(point.longitude(), point.latitude()))
    }
}

fn wrong(why: &'static str) -> Error {
    Error::new(ErrorKind::Value, why)
}

fn check((x, y): (f64, f64)) -> Result<()> {
    match x.is_finite() && y.is_finite() {
        true => Ok(()),
        false => Err(wrong("a shape's coordinates must be finite")),
    }
}

/// Checks and closes a ring.
fn ring(corners: impl IntoIterator<Item = (f64, f64)>) -> Result<Vec<(f64, f64)>> {
    let mut ring: Vec<(f64, f64)> = corners.into_iter().collect();
    ring.iter().try_for_each(|corner| check(*corner))?;
    if ring.first() != ring.last() || ring.len() == 1 {
        ring.extend(ring.first().copied());
    }
    match ring.len() {
        ..4 => Err(wrong("a polygon has three corners or more")),
        _ => Ok(ring),
    }
}

impl fmt::Display for GeoShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Shape::Point(x, y) => {
                f.write_str("POINT(")?;
                write_position(f, (*x, *y))?;
            }
            Shape::Polygon(rings) => {
                f.write_str("POLYGON(")?;
                for (at, ring) in rings.iter().enumerate() {
                    f.write_str(if at > 0 { ",(" } else { "(" })?;
                    for (at, position) in ring.iter().enumerate() {
                        f.write_str(if at > 0 { "," } else { "" })?;
                        write_position(f, *position)?;
                    }
                    f.write_str(")")?;
                }
            }
        }
        f.write_str(")")
    }
}

fn write_position(f: &mut fmt::Formatter<'_>, (x, y): (f64, f64)) -> fmt::Result {
    f.write_str(shortest(x, &mut ryu::Buffer::new()))?;
    f.write_str(" ")?;
    f.write_str(shortest(y, &mut ryu::Buffer::new()))
}

impl FromStr for GeoShape {
    type Err = Error;

    /// # Errors
    /// `Decode` for what is neither `POINT` nor `POLYGON`; `Value` as the constructors.
    fn from_str(text: &str) -> Result<GeoShape> {
        let no_shape = || Error::decode("`POINT(x y)` or `POLYGON((x y, ..), ..)`", "other text");
        let text = text.trim();
        let (name, rest) = text.split_at_checked(text.find('(').unwrap_or(0)).unwrap_or_default();
        let inner = parenthesised(rest).ok_or_else(no_shape)?;
        if name.trim().eq_ignore_ascii_case("POINT") {
            let (x, y) = position(inner).ok_or_else(no_shape)?;
            return GeoShape::point(x, y);
        }
        if !name.trim().eq_ignore_ascii_case("POLYGON") {
            return Err(no_shape());
        }
        let mut rings = Vec::new();
        let mut rest = inner.trim();
        loop {
            let end = rest.find(')').ok_or_else(no_shape)? + 1;
            let (ring_text, after) = rest.split_at_checked(end).ok_or_else(no_shape)?;
            let corners = parenthesised(ring_text).ok_or_else(no_shape)?;
            let corners: Option<Vec<_>> = corners.split(',').map(position).collect();
            rings.push(ring(corners.ok_or_else(no_shape)?)?);
            rest = after.trim_start();
            if rest.is_empty() {
                return Ok(GeoShape(Shape::Polygon(rings)));
            }
            rest = rest.strip_prefix(',').ok_or_else(no_shape)?.trim_start();
        }
    }
}

fn parenthesised(text: &str) -> Option<&str> {
    text.trim().strip_prefix('(')?.strip_suffix(')')
}

fn position(text: &str) -> Option<(f64, f64)> {
    let (x, y) = text.trim().split_once(|letter: char| letter.is_ascii_whitespace())?;
    Some((x.parse().ok()?, y.trim().parse().ok()?))
}

stored_as_text!(GeoShape, GeoShapeValue, Shape);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rings_are_closed_and_have_corners() {
        let open = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)];
        let closed = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)];
        assert_eq!(GeoShape::polygon(open).unwrap(), GeoShape::polygon(closed).unwrap());
        for few in [&open[..0], &open[..1], &open[..2], &[(0.0, 0.0), (1.0, 0.0), (0.0, 0.0)]] {
            assert!(GeoShape::polygon(few.iter().copied()).is_err(), "{few:?}");
        }
        assert!(GeoShape::polygon([(f64::NAN, 0.0), (1.0, 0.0), (0.0, 1.0)]).is_err());
        assert!(GeoShape::point(1.0, 2.0).unwrap().with_hole(open).is_err());
        assert!(GeoShape::point(f64::INFINITY, 0.0).is_err());
    }

    #[test]
    fn well_known_text() {
        let shape: GeoShape =
            " polygon ( ( 0 0 , 9 0 , 0 9 , 0 0 ) , (1 1, 2 1, 1 2, 1 1) ) ".parse().unwrap();
        assert_eq!(shape.to_wkt(), "POLYGON((0 0,9 0,0 9,0 0),(1 1,2 1,1 2,1 1))");
        assert_eq!(shape.rings().len(), 2);
        for text in [
            "",
            "(",
            ")",
            "()",
            "POINT",
            "POINT(",
            "POINT)",
            "POINT()",
            "POINT(1)",
            "POINT(1 2",
            "POINT(1 2 3)",
            "POINT(nan 1)",
            "POLYGON()",
            "POLYGON(())",
            "POLYGON((0 0,1 1))",
            "POLYGON((0 0,1 0,0 1,0 0)",
            "POLYGON((0 0,1 0,0 1,0 0),)",
            "CIRCLE(1 2)",
            "é(1 2)",
        ] {
            let error = GeoShape::from_hash(text.as_bytes(), &FieldSchema::plain("f")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{text}");
        }
    }

    fn corners() -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec((-180.0..180.0, -85.0..85.0), 3..8)
    }

    proptest! {
        #[test]
        fn shapes(outline in corners(), hole in corners()) {
            let shape = GeoShape::polygon(outline).unwrap().with_hole(hole).unwrap();
            prop_assert_eq!(&shape.to_wkt().parse::<GeoShape>().unwrap(), &shape);
            let json = serde_json::to_string(&shape).unwrap();
            prop_assert_eq!(GeoShape::from_json(&json, &FieldSchema::plain("f")).unwrap(), shape);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(POINT|POLYGON)?[(), 0-9é]{0,20}") {
            let _ = text.parse::<GeoShape>();
        }
    }
}
