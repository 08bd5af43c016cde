//! Filters as data: a tree of conditions on one model's fields.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

use super::QueryWriter;
use crate::{Error, ErrorKind, Result};

/// Which documents are wanted: made by the methods of fields, joined by `&`, `|` and `!`.
///
/// `&` binds tighter than `|`, as in Rust. A filter sends nothing by itself; the query that uses it
/// gives an error of kind `Value` for a value that cannot be searched for, and names the field.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// let odd = films.find(|f| f.year.lt(1980) | f.genres.has("comedy") & f.director.is_missing());
/// assert_eq!(odd.count().await?, 2);
/// let recent = films.find(|f| !f.year.le(1980));
/// assert_eq!(recent.count().await?, 2);
/// # Ok(()) });
/// ```
#[must_use = "a filter does nothing until a query uses it"]
pub struct Filter<M, E> {
    node: E,
    model: PhantomData<fn() -> M>,
}

impl<M, E: Node> Filter<M, E> {
    pub(crate) fn of(node: E) -> Filter<M, E> {
        Filter { node, model: PhantomData }
    }

    /// The same filter under one type whatever it is made of, for filters built at run time.
    ///
    /// A value that cannot be searched for is kept as an error, which the query gives.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::query::everything;
    /// # alizarin_samples::films(async |films| {
    /// let (word, since) = (Some("earth"), None);
    /// let found = films.find(|f| {
    ///     let mut filter = everything().boxed();
    ///     if let Some(word) = word {
    ///         filter = (filter & f.plot.matches(word)).boxed();
    ///     }
    ///     if let Some(year) = since {
    ///         filter = (filter & f.year.ge::<i32>(year)).boxed();
    ///     }
    ///     filter
    /// });
    /// assert_eq!(found.count().await?, 2);
    /// # Ok(()) });
    /// ```
    pub fn boxed(self) -> Filter<M, BoxedNode> {
        let mut out = QueryWriter::new();
        let rendered = match self.node.constant() {
            Some(_) => Ok(()),
            None => self.node.render(&mut out),
        };
        let rendered = rendered.map(|()| out);
        Filter::of(BoxedNode { constant: self.node.constant(), rendered })
    }

    pub(crate) fn node(&self) -> &E {
        &self.node
    }

    pub(crate) fn into_node(self) -> E {
        self.node
    }

    /// The whole query's text and parameters.
    ///
    /// # Errors
    /// `Value` for a value that cannot be searched for, naming its field.
    pub(crate) fn render(&self) -> Result<QueryWriter> {
        let mut out = QueryWriter::new();
        render(&self.node, &mut out)?;
        Ok(out)
    }
}

impl<M, E: Clone> Clone for Filter<M, E> {
    fn clone(&self) -> Self {
        Filter { node: self.node.clone(), model: PhantomData }
    }
}

impl<M, E: Node> fmt::Debug for Filter<M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.render() {
            Ok(query) => f.debug_tuple("Filter").field(&query.text()).finish(),
            Err(error) => f.debug_tuple("Filter").field(&error).finish(),
        }
    }
}

/// A part of a filter.
///
/// ```
/// use alizarin::query::{Filter, Node};
/// use alizarin_samples::{Film, FilmFields};
///
/// fn recent(f: FilmFields, since: i32) -> Filter<Film, impl Node> {
///     f.year.ge(since) & f.rating.gt(5)
/// }
/// # let made = format!("{:?}", recent(FilmFields::default(), 1990));
/// # assert_eq!(made, r#"Filter("((@year:[$p0 +inf]) (@rating:[($p1 +inf]))")"#);
/// ```
pub trait Node: Send + Sync {
    /// Appends the condition in parentheses.
    ///
    /// # Errors
    /// `Value` or `Usage`, naming the field, for a value that cannot be searched for.
    #[doc(hidden)]
    fn render(&self, out: &mut QueryWriter) -> Result<()>;

    /// `true` when it holds for every document, `false` when for none: RediSearch has no words
    /// for either inside of a larger query.
    #[doc(hidden)]
    fn constant(&self) -> Option<bool> {
        None
    }
}

/// A whole query: what holds always is `*`, what holds never a word that no index contains.
pub(crate) fn render(node: &impl Node, out: &mut QueryWriter) -> Result<()> {
    match node.constant() {
        None => node.render(out),
        Some(true) => {
            out.push("*");
            Ok(())
        }
        Some(false) => {
            // The tokenizer drops control characters, so no indexed word holds one.
            out.push("(");
            out.param(b"\x1fnothing");
            out.push(")");
            Ok(())
        }
    }
}

/// One condition on one field: the value, and how it is written.
///
/// ```
/// use alizarin::query::{Filter, Leaf};
/// use alizarin_samples::{Film, FilmFields};
///
/// fn old(f: FilmFields) -> Filter<Film, Leaf<i32>> {
///     f.year.lt(1980)
/// }
/// # let made = format!("{:?}", old(FilmFields::default()));
/// # assert_eq!(made, r#"Filter("(@year:[-inf ($p0])")"#);
/// ```
#[derive(Clone)]
pub struct Leaf<V> {
    value: V,
    render: fn(&V, &mut QueryWriter) -> Result<()>,
}

