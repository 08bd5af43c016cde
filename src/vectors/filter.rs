//! Typed filters on the attributes of a vector set's elements.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Not, Rem, Sub};

use serde::Serialize;

use super::literal;
use super::operand::{AttributeOperand, NumberAttribute, NumberTerm, TextAttribute};
use crate::{Error, ErrorKind, Result};

/// To be written on the left: the server reads it as a word only with a space after it.
const NULL: &str = "null";

/// A condition on attributes: made by the methods of [`AttributeField`], joined by `&`, `|`, `!`.
///
/// An element that lacks an attribute that the condition names never matches, whatever the rest
/// says, even under `|` and `!`; an attribute that is `null` counts as there.
///
/// ```
/// # alizarin_samples::posters(async |posters| {
/// let blue = posters.similar_to(&[0.0, 0.0, 1.0]);
/// let found = blue.filter(|a| a.sizes.has("A1") & !(a.style.eq("pop") | a.year.gt(1990))).await?;
/// assert_eq!((found.len(), found[0].id), (1, 1));
/// # Ok(()) });
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AttributeFilter(Result<String, String>);

impl AttributeFilter {
    /// The condition in the server's filter language.
    ///
    /// # Errors
    /// `Value` for a value or name that the language cannot write.
    ///
    /// ```
    /// use alizarin::vectors::attribute;
    /// let filter = attribute::<i32>("year").gt(1990) & !attribute::<String>("genre").eq("Drama");
    /// assert_eq!(filter.expression()?, r#"((.year > 1990) and (not (.genre == "Drama")))"#);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn expression(&self) -> Result<String> {
        self.0.clone().map_err(|reason| Error::new(ErrorKind::Value, reason))
    }

    fn binary(left: Result<String, String>, operator: &str, right: Result<String, String>) -> Self {
        AttributeFilter(binary(left, operator, right))
    }
}

fn binary(
    left: Result<String, String>,
    operator: &str,
    right: Result<String, String>,
) -> Result<String, String> {
    Ok(format!("({} {operator} {})", left?, right?))
}

impl BitAnd for AttributeFilter {
    type Output = AttributeFilter;

    fn bitand(self, other: AttributeFilter) -> AttributeFilter {
        AttributeFilter::binary(self.0, "and", other.0)
    }
}

impl BitOr for AttributeFilter {
    type Output = AttributeFilter;

    fn bitor(self, other: AttributeFilter) -> AttributeFilter {
        AttributeFilter::binary(self.0, "or", other.0)
    }
}

impl Not for AttributeFilter {
    type Output = AttributeFilter;

    fn not(self) -> AttributeFilter {
        AttributeFilter(self.0.map(|inner| format!("(not {inner})")))
    }
}

impl fmt::Debug for AttributeFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its values may be anybody's data: `expression` gives them.
        f.debug_struct("AttributeFilter")
            .field("is_usable", &self.0.is_ok())
            .finish_non_exhaustive()
    }
}

/// The attribute of this name, holding a `T`: what `#[derive(RedisAttributes)]` makes one of a
/// field.
///
/// ```
/// use alizarin::vectors::attribute;
/// # alizarin_samples::posters(async |posters| {
/// let old = attribute::<i32>("year").lt(1950) & attribute::<String>("style").ne("bauhaus");
/// let found = posters.similar_to(&[0.0, 0.0, 1.0]).matching(old).await?;
/// assert_eq!((found.len(), found[0].id), (1, 1));
/// # Ok(()) });
/// ```
pub const fn attribute<T>(name: &'static str) -> AttributeField<T> {
    AttributeField::new(name)
}

/// One attribute of the elements of a vector set, in filters: what `|a| a.year` is.
///
/// ```
/// # alizarin_samples::posters(async |posters| {
/// let blue = posters.similar_to(&[0.0, 0.0, 1.0]);
/// let found = blue.filter(|a| a.year.le(1923) & a.style.contains("haus")).await?;
/// assert_eq!((found.len(), found[0].id), (1, 2));
/// # Ok(()) });
/// ```
pub struct AttributeField<T: ?Sized> {
    name: &'static str,
    value: PhantomData<fn() -> Box<T>>,
}

