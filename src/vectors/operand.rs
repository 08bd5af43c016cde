//! What attributes are compared and computed with.

use super::literal;
use crate::Result;

/// What a number is compared or computed with: a Rust number, another attribute, arithmetic.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::client(async |client, prefix| {
/// #[derive(Serialize, Deserialize, RedisAttributes)]
/// struct Facts {
///     budget: f64,
///     gross: f64,
/// }
///
/// let films: VectorSet<u32, Facts> = client.vector_set(format!("{prefix}films"));
/// films.add(&1, &[0.9, 0.1]).attributes(&Facts { budget: 11.0, gross: 104.9 }).await?;
/// films.add(&2, &[0.8, 0.2]).attributes(&Facts { budget: 30.0, gross: 41.7 }).await?;
/// let hits = films.similar_to(&[1.0, 0.0]).filter(|a| a.gross.gt(a.budget * 2)).await?;
/// assert_eq!((hits.len(), hits[0].id), (1, 1));
/// # Ok(()) });
/// ```
pub trait NumberTerm {
    /// It in the filter language, or why it cannot be written.
    #[doc(hidden)]
    fn term(self) -> Result<String, String>;
}

/// What an attribute of type `T` can be compared with for equality: a number, a `bool`, or text;
/// an `Option` by what it holds.
///
/// ```
/// use alizarin::vectors::attribute;
/// let (year, style) = (attribute::<Option<i32>>("year"), attribute::<String>("style"));
/// let owned = String::from("pop");
/// let filter = year.eq(1968) & (style.eq("pop") | style.eq(&owned));
/// assert!(filter.expression()?.starts_with("((.year == 1968) and "));
/// # Ok::<(), alizarin::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "an attribute of type `{T}` cannot be compared with `{Self}`",
    note = "enums and other types with `Serialize` are compared by `.is(&value)`"
)]
pub trait AttributeOperand<T> {
    /// It in the filter language, or why it cannot be written.
    #[doc(hidden)]
    fn literal(self) -> Result<String, String>;
}

/// Attributes that are numbers, or optional numbers: they are compared by size and computed with.
#[diagnostic::on_unimplemented(
    message = "an attribute of type `{Self}` is no number, so it cannot be compared by size"
)]
pub trait NumberAttribute {
    /// Whether `null` must be told from 0.
    #[doc(hidden)]
    const NULLABLE: bool;
}

/// Attributes that are text, or optional text: they have
/// [`contains`](super::AttributeField::contains).
#[diagnostic::on_unimplemented(
    message = "an attribute of type `{Self}` is no text, so it has no parts to look for"
)]
pub trait TextAttribute {}

impl TextAttribute for String {}
impl<T: TextAttribute> TextAttribute for Option<T> {}

impl<T: NumberAttribute> NumberAttribute for Option<T> {
    const NULLABLE: bool = true;
}

/// A Rust number in a filter: every type from 8 to 64 bits, `f32` and `f64`.
pub trait Number: NumberTerm {}

macro_rules! numbers {
    ($literal:ident: $($type:ty as $wide:ty),+) => {$(
        impl NumberTerm for $type {
            fn term(self) -> Result<String, String> {
                literal::$literal(<$wide>::from(self))
            }
        }

        impl Number for $type {}

        impl NumberAttribute for $type {
            const NULLABLE: bool = false;
        }

        impl<N: Number> AttributeOperand<$type> for N {
            fn literal(self) -> Result<String, String> {
                self.term()
            }
        }
    )+};
}

numbers!(integer: i8 as i128, i16 as i128, i32 as i128, i64 as i128, u8 as i128, u16 as i128, u32 as i128, u64 as i128);
numbers!(float: f64 as f64);

// Attributes are JSON, where an `f32` has its own shortest digits, not those of its double.
impl NumberTerm for f32 {
    fn term(self) -> Result<String, String> {
        literal::float(self.to_string().parse().unwrap_or(f64::NAN))
    }
}

impl Number for f32 {}

impl NumberAttribute for f32 {
    const NULLABLE: bool = false;
}

impl<N: Number> AttributeOperand<f32> for N {
    fn literal(self) -> Result<String, String> {
        self.term()
    }
}

impl AttributeOperand<bool> for bool {
    fn literal(self) -> Result<String, String> {
        Ok(literal::boolean(self).to_owned())
    }
}

macro_rules! texts {
    ($($type:ty),+) => {$(
        impl AttributeOperand<String> for $type {
            fn literal(self) -> Result<String, String> {
                literal::text(self.as_ref())
            }
        }
    )+};
}

texts!(&str, String, &String);

impl<T, V: AttributeOperand<T>> AttributeOperand<Option<T>> for V {
    fn literal(self) -> Result<String, String> {
        AttributeOperand::<T>::literal(self)
    }
}
