//! Searching by similarity.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use serde::de::DeserializeOwned;

use super::attributes::from_json;
use super::failure::explain;
use super::reply::{Hit, Hits};
use super::{AttributeFilter, VectorAttributes};
use crate::model::ModelId;
use crate::{Client, Command, Error, ErrorKind, Result};

/// An element that was found.
///
/// ```
/// # alizarin_samples::posters(async |posters| {
/// let red = posters.similar_to(&[1.0, 0.0, 0.0]).await?;
/// assert!(red[0].score > 0.99);
/// assert!((red[2].score - 0.5).abs() < 0.01);
/// assert_eq!(red[0].attributes, None);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Similar<Id, A = ()> {
    /// The element.
    pub id: Id,
    /// How similar it is: 1 for the same direction, 0.5 for a right angle, 0 for the opposite.
    pub score: f64,
    /// Its attributes, where it has some and they were asked for by
    /// [`with_attributes`](SimilarTo::with_attributes).
    pub attributes: Option<A>,
}

/// What elements are compared with.
pub(super) enum Target {
    /// A vector's bytes.
    Vector(Vec<u8>),
    /// An element's name.
    Element(String),
}

/// A search by similarity; made by [`VectorSet::similar_to`](super::VectorSet::similar_to) and
/// [`VectorSet::similar`](super::VectorSet::similar).
///
/// Awaiting it sends `VSIM` and gives the elements, the most similar first: ten unless
/// [`count`](Self::count) says otherwise. A set that does not exist has none.
///
/// ```
/// # alizarin_samples::posters(async |posters| {
/// let red = posters
///     .similar_to(&[1.0, 0.0, 0.0])
///     .filter(|a| a.year.gt(1900) & a.sizes.has("A2"))
///     .with_attributes()
///     .await?;
/// assert_eq!(red.len(), 1);
/// assert_eq!(red[0].attributes.as_ref().map(|facts| facts.style.as_str()), Some("bauhaus"));
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Value` for a vector of another dimension or a filter that cannot be written; `NotFound` when
/// the element to compare with is not in the set; `Decode`, naming the element, for attributes
/// that do not read as `A`; `Server` for a key of another type; `Unsupported` before Redis 8.0.
///
/// # Cancel safety
/// It only reads.
#[must_use = "nothing is searched before it is awaited"]
pub struct SimilarTo<'c, Id, A> {
    pub(super) client: &'c Client,
    pub(super) key: &'c str,
    pub(super) target: Result<Target>,
    pub(super) count: Option<u64>,
    pub(super) ef: Option<u32>,
    pub(super) epsilon: Option<f64>,
    pub(super) filter: Option<AttributeFilter>,
    pub(super) filter_ef: Option<u64>,
    pub(super) exact: bool,
    pub(super) with_attributes: bool,
    pub(super) types: PhantomData<fn() -> (Id, A)>,
}

impl<'c, Id, A> SimilarTo<'c, Id, A> {
    pub(super) fn new(client: &'c Client, key: &'c str, target: Result<Target>) -> Self {
        SimilarTo {
            client,
            key,
            target,
            count: None,
            ef: None,
            epsilon: None,
            filter: None,
            filter_ef: None,
            exact: false,
            with_attributes: false,
            types: PhantomData,
        }
    }

    /// At most this many elements (`COUNT`).
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// assert_eq!(posters.similar_to(&[1.0, 0.0, 0.0]).count(2).await?.len(), 2);
    /// # Ok(()) });
    /// ```
    pub fn count(mut self, n: u64) -> Self {
        self.count = Some(n);
        self
    }

    /// Only elements whose attributes match: `.filter(|a| a.year.gt(1990))`. Several filters must
    /// all match.
    ///
    /// The search is for the nearest elements first: a filter that few match may give fewer
    /// elements than there are; see [`filter_ef`](Self::filter_ef).
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let new = posters.similar_to(&[1.0, 0.0, 0.0]).filter(|a| a.year.gt(1900)).await?;
    /// assert_eq!((new[0].id, new.len()), (2, 2));
    /// # Ok(()) });
    /// ```
    pub fn filter(self, filter: impl FnOnce(A::Fields) -> AttributeFilter) -> Self
    where
        A: VectorAttributes,
    {
        self.matching(filter(A::Fields::default()))
    }

    /// As [`filter`](Self::filter), with a filter made apart from the attributes' type:
    /// `.matching(attribute::<i32>("year").gt(1990))`.
    ///
    /// ```
    /// use alizarin::vectors::attribute;
    /// # alizarin_samples::posters(async |posters| {
    /// let old = attribute::<i32>("year").lt(1900);
    /// let found = posters.similar_to(&[0.0, 0.0, 1.0]).matching(old).await?;
    /// assert_eq!((found[0].id, found.len()), (1, 1));
    /// # Ok(()) });
    /// ```
    pub fn matching(mut self, filter: AttributeFilter) -> Self {
        self.filter = Some(match self.filter.take() {
            None => filter,
            Some(before) => before & filter,
        });
        self
    }

    /// How many candidates are weighed (`EF`): more takes longer and misses less.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// assert_eq!(posters.similar_to(&[0.0, 0.0, 1.0]).ef(1000).count(1).await?[0].id, 3);
    /// # Ok(()) });
    /// ```
    pub fn ef(mut self, candidates: u32) -> Self {
        self.ef = Some(candidates);
        self
    }

    /// How many elements a filter is tried on before the search ends (`FILTER-EF`, a hundred
    /// times the count by default): give the set's size to try all.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let all = posters.len().await?;
    /// let pop = posters.similar_to(&[1.0, 0.0, 0.0]).filter(|a| a.style.eq("pop")).filter_ef(all);
    /// assert_eq!(pop.await?[0].id, 3);
    /// # Ok(()) });
    /// ```
    pub fn filter_ef(mut self, elements: u64) -> Self {
        self.filter_ef = Some(elements);
        self
    }

    /// Only elements no further away than this (`EPSILON`): 0.2 leaves those with a score of at
    /// least 0.8.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let near = posters.similar_to(&[1.0, 0.0, 0.0]).epsilon(0.2).await?;
    /// assert_eq!(near.len(), 2);
    /// assert!(near.iter().all(|poster| poster.score >= 0.8));
    /// # Ok(()) });
    /// ```
    pub fn epsilon(mut self, distance: f64) -> Self {
        self.epsilon = Some(distance);
        self
    }

    /// Compares with every element (`TRUTH`): exact, and slow in large sets.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// assert_eq!(posters.similar_to(&[0.0, 0.3, 0.9]).exact().await?[0].id, 3);
    /// # Ok(()) });
    /// ```
    pub fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    /// Reads the elements' attributes too (`WITHATTRIBS`, from Redis 8.2).
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let blue = posters.similar_to(&[0.0, 0.0, 1.0]).count(1).with_attributes().await?;
    /// assert_eq!(blue[0].attributes.as_ref().map(|facts| facts.year), Some(1968));
    /// # Ok(()) });
    /// ```
    pub fn with_attributes(mut self) -> Self {
        self.with_attributes = true;
        self
    }

    fn command<R>(&mut self) -> Result<Command<R>> {
        let target = std::mem::replace(&mut self.target, Err(Error::new(ErrorKind::Closed, "")))?;
        let command = Command::new("VSIM").key(self.key);
        let mut command = match target {
            Target::Vector(blob) => command.arg(("FP32", blob)),
            Target::Element(id) => command.arg(("ELE", id)),
        };
        command = command.arg("WITHSCORES");
        if self.with_attributes {
            command = command.arg("WITHATTRIBS");
        }
        command =
            command.arg(self.count.map(|n| ("COUNT", n))).arg(self.epsilon.map(|d| ("EPSILON", d)));
        command = command.arg(self.ef.map(|n| ("EF", n)));
        if let Some(filter) = &self.filter {
            command = command.arg(("FILTER", filter.expression()?));
        }
        command = command.arg(self.filter_ef.map(|n| ("FILTER-EF", n)));
        Ok(if self.exact { command.arg("TRUTH") } else { command })
    }

    async fn search(mut self) -> Result<Vec<Hit>> {
        if self.count == Some(0) {
            return Ok(Vec::new());
        }
        let named = |error: Error| error.with_command("VSIM");
        let found = if self.with_attributes {
            let command = self.command().map_err(named)?;
            self.client.run(command).await.map(|Hits::<true>(hits)| hits)
        } else {
            let command = self.command().map_err(named)?;
            self.client.run(command).await.map(|Hits::<false>(hits)| hits)
        };
        found.map_err(|error| explain(error, self.key))
    }
}

impl<'c, Id: ModelId, A: DeserializeOwned + 'static> IntoFuture for SimilarTo<'c, Id, A> {
    type Output = Result<Vec<Similar<Id, A>>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let hits = self.search().await?;
            hits.iter().map(similar).collect()
        })
    }
}

fn similar<Id: ModelId, A: DeserializeOwned>(hit: &Hit) -> Result<Similar<Id, A>> {
    let attributes = hit.attributes.as_deref().map(from_json).transpose();
    let attributes = attributes.map_err(|error| error.with_field(&hit.id))?;
    Ok(Similar { id: Id::parse_id(&hit.id)?, score: hit.score, attributes })
}

impl<Id, A> std::fmt::Debug for SimilarTo<'_, Id, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let SimilarTo { key, count, filter, .. } = self;
        f.debug_struct("SimilarTo")
            .field("key", key)
            .field("count", count)
            .field("filter", filter)
            .finish_non_exhaustive()
    }
}
