//! Search by vectors: the nearest ones, and those within a distance.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;

use super::filter::{self, wrong};
use super::hits::{DISTANCE, Distances, Hits};
use super::operand::{self, Operand};
use super::scope::index_name;
use super::send::{finish, load, run};
use super::{Everything, FieldSpec, Filter, IsVector, Node, QueryWriter, To, attribute_name};
use super::{everything, vector};
use crate::model::{IndexKind, RedisModel, VectorAlgorithm};
use crate::query::field_schema;
use crate::repository::{Repository, Take, Whole, dialect, is_found_exactly, write_return};
use crate::{Command, Error, ErrorKind, Result, Sent, Value};

/// A document and its distance from what was asked for. It derefs to the document.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// let mood = [0.9, 0.0, 0.3];
/// let found = films.nearest(1, |f| f.mood.to(&mood)).await?;
/// assert_eq!(found[0].title, "Alien");
/// assert!(found[0].distance < 1e-6);
/// let film = found.into_iter().next().map(|scored| scored.item);
/// assert_eq!(film.map(|film| film.year), Some(1979));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Scored<M> {
    /// The distance in the field's metric: smaller is nearer.
    pub distance: f64,
    /// The document.
    pub item: M,
}

impl<M> Deref for Scored<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.item
    }
}

/// The `k` nearest vectors (`KNN`), nearest first; awaited as it is, it is
/// [`all`](Nearest::all).
///
/// Sends `FT.SEARCH` under `DIALECT 2`; every value travels as a `PARAM`. Made by
/// [`Repository::nearest`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// let alien = films.get(&1).await?.expect("film 1");
/// let alike = films.nearest(3, |f| f.mood.to(&alien.mood)).await?;
/// let titles: Vec<&str> = alike.iter().map(|film| film.title.as_str()).collect();
/// assert_eq!(titles, ["Alien", "Apollo 13", "Blade Runner"]);
/// # Ok(()) });
/// ```
#[must_use = "a search does nothing until it is awaited"]
pub struct Nearest<'r, M, S, V, E, T = Whole<M>> {
    repository: &'r Repository<M>,
    k: usize,
    to: To<S, V>,
    filter: Filter<M, E>,
    ef_runtime: Option<u64>,
    take: PhantomData<fn() -> T>,
}

impl<'r, M, S, V> Nearest<'r, M, S, V, Everything>
where
    M: RedisModel,
    S: FieldSpec<Model = M> + IsVector,
    V: Operand<S::Value>,
{
    pub(crate) fn new(repository: &'r Repository<M>, k: usize, to: To<S, V>) -> Self {
        let (filter, take) = (everything(), PhantomData);
        Nearest { repository, k, to, filter, ef_runtime: None, take }
    }
}

impl<'r, M, S, V, E, T> Nearest<'r, M, S, V, E, T>
where
    M: RedisModel,
    S: FieldSpec<Model = M>,
    V: Operand<S::Value>,
    E: Node,
    T: Take<Model = M>,
{
    pub(crate) fn repository(&self) -> &'r Repository<M> {
        self.repository
    }

    /// The same search, with another filter and something else of each document.
    pub(super) fn with_parts<F, U>(
        self,
        filter: impl FnOnce(Filter<M, E>) -> Filter<M, F>,
    ) -> Nearest<'r, M, S, V, F, U> {
        Nearest {
            repository: self.repository,
            k: self.k,
            to: self.to,
            filter: filter(self.filter),
            ef_runtime: self.ef_runtime,
            take: PhantomData,
        }
    }

    /// Looks only at documents for which this holds, and all filters before it.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let tense = [0.9, 0.0, 0.3];
    /// let found = films.nearest(1, |f| f.mood.to(&tense)).filter(|f| f.year.gt(1979)).await?;
    /// assert_eq!(found[0].title, "Apollo 13");
    /// # Ok(()) });
    /// ```
    pub fn filter<F: Node>(
        self,
        filter: impl FnOnce(M::Fields) -> Filter<M, F>,
    ) -> Nearest<'r, M, S, V, filter::And<E, F>, T> {
        self.with_parts(|before| before & filter(M::Fields::default()))
    }

    /// How many candidates an HNSW index keeps while it searches (`EF_RUNTIME`; the index's own is
    /// 10 by default): more is more exact and slower. It is a `Usage` error on a FLAT index, which
    /// is exact.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let tense = [0.9, 0.0, 0.3];
    /// let found = films.nearest(2, |f| f.mood.to(&tense)).ef_runtime(50).await?;
    /// assert_eq!(found[1].title, "Apollo 13");
    /// # Ok(()) });
    /// ```
    pub fn ef_runtime(mut self, candidates: u64) -> Self {
        self.ef_runtime = Some(candidates);
        self
    }

    /// The nearest documents with their distances.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let funny = [0.0, 1.0, 0.0];
    /// assert_eq!(films.nearest(1, |f| f.mood.to(&funny)).all().await?[0].title, "Airplane!");
    ///
    /// let none = films.nearest(0, |f| f.mood.to(&funny)).all().await;
    /// assert_eq!(none.unwrap_err().kind(), ErrorKind::Usage);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Usage` for a `k` of zero, `ef_runtime` on a FLAT index, and a model without `index`;
    /// `Index` when the index was not created; `Value`, naming the field, for a value that cannot
    /// be searched for; `Decode` for a document that does not parse; `Timeout` when the server ran
    /// out of time (known under RESP3 only); `Unsupported` when the server has no RediSearch.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn all(self) -> Result<Vec<Scored<T::Item>>> {
        scored(search::<M, T>(self.repository, self.command()?).await?)
    }

    /// The command that [`Nearest::all`] sends. Nothing is sent.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let funny = [0.0, 1.0, 0.0];
    /// let command = films.nearest(5, |f| f.mood.to(&funny)).to_command()?;
    /// let text = command.packed().arguments().nth(2);
    /// assert_eq!(text, Some(&b"*=>[KNN $p0 @mood $p1 AS __distance]"[..]));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Usage` and `Value` as for [`Nearest::all`].
    pub fn to_command(&self) -> Result<Command<Value>> {
        self.command()
    }

    fn command<R>(&self) -> Result<Command<R>> {
        if self.k == 0 {
            return Err(Error::new(ErrorKind::Usage, "the nearest 0 documents are none"));
        }
        let mut query = QueryWriter::new();
        match self.filter.node().constant() {
            Some(true) => query.push("*"),
            _ => {
                query.push("(");
                filter::render(self.filter.node(), &mut query)?;
                query.push(")");
            }
        }
        query.push("=>[KNN ");
        query.param(self.k.to_string().as_bytes());
        query.push(" ");
        query.attribute::<S>();
        query.push(" ");
        query.param(&operand::raw::<S, V>(&self.to.value)?);
        if let Some(candidates) = self.ef_runtime {
            check_hnsw::<S>()?;
            query.push(" EF_RUNTIME ");
            query.param(candidates.to_string().as_bytes());
        }
        query.push(" AS ");
        query.push(DISTANCE);
        query.push("]");
        by_distance::<M, T, R>(self.repository, &query, self.k)
    }
}