impl<V> Leaf<V> {
    pub(crate) fn new(value: V, render: fn(&V, &mut QueryWriter) -> Result<()>) -> Leaf<V> {
        Leaf { value, render }
    }
}

impl<V: Send + Sync> Node for Leaf<V> {
    fn render(&self, out: &mut QueryWriter) -> Result<()> {
        (self.render)(&self.value, out)
    }
}

/// A condition that one of several values fulfils: by none when there are none.
///
/// ```
/// use alizarin::query::{Filter, OneOf};
/// use alizarin_samples::{Film, FilmFields};
///
/// fn scary(f: FilmFields) -> Filter<Film, OneOf<&'static str>> {
///     f.genres.has_any(["horror", "thriller"])
/// }
/// # let made = format!("{:?}", scary(FilmFields::default()));
/// # assert_eq!(made, r#"Filter("(@genres:{$p0|$p1})")"#);
/// ```
#[derive(Clone)]
pub struct OneOf<V> {
    values: Vec<V>,
    render: fn(&[V], &mut QueryWriter) -> Result<()>,
}

impl<V> OneOf<V> {
    pub(crate) fn new(
        values: impl IntoIterator<Item = V>,
        render: fn(&[V], &mut QueryWriter) -> Result<()>,
    ) -> OneOf<V> {
        OneOf { values: values.into_iter().collect(), render }
    }
}

impl<V: Send + Sync> Node for OneOf<V> {
    fn render(&self, out: &mut QueryWriter) -> Result<()> {
        (self.render)(&self.values, out)
    }

    fn constant(&self) -> Option<bool> {
        self.values.is_empty().then_some(false)
    }
}

/// A condition that all of several values fulfil: always when there are none.
///
/// ```
/// use alizarin::query::{AllOf, Filter};
/// use alizarin_samples::{Film, FilmFields};
///
/// fn scary(f: FilmFields) -> Filter<Film, AllOf<&'static str>> {
///     f.genres.has_all(["horror", "science fiction"])
/// }
/// # let made = format!("{:?}", scary(FilmFields::default()));
/// # assert_eq!(made, r#"Filter("((@genres:{$p0}) (@genres:{$p1}))")"#);
/// ```
#[derive(Clone)]
pub struct AllOf<V>(pub(crate) OneOf<V>);

impl<V: Send + Sync> Node for AllOf<V> {
    fn render(&self, out: &mut QueryWriter) -> Result<()> {
        self.0.render(out)
    }

    fn constant(&self) -> Option<bool> {
        self.0.constant().map(|none| !none)
    }
}

/// Both hold.
///
/// ```
/// use alizarin::query::{And, Filter, Leaf};
/// use alizarin_samples::{Film, FilmFields};
///
/// fn classic(f: FilmFields) -> Filter<Film, And<Leaf<i32>, Leaf<f64>>> {
///     f.year.lt(1980) & f.rating.gt(8.0)
/// }
/// # let made = format!("{:?}", classic(FilmFields::default()));
/// # assert_eq!(made, r#"Filter("((@year:[-inf ($p0]) (@rating:[($p1 +inf]))")"#);
/// ```
#[derive(Clone)]
pub struct And<A, B>(A, B);

impl<A: Node, B: Node> Node for And<A, B> {
    fn render(&self, out: &mut QueryWriter) -> Result<()> {
        pair(&self.0, " ", &self.1, out)
    }

    fn constant(&self) -> Option<bool> {
        match (self.0.constant(), self.1.constant()) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }
    }
}

/// One of the two holds, or both.
///
/// ```
/// use alizarin::query::{Filter, Leaf, Or};
/// use alizarin_samples::{Film, FilmFields};
///
/// fn odd(f: FilmFields) -> Filter<Film, Or<Leaf<i32>, Leaf<()>>> {
///     f.year.lt(1980) | f.director.is_missing()
/// }
/// # let made = format!("{:?}", odd(FilmFields::default()));
/// # assert_eq!(made, r#"Filter("((@year:[-inf ($p0])|(ismissing(@director)))")"#);
/// ```
#[derive(Clone)]
pub struct Or<A, B>(A, B);

impl<A: Node, B: Node> Node for Or<A, B> {
    fn render(&self, out: &mut QueryWriter) -> Result<()> {
        pair(&self.0, "|", &self.1, out)
    }

    fn constant(&self) -> Option<bool> {
        match (self.0.constant(), self.1.constant()) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }
    }
}

/// Writes those of two nodes that decide the matter.
fn pair(a: &impl Node, between: &str, b: &impl Node, out: &mut QueryWriter) -> Result<()> {
    match (a.constant(), b.constant()) {
        (Some(_), _) => b.render(out),
        (_, Some(_)) => a.render(out),
        (None, None) => {
            out.push("(");
            a.render(out)?;
            out.push(between);
            b.render(out)?;
            out.push(")");
            Ok(())
        }
    }
}

