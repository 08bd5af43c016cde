//! Taking over an index that somebody else made.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;

use super::drift::{Drift, compare};
use super::journal::Journal;
use super::versions::Changing;
use super::{Index, IndexInfo};
use crate::model::RedisModel;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result, Sent};

/// What [`Index::adopt`] found. Its `Display` is for people.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin_samples::Film;
/// # alizarin_samples::client(async |client, prefix| {
/// # let films = client.repository::<Film>().with_namespace(prefix);
/// # let name = format!("{prefix}theirs");
/// # client
/// #     .command::<()>("FT.CREATE")
/// #     .arg((&name, "ON", "HASH", "PREFIX", 1, format!("{prefix}film:"), "SCHEMA"))
/// #     .arg(("title", "TEXT", "WEIGHT", 2, "SORTABLE", "sound", "TAG"))
/// #     .await?;
/// let adoption = films.index().adopt(&name).dry_run().await?;
/// assert!(!adoption.adopted);
/// assert!(adoption.fields.contains(&"title".to_owned()));
/// println!("{adoption}");
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Adoption {
    /// The index.
    pub index: String,
    /// The model's fields that it has, by their names in queries.
    pub fields: Vec<String>,
    /// How it differs from what the model needs; a field that only the index has does no harm.
    pub drift: Vec<Drift>,
    /// Whether queries use it now.
    pub adopted: bool,
}

impl fmt::Display for Adoption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields.join(", ");
        write!(f, "index `{}` has the model's fields {fields}", self.index)?;
        self.drift.iter().try_for_each(|drift| write!(f, "\n- {drift}"))
    }
}

impl<'r, M: RedisModel> Index<'r, M> {
    /// Takes over an index that somebody else made, under whatever name: maps its fields to the
    /// model's by their names, and lets queries use it (`FT.ALIASADD`) if it serves the model.
    /// [`Index::sync`] goes on from there, and [`Index::retire`] drops it when it has been
    /// replaced.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::client(async |client, namespace| {
    /// #[derive(RedisModel)]
    /// #[redis(hash, prefix = "city", index)]
    /// struct City {
    ///     #[redis(id)]
    ///     id: u32,
    ///     #[redis(numeric)]
    ///     people: u64,
    /// }
    ///
    /// let cities: Repository<City> = client.repository();
    /// # let cities = cities.with_namespace(namespace);
    /// # let theirs = format!("{namespace}cities-by-hand");
    /// # let (theirs, prefix) = (&theirs, format!("{namespace}city:"));
    /// client
    ///     .command::<()>("FT.CREATE")
    ///     .arg((theirs, "ON", "HASH", "PREFIX", 1, prefix))
    ///     .arg(("SCHEMA", "people", "NUMERIC"))
    ///     .await?;
    /// let adoption = cities.index().adopt(theirs).await?;
    /// assert!(adoption.adopted);
    /// assert_eq!(cities.find(|c| c.people.gt(1_000_000)).count().await?, 0);
    /// # Ok(()) });
    /// ```
    pub fn adopt(&self, index: impl Into<String>) -> Adopt<'r, M> {
        Adopt { repository: self.repository, index: index.into(), dry_run: false }
    }
}

/// Takes over an index: from [`Index::adopt`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// // There is an index already.
/// let error = films.index().adopt("theirs").await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Exists);
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Exists` when the model has an index already; `Index` when there is none of that name, or, listing
/// the differences, when it does not serve the model; `Locked` when another process works for more
/// than 5 s on the model's index; `Usage` for a model without an index; `Unsupported` when the server has no
/// RediSearch.
///
/// # Cancel safety
/// Dropping the future may leave it adopted or not; calling it again then says `Exists`.
#[must_use = "it does nothing until it is awaited"]
pub struct Adopt<'r, M> {
    repository: &'r Repository<M>,
    index: String,
    dry_run: bool,
}

impl<'r, M: RedisModel> Adopt<'r, M> {
    /// Only compares: differences are no error, and nothing is changed.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let adoption = films.index().adopt(films.index().name()?).dry_run().await?;
    /// assert!(adoption.drift.is_empty() && !adoption.adopted);
    /// # Ok(()) });
    /// ```
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    async fn run(self) -> Result<Adoption> {
        let work = Changing::of(&Index { repository: self.repository })?;
        if self.dry_run {
            return Ok(adoption(&work, &work.info(&self.index).await?));
        }
        let index = self.index;
        work.leased(async |work, lease| {
            let state = work.state().await?;
            if let Some(live) = state.live_name() {
                let message = format!("index `{}` exists already (`{live}`)", work.alias());
                return Err(Error::new(ErrorKind::Exists, message).with_sent(Sent::Yes));
            }
            let info = work.info(&index).await?;
            let mut adoption = adoption(work, &info);
            if adoption.drift.iter().any(Drift::matters) {
                let message = format!("it does not serve the model: {adoption}");
                return Err(Error::new(ErrorKind::Index, message).with_sent(Sent::Yes));
            }
            // An alias of it would not do: an alias cannot name another.
            let name = &adoption.index;
            Journal::swap(&work.client, &state.key, lease, work.alias(), name, None).await?;
            adoption.adopted = true;
            Ok(adoption)
        })
        .await
    }
}

fn adoption(work: &Changing, info: &IndexInfo) -> Adoption {
    let (drift, _) = compare(&work.target, info, None);
    let has = |name: &String| info.attributes.iter().any(|theirs| theirs.name == *name);
    let fields = work.target.entries.iter().map(|entry| entry.name.clone()).filter(has).collect();
    Adoption { index: info.name.clone(), fields, drift, adopted: false }
}

impl<'r, M: RedisModel> IntoFuture for Adopt<'r, M> {
    type Output = Result<Adoption>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Adoption>> + Send + 'r>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M> fmt::Debug for Adopt<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adopt").field("index", &self.index).finish_non_exhaustive()
    }
}
