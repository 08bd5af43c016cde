//! Vectors of fixed length, for `VECTOR` fields.

mod element;

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeTuple as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value::{ListItem, RedisValue};
use super::{FieldSchema, ValueKind};
use crate::{Error, ErrorKind, Result};

pub use element::VectorElement;

/// `N` numbers: the embedding of a text or picture. Its elements are `f32`, `f64`,
/// [`half::f16`], [`half::bf16`], `i8` or `u8`.
///
/// A hash holds it as little-endian bytes, JSON as an array of numbers. Equal as its elements are.
///
/// ```
/// use alizarin::Vector;
/// let vector = Vector::from([0.5_f32, 1.0]);
/// assert_eq!(vector.to_le_bytes(), [0, 0, 0, 0x3f, 0, 0, 0x80, 0x3f]);
/// assert_eq!(vector.as_slice(), [0.5, 1.0]);
/// assert!(Vector::<f32, 2>::try_from(vec![0.5]).is_err());
/// ```
#[derive(Clone, PartialEq)]
pub struct Vector<T, const N: usize>(Box<[T; N]>);

impl<T: VectorElement, const N: usize> Vector<T, N> {
    /// The elements.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// let vector = Vector::from([0.5_f32, 1.0]);
    /// assert_eq!(vector.as_slice().iter().sum::<f32>(), 1.5);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn as_slice(&self) -> &[T] {
        &*self.0
    }

    /// The elements as little-endian bytes: what a hash field and a query's parameter hold.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// assert_eq!(Vector::from([1.0_f32]).to_le_bytes(), [0, 0, 0x80, 0x3f]);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn to_le_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(N * T::SIZE);
        self.write_le(&mut bytes);
        bytes
    }

    /// A vector from little-endian bytes.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// let vector = Vector::<f32, 1>::from_le_bytes(&[0, 0, 0x80, 0x3f])?;
    /// assert_eq!(vector, Vector::from([1.0]));
    /// assert!(Vector::<f32, 2>::from_le_bytes(&[0, 0, 0x80, 0x3f]).is_err());
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Decode` when there are more or fewer bytes than `N` elements take.
    pub fn from_le_bytes(bytes: &[u8]) -> Result<Vector<T, N>> {
        let wrong = || {
            let (name, size) = (T::NAME, N * T::SIZE);
            let expected = format!("{N} elements of {name}, {size} bytes");
            Error::decode(&expected, &format!("{} bytes", bytes.len()))
        };
        if bytes.len() != N * T::SIZE {
            return Err(wrong());
        }
        let elements: Option<Vec<T>> = bytes.chunks_exact(T::SIZE).map(T::read_le).collect();
        elements.and_then(|elements| elements.try_into().ok()).map(Vector).ok_or_else(wrong)
    }

    fn write_le(&self, out: &mut Vec<u8>) {
        for element in self.0.iter() {
            element.write_le(out);
        }
    }

    fn check_finite(&self) -> Result<()> {
        match self.0.iter().position(|element| !element.to_f64().is_finite()) {
            None => Ok(()),
            Some(at) => Err(Error::new(
                ErrorKind::Value,
                format!("element {at} of the vector is not finite, so it has no distances"),
            )),
        }
    }
}

impl<T: VectorElement, const N: usize> Default for Vector<T, N> {
    fn default() -> Vector<T, N> {
        Vector::from([T::default(); N])
    }
}

impl<T, const N: usize> From<[T; N]> for Vector<T, N> {
    fn from(elements: [T; N]) -> Vector<T, N> {
        Vector(Box::new(elements))
    }
}

impl<T, const N: usize> From<Vector<T, N>> for Vec<T> {
    fn from(vector: Vector<T, N>) -> Vec<T> {
        let elements: Box<[T]> = vector.0;
        elements.into_vec()
    }
}

impl<T: VectorElement, const N: usize> TryFrom<Vec<T>> for Vector<T, N> {
    type Error = Error;

    fn try_from(elements: Vec<T>) -> Result<Vector<T, N>> {
        elements.try_into().map(Vector).map_err(|elements: Vec<T>| wrong_length(N, elements.len()))
    }
}

impl<T: VectorElement, const N: usize> TryFrom<&[T]> for Vector<T, N> {
    type Error = Error;

    fn try_from(elements: &[T]) -> Result<Vector<T, N>> {
        Vector::try_from(elements.to_vec())
    }
}

fn wrong_length(expected: usize, came: usize) -> Error {
    Error::new(
        ErrorKind::Value,
        format!("the vector has {came} elements and the field takes {expected}"),
    )
}

impl<T, const N: usize> Deref for Vector<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &*self.0
    }
}

impl<T, const N: usize> AsRef<[T]> for Vector<T, N> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

/// Shows the first elements only.
impl<T: fmt::Debug, const N: usize> fmt::Debug for Vector<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 4;
        let mut list = f.debug_list();
        list.entries(self.0.iter().take(SHOWN));
        if N > SHOWN {
            list.entry(&format_args!("… {} more", N - SHOWN));
        }
        list.finish()
    }
}

impl<T: VectorElement, const N: usize> RedisValue for Vector<T, N> {
    type Item = Vector<T, N>;
    const KIND: ValueKind = ValueKind::Vector;

    fn to_hash(&self, _field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        self.check_finite()?;
        self.write_le(out);
        Ok(())
    }

    fn from_hash(bytes: &[u8], _field: &FieldSchema) -> Result<Vector<T, N>> {
        Vector::from_le_bytes(bytes)
    }

    fn to_json(&self, _field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        self.check_finite()?;
        out.push(b'[');
        for (at, element) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            element.write_json(out);
        }
        out.push(b']');
        Ok(())
    }

    fn from_json(json: &str, _field: &FieldSchema) -> Result<Vector<T, N>> {
        let expected = || format!("a list of {N} numbers");
        let inner = json.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let inner = inner.ok_or_else(|| Error::decode(&expected(), "other JSON"))?;
        let mut elements = Vec::with_capacity(N);
        if !inner.trim().is_empty() {
            for text in inner.split(',') {
                let element = T::parse(text.trim());
                elements.push(element.ok_or_else(|| Error::decode(&expected(), "other JSON"))?);
            }
        }
        elements.try_into().map(Vector).map_err(|elements: Vec<T>| {
            Error::decode(&expected(), &format!("{} of them", elements.len()))
        })
    }
}

impl<T: VectorElement, const N: usize> ListItem for Vector<T, N> {}

impl<T: VectorElement, const N: usize> Serialize for Vector<T, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(N)?;
        for element in self.0.iter() {
            tuple.serialize_element(&element.to_serde())?;
        }
        tuple.end()
    }
}

impl<'de, T: VectorElement, const N: usize> Deserialize<'de> for Vector<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T, const N: usize>(PhantomData<T>);

        impl<'de, T: VectorElement, const N: usize> Visitor<'de> for Elements<T, N> {
            type Value = Vector<T, N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{N} numbers")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::with_capacity(N);
                while let Some(element) = list.next_element::<T::Serde>()? {
                    elements.push(T::from_serde(element));
                }
                elements.try_into().map(Vector).map_err(|elements: Vec<T>| {
                    serde::de::Error::invalid_length(elements.len(), &self)
                })
            }
        }

        deserializer.deserialize_tuple(N, Elements(PhantomData))
    }
}

/// What a `VECTOR` index can hold: [`Vector`]s, options of them, and in JSON lists.
///
/// ```
/// # use alizarin::prelude::*;
/// #[derive(RedisModel)]
/// #[redis(json, prefix = "photo", index)]
/// struct Photo {
///     #[redis(id)]
///     id: u32,
///     #[redis(vector(flat, l2))]
///     faces: Vec<Vector<f32, 128>>,
/// }
/// # use alizarin::model::IndexKind;
/// # let Some(IndexKind::Vector(vector)) = Photo::SCHEMA.fields[1].kind() else { unreachable!() };
/// # assert_eq!(vector.dimension, 128);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be indexed as VECTOR",
    note = "VECTOR is for `Vector<f32, N>`, with another number type, in an `Option` or in a list"
)]
pub trait VectorValue {
    /// The type of the elements.
    type Element: VectorElement;

