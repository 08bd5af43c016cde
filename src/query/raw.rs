//! A clause in RediSearch's own syntax, for what the typed filters do not say.

use std::fmt;

use super::{Filter, Node, QueryWriter};
use crate::{Error, ErrorKind, Result};

/// Query text that somebody vouches for: a literal of the program, or [`AssertQuerySafe`].
///
/// Text made at run time does not compile:
///
/// ```compile_fail
/// use alizarin::query::{Filter, Raw, raw};
/// use alizarin_samples::Film;
///
/// fn by(name: &str) -> Filter<Film, Raw> {
///     raw(format!("@director:{{{name}}}"))
/// }
/// ```
/// ```
/// use alizarin::query::{Filter, Raw, raw};
/// use alizarin_samples::Film;
///
/// fn by(name: &str) -> Filter<Film, Raw> {
///     raw("@director:{$name}").param("name", name)
/// }
/// # assert!(format!("{:?}", by("x")).contains("@director:{$p0}"));
/// ```
#[diagnostic::on_unimplemented(
    message = "query text made at run time can be misread by the server as something else",
    label = "this is not a literal of the program",
    note = "write the text as a literal and put values in by `.param(\"name\", value)`; \
            wrap it in `AssertQuerySafe` if it holds no text from outside"
)]
pub trait QueryText {
    /// The text. Called by [`raw`].
    fn into_text(self) -> String;
}

impl QueryText for &'static str {
    fn into_text(self) -> String {
        self.to_owned()
    }
}

/// Says that a text made at run time is safe: nothing of it came from outside.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::query::{AssertQuerySafe, raw};
/// # alizarin_samples::films(async |films| {
/// let fields = ["title", "plot"].join("|");
/// let text = AssertQuerySafe(format!("@{fields}:$word"));
/// assert_eq!(films.find(|_| raw(text).param("word", "earth")).count().await?, 2);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "it is only a wrapper")]
pub struct AssertQuerySafe<T>(pub T);

impl<T: Into<String>> QueryText for AssertQuerySafe<T> {
    fn into_text(self) -> String {
        self.0.into()
    }
}

/// A clause in RediSearch's syntax (`DIALECT 2`); values go in by [`Filter::param`], and are
/// written `$name` in the text.
///
/// Nothing checks it before the server does.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::query::raw;
/// # alizarin_samples::films(async |films| {
/// let found = films.find(|f| {
///     raw("@title:($word)=>{$weight:5.0}").param("word", "alien") | f.plot.matches("astronaut")
/// });
/// assert_eq!(found.await?[0].title, "Alien");
/// # Ok(()) });
/// ```
pub fn raw<M>(text: impl QueryText) -> Filter<M, Raw> {
    Filter::of(Raw { text: text.into_text(), params: Vec::new() })
}

/// A clause made by [`raw`].
///
/// ```
/// use alizarin::query::{Filter, Raw, raw};
/// # use alizarin_samples::Film;
///
/// fn optional() -> Filter<Film, Raw> {
///     raw("~@genres:{comedy}")
/// }
/// # assert_eq!(format!("{:?}", optional()), r#"Filter("(~@genres:{comedy})")"#);
/// ```
#[derive(Clone)]
pub struct Raw {
    text: String,
    params: Vec<(&'static str, Vec<u8>)>,
}

impl<M> Filter<M, Raw> {
    /// The value of `$name` in the text, as text or bytes. Where the text does not name it, the
    /// query gives a `Usage` error.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::query::raw;
    /// # alizarin_samples::films(async |films| {
    /// let range = raw("@year:[$from $to]").param("from", "1980").param("to", "1989");
    /// assert_eq!(films.find(|_| range).count().await?, 2);
    /// # Ok(()) });
    /// ```
    pub fn param(self, name: &'static str, value: impl AsRef<[u8]>) -> Filter<M, Raw> {
        let mut raw = self.into_node();
        raw.params.push((name, value.as_ref().to_vec()));
        Filter::of(raw)
    }
}

impl Node for Raw {
    fn render(&self, out: &mut QueryWriter) -> Result<()> {
        out.push("(");
        let mut rest = self.text.as_str();
        let mut used = vec![false; self.params.len()];
        while let Some(at) = rest.find('$') {
            let (before, after) = rest.split_at(at);
            out.push(before);
            let after = after.get(1..).unwrap_or_default();
            let end = after
                .find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
                .unwrap_or(after.len());
            let (name, then) = after.split_at(end);
            match self.params.iter().position(|(param, _)| *param == name) {
                Some(at) if !before.ends_with('\\') => {
                    let value = self.params.get(at).map(|(_, value)| value.as_slice());
                    out.param(value.unwrap_or_default());
                    if let Some(used) = used.get_mut(at) {
                        *used = true;
                    }
                }
                // Query attributes such as `$weight` are written with the same sign.
                _ => {
                    out.push("$");
                    out.push(name);
                }
            }
            rest = then;
        }
        out.push(rest);
        out.push(")");
        match used.iter().position(|used| !used).and_then(|at| self.params.get(at)) {
            Some((name, _)) => Err(Error::new(
                ErrorKind::Usage,
                format!("the raw clause has a value for `${name}`, which its text does not name"),
            )),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Raw {
    /// The text without its values, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Raw").field(&self.text).finish()
    }
}