fn check_hnsw<S: FieldSpec>() -> Result<()> {
    match field_schema::<S>().kind() {
        Some(IndexKind::Vector(vector))
            if matches!(vector.algorithm, VectorAlgorithm::Flat { .. }) =>
        {
            let message = "a FLAT index is exact: it has no `ef_runtime`";
            Err(wrong(ErrorKind::Usage, &attribute_name::<S>(), message))
        }
        _ => Ok(()),
    }
}

/// What [`Within::all`] gives at most, unless [`Within::limit`] says otherwise.
const CAP: usize = 10_000;

/// All vectors within a distance (`VECTOR_RANGE`), nearest first; awaited as it is, it is
/// [`all`](Within::all).
///
/// Sends `FT.SEARCH` under `DIALECT 2`; every value travels as a `PARAM`. Made by
/// [`Repository::within`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// let tense = [0.9, 0.0, 0.3];
/// let alike = films.within(0.1, |f| f.mood.to(&tense)).await?;
/// assert_eq!(alike.len(), 2);
/// assert!(alike[1].distance <= 0.1);
/// # Ok(()) });
/// ```
#[must_use = "a search does nothing until it is awaited"]
pub struct Within<'r, M, S, V, E, T = Whole<M>> {
    repository: &'r Repository<M>,
    radius: f64,
    to: To<S, V>,
    filter: Filter<M, E>,
    limit: Option<usize>,
    take: PhantomData<fn() -> T>,
}

impl<'r, M, S, V> Within<'r, M, S, V, Everything>
where
    M: RedisModel,
    S: FieldSpec<Model = M> + IsVector,
    V: Operand<S::Value>,
{
    pub(crate) fn new(repository: &'r Repository<M>, radius: f64, to: To<S, V>) -> Self {
        let (filter, take) = (everything(), PhantomData);
        Within { repository, radius, to, filter, limit: None, take }
    }
}