    /// `TYPE`: the name of the elements' type in the index.
    const ELEMENT: &'static str;

    /// `DIM`: the number of elements.
    const DIMENSION: usize;
}

impl<T: VectorElement, const N: usize> VectorValue for Vector<T, N> {
    type Element = T;
    const ELEMENT: &'static str = T::NAME;
    const DIMENSION: usize = N;
}

macro_rules! through {
    ($($outer:ident)+) => {$(
        impl<V: VectorValue> VectorValue for $outer<V> {
            type Element = V::Element;
            const ELEMENT: &'static str = V::ELEMENT;
            const DIMENSION: usize = V::DIMENSION;
        }
    )+};
}

through!(Option Vec);

#[cfg(test)]
mod tests {
    use half::{bf16, f16};
    use proptest::prelude::*;

    use super::*;

    const FIELD: FieldSchema = FieldSchema::plain("f");

    fn round_trip<T: VectorElement, const N: usize>(vector: &Vector<T, N>) {
        let mut out = Vec::new();
        vector.to_hash(&FIELD, &mut out).unwrap();
        assert_eq!(out, vector.to_le_bytes());
        assert_eq!(&Vector::from_hash(&out, &FIELD).unwrap(), vector);
        out.clear();
        vector.to_json(&FIELD, &mut out).unwrap();
        let json = String::from_utf8(out).unwrap();
        assert_eq!(&Vector::from_json(&json, &FIELD).unwrap(), vector);
        assert_eq!(&serde_json::from_str::<Vector<T, N>>(&json).unwrap(), vector);
        let json = serde_json::to_string(vector).unwrap();
        assert_eq!(&serde_json::from_str::<Vector<T, N>>(&json).unwrap(), vector);
    }