impl<T> AttributeField<T> {
    /// The handle of the attribute with this name. Called by derived code; see also [`attribute`].
    pub const fn new(name: &'static str) -> AttributeField<T> {
        AttributeField { name, value: PhantomData }
    }

    /// The attribute's name in the JSON.
    ///
    /// ```
    /// use alizarin::vectors::attribute;
    /// assert_eq!(attribute::<i32>("year").name(), "year");
    /// ```
    pub const fn name(&self) -> &'static str {
        self.name
    }

    fn selector(self) -> Result<String, String> {
        literal::selector(self.name)
    }

    /// The attribute equals `value`.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let pop = posters.similar_to(&[1.0, 0.0, 0.0]).filter(|a| a.style.eq("pop")).await?;
    /// assert_eq!((pop.len(), pop[0].id), (1, 3));
    /// # Ok(()) });
    /// ```
    pub fn eq(self, value: impl AttributeOperand<T>) -> AttributeFilter {
        AttributeFilter::binary(self.selector(), "==", value.literal())
    }

    /// The attribute differs from `value`; one that is `null` does.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let others = posters.similar_to(&[1.0, 0.0, 0.0]).filter(|a| a.style.ne("pop")).await?;
    /// assert_eq!((others.len(), others[0].id), (2, 1));
    /// # Ok(()) });
    /// ```
    pub fn ne(self, value: impl AttributeOperand<T>) -> AttributeFilter {
        AttributeFilter::binary(self.selector(), "!=", value.literal())
    }

    /// The attribute equals one of these.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let red = posters.similar_to(&[1.0, 0.0, 0.0]);
    /// let found = red.filter(|a| a.style.is_in(["pop", "bauhaus"])).await?;
    /// assert_eq!((found.len(), found[0].id), (2, 2));
    /// # Ok(()) });
    /// ```
    pub fn is_in(self, values: impl IntoIterator<Item: AttributeOperand<T>>) -> AttributeFilter {
        let values: Result<Vec<_>, String> =
            values.into_iter().map(AttributeOperand::literal).collect();
        AttributeFilter::binary(
            self.selector(),
            "in",
            values.map(|values| format!("[{}]", values.join(", "))),
        )
    }

    /// The attribute equals what `value` serialises to: for enums and other types that become
    /// text, a number or a boolean.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::client(async |client, prefix| {
    /// #[derive(Serialize, Deserialize)]
    /// enum State {
    ///     Mint,
    ///     Torn,
    /// }
    ///
    /// #[derive(Serialize, Deserialize, RedisAttributes)]
    /// struct Facts {
    ///     state: State,
    /// }
    ///
    /// let posters: VectorSet<u32, Facts> = client.vector_set(format!("{prefix}posters"));
    /// posters.add(&1, &[0.9, 0.1]).attributes(&Facts { state: State::Mint }).await?;
    /// posters.add(&2, &[0.8, 0.2]).attributes(&Facts { state: State::Torn }).await?;
    /// let torn = posters.similar_to(&[1.0, 0.0]).filter(|a| a.state.is(&State::Torn)).await?;
    /// assert_eq!((torn.len(), torn[0].id), (1, 2));
    /// # Ok(()) });
    /// ```
    pub fn is(self, value: &T) -> AttributeFilter
    where
        T: Serialize,
    {
        // `null` is a word of its own only with a space after it.
        AttributeFilter::binary(literal::serialized(value), "==", self.selector())
    }
}