/// It does not hold.
///
/// ```
/// use alizarin::query::{Filter, Leaf, Negation};
/// use alizarin_samples::{Film, FilmFields};
///
/// fn recent(f: FilmFields) -> Filter<Film, Negation<Leaf<i32>>> {
///     !f.year.lt(1980)
/// }
/// # let made = format!("{:?}", recent(FilmFields::default()));
/// # assert_eq!(made, r#"Filter("(-(@year:[-inf ($p0]))")"#);
/// ```
#[derive(Clone)]
pub struct Negation<A>(pub(crate) A);

impl<A: Node> Node for Negation<A> {
    fn render(&self, out: &mut QueryWriter) -> Result<()> {
        out.push("(-");
        self.0.render(out)?;
        out.push(")");
        Ok(())
    }

    fn constant(&self) -> Option<bool> {
        self.0.constant().map(|constant| !constant)
    }
}

/// Every document.
///
/// ```
/// use alizarin::query::{Everything, Filter, everything};
/// use alizarin_samples::{Film, FilmFields};
///
/// fn any(_: FilmFields) -> Filter<Film, Everything> {
///     everything()
/// }
/// # let made = format!("{:?}", any(FilmFields::default()));
/// # assert_eq!(made, r#"Filter("*")"#);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Everything;

impl Node for Everything {
    fn render(&self, _out: &mut QueryWriter) -> Result<()> {
        Ok(())
    }

    fn constant(&self) -> Option<bool> {
        Some(true)
    }
}

/// Every document: `*`.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::query::everything;
/// # alizarin_samples::films(async |films| {
/// let newest = films.find(|_| everything()).sort_by(|f| f.year.desc()).first().await?;
/// assert_eq!(newest.map(|film| film.title).as_deref(), Some("Apollo 13"));
/// # Ok(()) });
/// ```
pub fn everything<M>() -> Filter<M, Everything> {
    Filter::of(Everything)
}

/// A filter of any shape, already rendered.
///
/// ```
/// use alizarin::query::{BoxedNode, Filter, everything};
/// use alizarin_samples::{Film, FilmFields};
///
/// fn since(f: FilmFields, year: Option<i32>) -> Filter<Film, BoxedNode> {
///     match year {
///         Some(year) => f.year.ge(year).boxed(),
///         None => everything().boxed(),
///     }
/// }
/// # let made = format!("{:?}", since(FilmFields::default(), None));
/// # assert_eq!(made, r#"Filter("*")"#);
/// ```
pub struct BoxedNode {
    constant: Option<bool>,
    rendered: Result<QueryWriter>,
}

impl Node for BoxedNode {
    fn render(&self, out: &mut QueryWriter) -> Result<()> {
        match &self.rendered {
            Ok(query) => {
                out.append(query);
                Ok(())
            }
            Err(error) => Err(again(error)),
        }
    }

    fn constant(&self) -> Option<bool> {
        self.constant
    }
}

impl Clone for BoxedNode {
    fn clone(&self) -> Self {
        let rendered = self.rendered.as_ref().map(Clone::clone).map_err(again);
        BoxedNode { constant: self.constant, rendered }
    }
}

/// The same error once more; a filter's errors have no source.
fn again(error: &Error) -> Error {
    let copy = Error::new(error.kind(), error.message().to_owned());
    match error.field() {
        Some(field) => copy.with_field(field),
        None => copy,
    }
}

impl<M, A: Node, B: Node> BitAnd<Filter<M, B>> for Filter<M, A> {
    type Output = Filter<M, And<A, B>>;

    fn bitand(self, other: Filter<M, B>) -> Self::Output {
        Filter::of(And(self.node, other.node))
    }
}

impl<M, A: Node, B: Node> BitOr<Filter<M, B>> for Filter<M, A> {
    type Output = Filter<M, Or<A, B>>;

    fn bitor(self, other: Filter<M, B>) -> Self::Output {
        Filter::of(Or(self.node, other.node))
    }
}

impl<M, A: Node> Not for Filter<M, A> {
    type Output = Filter<M, Negation<A>>;

    fn not(self) -> Self::Output {
        Filter::of(Negation(self.node))
    }
}

macro_rules! opaque_debug {
    ($(($($generics:tt)*) $type:ty),+ $(,)?) => {$(
        impl<$($generics)*> fmt::Debug for $type {
            /// The query text; values may be secrets.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut out = QueryWriter::new();
                match render(self, &mut out) {
                    Ok(()) => f.write_str(out.text()),
                    Err(error) => fmt::Debug::fmt(&error, f),
                }
            }
        }
    )+};
}

opaque_debug! {
    (V: Send + Sync) Leaf<V>,
    (V: Send + Sync) OneOf<V>,
    (V: Send + Sync) AllOf<V>,
    (A: Node, B: Node) And<A, B>,
    (A: Node, B: Node) Or<A, B>,
    (A: Node) Negation<A>,
    () BoxedNode,
}

/// A mistake in a filter's value, naming its field.
pub(crate) fn wrong(kind: ErrorKind, field: &str, message: impl Into<String>) -> Error {
    Error::new(kind, message.into()).with_field(field)
}