    #[test]
    fn another_length_is_an_error_that_says_so() {
        type Three = Vector<f32, 3>;
        let error = Three::from_hash(&[0; 8], &FIELD).unwrap_err();
        assert_eq!(error.message(), "expected 3 elements of FLOAT32, 12 bytes, got 8 bytes");
        let error = Three::from_json("[1,2]", &FIELD).unwrap_err();
        assert_eq!(error.message(), "expected a list of 3 numbers, got 2 of them");
        let error = Three::try_from(vec![1.0]).unwrap_err();
        assert_eq!(error.message(), "the vector has 1 elements and the field takes 3");
        for text in ["", "[", "1", "[1,2,]", "[1,2,\"3\"]", "[1,2,nan]", "[1,2,1e99]", "null"] {
            assert_eq!(Three::from_json(text, &FIELD).unwrap_err().kind(), ErrorKind::Decode);
        }
        assert_eq!(&*Three::from_json(" [ 1 , 2.5,3e0 ] ", &FIELD).unwrap(), [1.0, 2.5, 3.0]);
        assert!(serde_json::from_str::<Three>("[1,2]").is_err());
        assert!(serde_json::from_str::<Three>("[1,2,3,4]").is_err());
        assert_eq!(Vector::<f32, 0>::from_json("[]", &FIELD).unwrap().len(), 0);
    }

    #[test]
    fn elements_are_finite() {
        for bad in [f32::NAN, f32::INFINITY] {
            let error = Vector::from([0.0, bad]).to_hash(&FIELD, &mut Vec::new()).unwrap_err();
            assert!(error.message().starts_with("element 1 "), "{error}");
            assert!(Vector::from([bad]).to_json(&FIELD, &mut Vec::new()).is_err());
        }
        assert!(Vector::from([f16::NAN]).to_hash(&FIELD, &mut Vec::new()).is_err());
    }

    #[test]
    fn debug_is_short() {
        let long = format!("{:?}", Vector::<f32, 384>::default());
        assert_eq!(long, "[0.0, 0.0, 0.0, 0.0, … 380 more]");
        assert_eq!(format!("{:?}", Vector::from([1.5_f64])), "[1.5]");
    }

    #[test]
    fn all_half_floats_survive() {
        for bits in 0..=u16::MAX {
            let (half, brain) = (f16::from_bits(bits), bf16::from_bits(bits));
            if half.is_finite() {
                round_trip(&Vector::from([half]));
            }
            if brain.is_finite() {
                round_trip(&Vector::from([brain]));
            }
        }
    }

    #[test]
    fn options_and_lists_know_their_elements() {
        assert_eq!(<Option<Vector<f16, 3>> as VectorValue>::ELEMENT, "FLOAT16");
        assert_eq!(<Vec<Vector<bf16, 3>> as VectorValue>::ELEMENT, "BFLOAT16");
        assert_eq!(<Vector<f64, 7> as VectorValue>::DIMENSION, 7);
    }

    proptest! {
        #[test]
        fn vectors(bits: [u32; 5], wide: [u64; 3]) {
            let single = bits.map(f32::from_bits).map(|x| if x.is_finite() { x } else { 0.5 });
            let double = wide.map(f64::from_bits).map(|x| if x.is_finite() { x } else { 0.5 });
            round_trip(&Vector::from(single));
            round_trip(&Vector::from(double));
        }
    }
}
