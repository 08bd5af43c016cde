//! Places: points for `GEO`, shapes for `GEOSHAPE`.

mod shape;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::FieldSchema;
use super::stored::{read_json_string, write_json_string};
use super::value::{GeoValue, ListItem, RedisValue};
use crate::{Error, ErrorKind, Result};

pub use shape::GeoShape;

/// A point on Earth, longitude first as everywhere in Redis.
///
/// Stored as the text `longitude,latitude`.
///
/// ```
/// use alizarin::GeoPoint;
/// let vienna = GeoPoint::new(16.37, 48.21)?;
/// assert_eq!(vienna.to_string(), "16.37,48.21");
/// assert_eq!("16.37,48.21".parse::<GeoPoint>()?, vienna);
/// assert!(GeoPoint::new(48.21, 163.7).is_err());
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoPoint {
    /// Invariant: `-180.0..=180.0`.
    longitude: f64,
    /// Invariant: `-MAX_LATITUDE..=MAX_LATITUDE`.
    latitude: f64,
}

/// Where the Mercator square that Redis divides ends.
const MAX_LATITUDE: f64 = 85.051_128_78;

impl GeoPoint {
    /// A point, in degrees east and north.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// assert!(GeoPoint::new(16.37, 48.21).is_ok());
    /// assert_eq!(GeoPoint::new(16.37, 90.0).unwrap_err().kind(), ErrorKind::Value);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Value` for a longitude beyond ±180 or a latitude beyond ±85.05112878, which Redis cannot
    /// index.
    pub fn new(longitude: f64, latitude: f64) -> Result<GeoPoint> {
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(Error::new(
                ErrorKind::Value,
                "a longitude is between -180 and 180 degrees",
            ));
        }
        if !(-MAX_LATITUDE..=MAX_LATITUDE).contains(&latitude) {
            return Err(Error::new(
                ErrorKind::Value,
                "a latitude is between -85.05112878 and 85.05112878 degrees; longitude comes first",
            ));
        }
        Ok(GeoPoint { longitude, latitude })
    }

    /// Degrees east.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// assert_eq!(GeoPoint::new(16.37, 48.21)?.longitude(), 16.37);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn longitude(self) -> f64 {
        self.longitude
    }

    /// Degrees north.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// assert_eq!(GeoPoint::new(16.37, 48.21)?.latitude(), 48.21);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn latitude(self) -> f64 {
        self.latitude
    }

    /// As the field's layout prints floats.
    fn text(self, field: &FieldSchema) -> String {
        if !field.layout.forms().point_zero {
            return self.to_string();
        }
        let (mut one, mut other) = (ryu::Buffer::new(), ryu::Buffer::new());
        [one.format_finite(self.longitude), ",", other.format_finite(self.latitude)].concat()
    }
}

impl fmt::Display for GeoPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(shortest(self.longitude, &mut ryu::Buffer::new()))?;
        f.write_str(",")?;
        f.write_str(shortest(self.latitude, &mut ryu::Buffer::new()))
    }
}

/// The shortest text of a finite float.
fn shortest(value: f64, buffer: &mut ryu::Buffer) -> &str {
    let text = buffer.format_finite(value);
    text.strip_suffix(".0").unwrap_or(text)
}

impl FromStr for GeoPoint {
    type Err = Error;

    /// # Errors
    /// `Decode` for what is no `longitude,latitude`; `Value` as [`GeoPoint::new`].
    fn from_str(text: &str) -> Result<GeoPoint> {
        let parts = text.split_once([',', ' ']).and_then(|(longitude, latitude)| {
            Some((longitude.trim().parse().ok()?, latitude.trim().parse().ok()?))
        });
        let (longitude, latitude) =
            parts.ok_or_else(|| Error::decode("a point as `longitude,latitude`", "other text"))?;
        GeoPoint::new(longitude, latitude)
    }
}

/// Writes and reads a type as the text that it prints and parses.
macro_rules! stored_as_text {
    ($type:ty, $marker:ident, $kind:ident) => {
        impl RedisValue for $type {
            type Item = $type;
            const KIND: $crate::model::ValueKind = $crate::model::ValueKind::$kind;

            fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                out.extend_from_slice(self.text(field).as_bytes());
                Ok(())
            }

            fn from_hash(bytes: &[u8], _field: &FieldSchema) -> Result<$type> {
                let text = std::str::from_utf8(bytes)
                    .map_err(|error| Error::decode("text", "other bytes").with_source(error))?;
                text.parse().map_err(|error| decode(&error))
            }

            fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                write_json_string(&self.text(field), out);
                Ok(())
            }

            fn from_json(json: &str, _field: &FieldSchema) -> Result<$type> {
                read_json_string(json)?.parse().map_err(|error| decode(&error))
            }
        }

        impl ListItem for $type {}
        impl $marker for $type {}

        /// As the stored text.
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
use stored_as_text;

stored_as_text!(GeoPoint, GeoValue, Place);

/// What is wrong with a stored value is wrong with the document, not with the caller's.
fn decode(error: &Error) -> Error {
    Error::new(ErrorKind::Decode, error.message().to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIELD: FieldSchema = FieldSchema::plain("f");

    #[test]
    fn degrees_have_limits() {
        assert!(GeoPoint::new(180.0, MAX_LATITUDE).is_ok());
        assert!(GeoPoint::new(-180.0, -MAX_LATITUDE).is_ok());
        for (longitude, latitude) in
            [(180.1, 0.0), (0.0, 85.06), (f64::NAN, 0.0), (0.0, f64::INFINITY)]
        {
            let error = GeoPoint::new(longitude, latitude).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Value);
        }
    }

    #[test]
    fn what_is_no_point() {
        for text in ["", "1", "1,", ",1", "a,b", "1,2,3", "500,1", "nan,1"] {
            let error = GeoPoint::from_hash(text.as_bytes(), &FIELD).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{text}");
        }
        assert!(GeoPoint::from_hash(b"\xff,1", &FIELD).is_err());
        assert!(GeoPoint::from_json("[1,2]", &FIELD).is_err());
        assert_eq!("1.5 -2".parse::<GeoPoint>().unwrap(), GeoPoint::new(1.5, -2.0).unwrap());
    }

    proptest! {
        #[test]
        fn points(longitude in -180.0..=180.0, latitude in -MAX_LATITUDE..=MAX_LATITUDE) {
            let point = GeoPoint::new(longitude, latitude).unwrap();
            let mut out = Vec::new();
            point.to_hash(&FIELD, &mut out).unwrap();
            prop_assert_eq!(GeoPoint::from_hash(&out, &FIELD).unwrap(), point);
            out.clear();
            point.to_json(&FIELD, &mut out).unwrap();
            let json = String::from_utf8(out).unwrap();
            prop_assert_eq!(GeoPoint::from_json(&json, &FIELD).unwrap(), point);
            prop_assert_eq!(&serde_json::to_string(&point).unwrap(), &json);
            prop_assert_eq!(serde_json::from_str::<GeoPoint>(&json).unwrap(), point);
        }
    }
}
