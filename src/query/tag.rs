//! Parts of tags: beginnings, ends, and what stands between.

use super::filter::{Leaf, wrong};
use super::{Field, FieldSpec, Filter, IsTag, QueryWriter, attribute_name};
use crate::{ErrorKind, Result};

impl<S: FieldSpec> Field<S> {
    /// The tag begins with `text`, of at least two bytes; less is a `Value` error of the query.
    ///
    /// The server looks at no more than 200 different tags (`MAXPREFIXEXPANSIONS`) and does not
    /// say when there were more.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.director.starts_with("ridley")).count().await?, 2);
    /// # Ok(()) });
    /// ```
    pub fn starts_with<V: AsRef<str> + Send + Sync>(self, text: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsTag,
    {
        Filter::of(Leaf::new(text, |text, out| part::<S>("{", text.as_ref(), "*}", out)))
    }

    /// The tag ends with `text`, of at least two bytes.
    ///
    /// Without `suffix_trie` on the field the server goes through all its tags; 200 matching tags
    /// at most, as for [`Field::starts_with`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.genres.ends_with("fiction")).count().await?, 2);
    /// # Ok(()) });
    /// ```
    pub fn ends_with<V: AsRef<str> + Send + Sync>(self, text: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsTag,
    {
        Filter::of(Leaf::new(text, |text, out| part::<S>("{*", text.as_ref(), "}", out)))
    }

    /// The tag holds `text`, of at least two bytes, anywhere.
    ///
    /// It costs what [`Field::ends_with`] costs.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.genres.contains("med")).one().await?.title, "Airplane!");
    /// # Ok(()) });
    /// ```
    pub fn contains<V: AsRef<str> + Send + Sync>(self, text: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsTag,
    {
        Filter::of(Leaf::new(text, |text, out| part::<S>("{*", text.as_ref(), "*}", out)))
    }
}

fn part<S: FieldSpec>(open: &str, text: &str, close: &str, out: &mut QueryWriter) -> Result<()> {
    if text.len() < 2 {
        return Err(short::<S>(text));
    }
    if text.contains('\0') {
        return Err(wrong(ErrorKind::Value, &attribute_name::<S>(), "a tag cannot hold NUL"));
    }
    out.push("(");
    out.attribute::<S>();
    out.push(":");
    out.push(open);
    out.word(text.as_bytes());
    out.push(close);
    out.push(")");
    Ok(())
}

/// The server finds nothing by less than two bytes (`MINPREFIX`), and does not say so.
pub(crate) fn short<S: FieldSpec>(text: &str) -> crate::Error {
    let message = format!("{text:?} is too short: the server searches by two bytes or more");
    wrong(ErrorKind::Value, &attribute_name::<S>(), message)
}