impl<'r, M, S, V, E, T> Within<'r, M, S, V, E, T>
where
    M: RedisModel,
    S: FieldSpec<Model = M>,
    V: Operand<S::Value>,
    E: Node,
    T: Take<Model = M>,
{
    pub(crate) fn repository(&self) -> &'r Repository<M> {
        self.repository
    }

    /// The same search, with another filter and something else of each document.
    pub(super) fn with_parts<F, U>(
        self,
        filter: impl FnOnce(Filter<M, E>) -> Filter<M, F>,
    ) -> Within<'r, M, S, V, F, U> {
        Within {
            repository: self.repository,
            radius: self.radius,
            to: self.to,
            filter: filter(self.filter),
            limit: self.limit,
            take: PhantomData,
        }
    }

    /// Looks only at documents for which this holds, and all filters before it.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let tense = [0.9, 0.0, 0.3];
    /// let alike = films.within(0.1, |f| f.mood.to(&tense)).filter(|f| f.year.gt(1979)).await?;
    /// assert_eq!((alike.len(), alike[0].title.as_str()), (1, "Apollo 13"));
    /// # Ok(()) });
    /// ```
    pub fn filter<F: Node>(
        self,
        filter: impl FnOnce(M::Fields) -> Filter<M, F>,
    ) -> Within<'r, M, S, V, filter::And<E, F>, T> {
        self.with_parts(|before| before & filter(M::Fields::default()))
    }

    /// Gives at most the `limit` nearest.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let tense = [0.9, 0.0, 0.3];
    /// let alike = films.within(2.0, |f| f.mood.to(&tense)).limit(1).await?;
    /// assert_eq!((alike.len(), alike[0].title.as_str()), (1, "Alien"));
    /// # Ok(()) });
    /// ```
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The documents within the distance, with their distances: 10,000 at most unless
    /// [`Within::limit`] was called.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let sad = [0.0, 0.0, 1.0];
    /// let found = films.within(0.4, |f| f.mood.to(&sad)).all().await?;
    /// assert_eq!((found.len(), found[0].title.as_str()), (1, "Blade Runner"));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `TooMany` when there are more; `Value` for a radius that is below zero or not finite; else
    /// as [`Nearest::all`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn all(self) -> Result<Vec<Scored<T::Item>>> {
        let hits = search::<M, T>(self.repository, self.command()?).await?;
        if self.limit.is_none() && hits.total > CAP as u64 {
            return Err(Error::new(
                ErrorKind::TooMany,
                format!(
                    "{} documents are within {}, and without a limit {CAP} are given at most: \
                     take a smaller radius, narrow the filter, or set `limit`",
                    hits.total, self.radius
                ),
            ));
        }
        scored(hits)
    }

    /// The command that [`Within::all`] sends. Nothing is sent.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let sad = [0.0, 0.0, 1.0];
    /// let command = films.within(0.1, |f| f.mood.to(&sad)).to_command()?;
    /// let text = command.packed().arguments().nth(2).unwrap_or_default();
    /// assert!(text.starts_with(b"(@mood:[VECTOR_RANGE $p0 $p1])"));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Usage` and `Value` as for [`Within::all`].
    pub fn to_command(&self) -> Result<Command<Value>> {
        self.command()
    }

    fn command<R>(&self) -> Result<Command<R>> {
        let mut query = QueryWriter::new();
        let node = self.filter.node();
        let constant = node.constant();
        if constant != Some(true) {
            query.push("(");
        }
        vector::range::<S, V>(&self.to.value, self.radius, &mut query)?;
        query.push("=>{$YIELD_DISTANCE_AS:");
        query.push(DISTANCE);
        query.push("}");
        if constant != Some(true) {
            query.push(" ");
            filter::render(node, &mut query)?;
            query.push(")");
        }
        by_distance::<M, T, R>(self.repository, &query, self.limit.unwrap_or(CAP))
    }
}

/// Runs a search; what the index would give in a form of its own is read from the documents.
async fn search<M: RedisModel, T: Take<Model = M>>(
    repository: &Repository<M>,
    command: Command<Value>,
) -> Result<Hits<T>> {
    if is_found_exactly::<T>() {
        return run(repository, command.replying()).await;
    }
    let Distances(keys, distances) = run(repository, command.replying()).await?;
    load(repository.client(), keys, distances).await
}

fn by_distance<M: RedisModel, T: Take<Model = M>, R>(
    repository: &Repository<M>,
    query: &QueryWriter,
    limit: usize,
) -> Result<Command<R>> {
    let mut command = Command::new("FT.SEARCH")
        .arg((index_name(repository)?, query.text()))
        .arg(("SORTBY", DISTANCE, "ASC", "LIMIT", 0u32, limit));
    if is_found_exactly::<T>() {
        write_return::<T>(command.packed_mut(), Some(DISTANCE));
    } else {
        command = command.arg(("RETURN", 1u32, DISTANCE));
    }
    finish(&mut command, query, dialect::<T>());
    Ok(command)
}

fn scored<T: Take>(hits: Hits<T>) -> Result<Vec<Scored<T::Item>>> {
    let items = hits.items.into_iter().map(|(item, distance)| match distance {
        Some(distance) => Ok(Scored { distance, item }),
        None => Err(Error::decode("a distance with each document", "none").with_sent(Sent::Yes)),
    });
    items.collect()
}

macro_rules! awaited {
    ($($name:ident)+) => {$(
        impl<'r, M, S, V, E, T> IntoFuture for $name<'r, M, S, V, E, T>
        where
            M: RedisModel,
            S: FieldSpec<Model = M>,
            V: Operand<S::Value> + 'r,
            E: Node + 'r,
            T: Take<Model = M>,
        {
            type Output = Result<Vec<Scored<T::Item>>>;
            type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'r>>;

            /// Its `all`.
            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.all())
            }
        }

        impl<M, S: FieldSpec, V, E: Node, T> fmt::Debug for $name<'_, M, S, V, E, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("to", &self.to)
                    .field("filter", &self.filter)
                    .finish_non_exhaustive()
            }
        }
    )+};
}

awaited!(Nearest Within);