impl<T> AttributeField<Option<T>> {
    /// The attribute is `null` (an attribute that is left out of the JSON is not).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::client(async |client, prefix| {
    /// #[derive(Serialize, Deserialize, RedisAttributes)]
    /// struct Facts {
    ///     owner: Option<String>,
    /// }
    ///
    /// let posters: VectorSet<u32, Facts> = client.vector_set(format!("{prefix}posters"));
    /// posters.add(&1, &[0.9, 0.1]).attributes(&Facts { owner: None }).await?;
    /// posters.add(&2, &[0.8, 0.2]).attributes(&Facts { owner: Some("Ann".to_owned()) }).await?;
    /// let free = posters.similar_to(&[1.0, 0.0]).filter(|a| a.owner.is_null()).await?;
    /// assert_eq!((free.len(), free[0].id), (1, 1));
    /// # Ok(()) });
    /// ```
    pub fn is_null(self) -> AttributeFilter {
        AttributeFilter::binary(Ok(NULL.to_owned()), "==", self.selector())
    }
}

impl<T> AttributeField<Vec<T>> {
    /// The list holds `value`.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let large = posters.similar_to(&[1.0, 0.0, 0.0]).filter(|a| a.sizes.has("A1")).await?;
    /// assert_eq!(large.len(), 2);
    /// # Ok(()) });
    /// ```
    pub fn has(self, value: impl AttributeOperand<T>) -> AttributeFilter {
        AttributeFilter::binary(value.literal(), "in", self.selector())
    }
}

impl<T: TextAttribute> AttributeField<T> {
    /// The text holds `part`, in the same case.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let found = posters.similar_to(&[0.0, 0.0, 1.0]).filter(|a| a.style.contains("art")).await?;
    /// assert_eq!((found.len(), found[0].id), (1, 1));
    /// # Ok(()) });
    /// ```
    pub fn contains(self, part: &str) -> AttributeFilter {
        AttributeFilter::binary(literal::text(part), "in", self.selector())
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident $operator:literal;)+) => {
        impl<T: NumberAttribute> AttributeField<T> {$(
            $(#[$doc])*
            pub fn $name(self, value: impl NumberTerm) -> AttributeFilter {
                let compared = AttributeFilter::binary(self.selector(), $operator, value.term());
                if !T::NULLABLE {
                    return compared;
                }
                // The server takes null for 0 here.
                AttributeFilter::binary(Ok(NULL.to_owned()), "!=", self.selector()) & compared
            }
        )+}

        impl AttributeNumber {$(
            $(#[$doc])*
            pub fn $name(self, value: impl NumberTerm) -> AttributeFilter {
                AttributeFilter::binary(self.0, $operator, value.term())
            }
        )+}
    };
}

comparisons! {
    /// It is less than `value`.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let found = posters.similar_to(&[1.0, 0.0, 0.0]).filter(|a| a.year.lt(1923)).await?;
    /// assert_eq!((found.len(), found[0].id), (1, 1));
    /// # Ok(()) });
    /// ```
    lt "<";
    /// It is at most `value`.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let found = posters.similar_to(&[1.0, 0.0, 0.0]).filter(|a| a.year.le(1923)).await?;
    /// assert_eq!((found.len(), found[0].id), (2, 1));
    /// # Ok(()) });
    /// ```
    le "<=";
    /// It is greater than `value`.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let found = posters.similar_to(&[1.0, 0.0, 0.0]).filter(|a| a.year.gt(1923)).await?;
    /// assert_eq!((found.len(), found[0].id), (1, 3));
    /// # Ok(()) });
    /// ```
    gt ">";
    /// It is at least `value`.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let found = posters.similar_to(&[1.0, 0.0, 0.0]).filter(|a| a.year.ge(1923)).await?;
    /// assert_eq!((found.len(), found[0].id), (2, 2));
    /// # Ok(()) });
    /// ```
    ge ">=";
}

impl AttributeNumber {
    /// It equals `value`.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let odd = posters.similar_to(&[1.0, 0.0, 0.0]).filter(|a| (a.year % 2).eq(1)).await?;
    /// assert_eq!((odd.len(), odd[0].id), (1, 2));
    /// # Ok(()) });
    /// ```
    pub fn eq(self, value: impl NumberTerm) -> AttributeFilter {
        AttributeFilter::binary(self.0, "==", value.term())
    }

    /// It differs from `value`.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let even = posters.similar_to(&[1.0, 0.0, 0.0]).filter(|a| (a.year % 2).ne(1)).await?;
    /// assert_eq!((even.len(), even[0].id), (2, 1));
    /// # Ok(()) });
    /// ```
    pub fn ne(self, value: impl NumberTerm) -> AttributeFilter {
        AttributeFilter::binary(self.0, "!=", value.term())
    }
}

/// Arithmetic on attributes, such as `a.gross - a.budget`; computed in doubles by the server, to
/// which `null` is 0 here.
///
/// ```
/// # alizarin_samples::posters(async |posters| {
/// let red = posters.similar_to(&[1.0, 0.0, 0.0]);
/// let found = red.filter(|a| ((a.year - 1900) / 10).gt(2)).await?;
/// assert_eq!((found.len(), found[0].id), (2, 2));
/// # Ok(()) });
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AttributeNumber(Result<String, String>);

impl fmt::Debug for AttributeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttributeNumber")
            .field("is_usable", &self.0.is_ok())
            .finish_non_exhaustive()
    }
}

