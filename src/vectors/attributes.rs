//! The facts kept beside a vector.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Result};

/// A struct of attributes with typed handles for filters; made by `#[derive(RedisAttributes)]`.
///
/// Storing needs no more than `Serialize` and `DeserializeOwned`: this is what
/// [`filter`](super::SimilarTo::filter) takes its handles from.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::client(async |client, prefix| {
/// #[derive(Serialize, Deserialize, RedisAttributes)]
/// struct Facts {
///     #[serde(rename = "released")]
///     year: i32,
/// }
///
/// let films: VectorSet<u32, Facts> = client.vector_set(format!("{prefix}films"));
/// films.add(&1, &[0.9, 0.1]).attributes(&Facts { year: 1979 }).await?;
/// assert_eq!(films.similar_to(&[1.0, 0.0]).filter(|a| a.year.lt(1980)).await?.len(), 1);
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no handles for filters",
    note = "add `#[derive(RedisAttributes)]`, or filter by `.matching(attribute::<i32>(\"year\").gt(1990))`"
)]
pub trait VectorAttributes {
    /// One [`AttributeField`](super::AttributeField) a field.
    type Fields: Default;
}

/// No attributes.
impl VectorAttributes for () {
    type Fields = ();
}

pub(super) fn to_json<A: Serialize>(attributes: &A) -> Result<String> {
    serde_json::to_string(attributes).map_err(|error| {
        Error::new(ErrorKind::Value, "the attributes cannot be written as JSON").with_source(error)
    })
}

pub(super) fn from_json<A: DeserializeOwned>(json: &str) -> Result<A> {
    serde_json::from_str(json).map_err(|error| {
        let what = format!("an element's attributes do not read as {}", std::any::type_name::<A>());
        Error::new(ErrorKind::Decode, what).with_source(error)
    })
}
