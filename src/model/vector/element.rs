//! The numbers that vectors are made of.

use std::fmt;

use half::{bf16, f16};

use crate::model::value::decimal;

/// A number that vectors can be made of: `f32`, `f64`, [`half::f16`], [`half::bf16`], `i8`, `u8`.
///
/// Sealed: the server knows no others. The methods are called by [`Vector`](super::Vector).
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::VectorElement;
///
/// fn length<T: VectorElement, const N: usize>(vector: &Vector<T, N>) -> f64 {
///     vector.iter().map(|element| element.to_f64().powi(2)).sum::<f64>().sqrt()
/// }
///
/// assert_eq!(length(&Vector::from([3.0_f32, 4.0])), 5.0);
/// assert_eq!(length(&Vector::from([half::f16::ONE])), 1.0);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "a vector cannot be made of `{Self}`",
    note = "`f32`, `f64`, `half::f16`, `half::bf16`, `i8` and `u8` can be its elements"
)]
pub trait VectorElement:
    sealed::Number + Copy + Default + PartialEq + fmt::Debug + Send + Sync + 'static
{
    /// The type's name in `FT.CREATE`.
    const NAME: &'static str;

    /// Its size in bytes.
    const SIZE: usize;

    /// Appends the number's little-endian bytes.
    fn write_le(self, out: &mut Vec<u8>);

    /// The number from exactly [`VectorElement::SIZE`] little-endian bytes.
    fn read_le(bytes: &[u8]) -> Option<Self>;

    /// The number as a double; exact.
    fn to_f64(self) -> f64;

    /// The nearest number to a double.
    fn from_f64(value: f64) -> Self;
}

pub(super) mod sealed {
    use serde::{Deserialize, Serialize};

    /// How a number stands in JSON and in `serde`'s model.
    pub trait Number: Sized {
        /// The number in `serde`'s model.
        type Serde: Serialize + for<'de> Deserialize<'de>;

        fn to_serde(self) -> Self::Serde;
        fn from_serde(value: Self::Serde) -> Self;
        fn write_json(self, out: &mut Vec<u8>);
        fn parse(text: &str) -> Option<Self>;
    }
}

macro_rules! elements {
    ($($type:ident $name:literal $size:literal $serde:ident $write:path, $to:expr, $from:expr,
        $to_f64:expr, $from_f64:expr;)+) => {$(
        impl VectorElement for $type {
            const NAME: &'static str = $name;
            const SIZE: usize = $size;

            fn write_le(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn read_le(bytes: &[u8]) -> Option<$type> {
                bytes.try_into().ok().map($type::from_le_bytes)
            }

            fn to_f64(self) -> f64 {
                $to_f64(self)
            }

            fn from_f64(value: f64) -> $type {
                $from_f64(value)
            }
        }

        impl sealed::Number for $type {
            type Serde = $serde;

            fn to_serde(self) -> $serde {
                $to(self)
            }

            fn from_serde(value: $serde) -> $type {
                $from(value)
            }

            fn write_json(self, out: &mut Vec<u8>) {
                $write($to(self), out);
            }

            fn parse(text: &str) -> Option<$type> {
                // From the text at once: by way of another type it might round twice.
                let number = decimal::is_number(text).then(|| text.parse::<$serde>().ok())??;
                number.is_finite().then(|| $from(number))
            }
        }
    )+};
}

macro_rules! bytes {
    ($($type:ident $name:literal;)+) => {$(
        impl VectorElement for $type {
            const NAME: &'static str = $name;
            const SIZE: usize = 1;

            fn write_le(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn read_le(bytes: &[u8]) -> Option<$type> {
                bytes.try_into().ok().map($type::from_le_bytes)
            }

            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            fn from_f64(value: f64) -> $type {
                value.round() as $type
            }
        }

        impl sealed::Number for $type {
            type Serde = $type;

            fn to_serde(self) -> $type {
                self
            }

            fn from_serde(value: $type) -> $type {
                value
            }

            fn write_json(self, out: &mut Vec<u8>) {
                out.extend_from_slice(itoa::Buffer::new().format(self).as_bytes());
            }

            fn parse(text: &str) -> Option<$type> {
                decimal::whole_number(text)?.parse().ok()
            }
        }
    )+};
}

bytes! {
    i8 "INT8";
    u8 "UINT8";
}

elements! {
    f32 "FLOAT32" 4 f32 decimal::write_f32, std::convert::identity, std::convert::identity,
        f64::from, nearest_f32;
    f64 "FLOAT64" 8 f64 decimal::write_f64, std::convert::identity, std::convert::identity,
        std::convert::identity, std::convert::identity;
    f16 "FLOAT16" 2 f32 decimal::write_f32, f16::to_f32, f16::from_f32, f16::to_f64, f16::from_f64;
    bf16 "BFLOAT16" 2 f32 decimal::write_f32, bf16::to_f32, bf16::from_f32,
        bf16::to_f64, bf16::from_f64;
}

#[expect(clippy::cast_possible_truncation, reason = "the nearest `f32` is what is asked for")]
fn nearest_f32(value: f64) -> f32 {
    value as f32
}