impl NumberTerm for AttributeNumber {
    fn term(self) -> Result<String, String> {
        self.0
    }
}

impl<T: NumberAttribute> NumberTerm for AttributeField<T> {
    fn term(self) -> Result<String, String> {
        self.selector()
    }
}

macro_rules! arithmetic {
    ($($trait:ident $method:ident $operator:literal;)+) => {$(
        impl<T: NumberAttribute, R: NumberTerm> $trait<R> for AttributeField<T> {
            type Output = AttributeNumber;

            fn $method(self, right: R) -> AttributeNumber {
                AttributeNumber(binary(self.selector(), $operator, right.term()))
            }
        }

        impl<R: NumberTerm> $trait<R> for AttributeNumber {
            type Output = AttributeNumber;

            fn $method(self, right: R) -> AttributeNumber {
                AttributeNumber(binary(self.0, $operator, right.term()))
            }
        }
    )+};
}

arithmetic! {
    Add add "+";
    Sub sub "-";
    Mul mul "*";
    Div div "/";
    Rem rem "%";
}

impl<T: ?Sized> Clone for AttributeField<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for AttributeField<T> {}

impl<T: ?Sized> fmt::Debug for AttributeField<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AttributeField").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "shorter to call")]
    fn text(filter: AttributeFilter) -> String {
        filter.expression().unwrap()
    }

    const YEAR: AttributeField<u32> = attribute("year");
    const RATING: AttributeField<Option<f32>> = attribute("rating");
    const TITLE: AttributeField<String> = attribute("title");

    #[test]
    fn conditions() {
        assert_eq!(text(YEAR.gt(1990) & YEAR.le(2000)), "((.year > 1990) and (.year <= 2000))");
        assert_eq!(
            text(!TITLE.eq("it's") | YEAR.is_in([1, 2])),
            "((not (.title == \"it's\")) or (.year in [1, 2]))"
        );
        assert_eq!(text(RATING.ge(7)), "((null != .rating) and (.rating >= 7))");
        assert_eq!(text(RATING.eq(7.1_f32)), "(.rating == 7.1)");
        assert_eq!(text(attribute::<bool>("seen").eq(true)), "(.seen == 1)");
        assert_eq!(text(attribute::<Vec<String>>("tags").has("x")), "(\"x\" in .tags)");
        assert_eq!(text(TITLE.contains("wars")), "(\"wars\" in .title)");
        assert_eq!(text(attribute::<Option<String>>("genre").is_null()), "(null == .genre)");
        assert_eq!(text(((YEAR - 3) % 4 * YEAR).eq(0)), "((((.year - 3) % 4) * .year) == 0)");
    }

    #[test]
    fn what_cannot_be_written_is_an_error_wherever_it_stands() {
        let bad = TITLE.eq("' or \"");
        assert!(bad.expression().is_err());
        assert!((!bad.clone() & YEAR.gt(1)).expression().is_err());
        assert!((YEAR.gt(1) | bad).expression().is_err());
        assert!(attribute::<i32>("a b").gt(1).expression().is_err());
        assert!((YEAR + f64::NAN).gt(1).expression().is_err());
    }
}
