//! The versions of an index: which there are, back to the one before, and away with the old ones.

use std::time::Duration;

use tokio::time::Instant;

use super::journal::Journal;
use super::plan::drop_index;
use super::state::{State, number};
use super::target::Target;
use super::{Index, IndexInfo};
use crate::model::RedisModel;
use crate::query::scope;
use crate::repository::lease::{LEASE, Lease};
use crate::{Client, Command, Error, ErrorKind, Result, Sent};

/// For how long another process is waited for.
const WAIT: Duration = Duration::from_secs(5);

/// One of the indexes behind a model's index: from [`Index::versions`].
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::index::Role;
/// # alizarin_samples::films(async |films| {
/// films.index().rebuild().await?;
/// let versions = films.index().versions().await?;
/// let roles: Vec<_> = versions.iter().map(|version| (version.number, version.role)).collect();
/// assert_eq!(roles, [(Some(1), Role::Previous), (Some(2), Role::Live)]);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Version {
    /// Its name on the server.
    pub index: String,
    /// The number in its name; none for an index that somebody else named.
    pub number: Option<u64>,
    /// What it is there for.
    pub role: Role,
}

/// What a [`Version`] of an index is there for.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::index::Role;
/// # alizarin_samples::films(async |films| {
/// let versions = films.index().versions().await?;
/// assert_eq!(versions[0].role, Role::Live);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// It is being built, or its build broke off.
    Building,
    /// Queries use it.
    Live,
    /// It was live before, and [`Index::rollback`] makes it so again.
    Previous,
    /// An older one, which nothing uses: [`Index::retire`] drops it.
    Retired,
}

impl<M: RedisModel> Index<'_, M> {
    /// The indexes behind this one, by number (`FT._LIST`, `FT.INFO`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let versions = films.index().versions().await?;
    /// assert_eq!(versions[0].index, format!("{}:v1", films.index().name()?));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Usage` for a model without an index; `Unsupported` when the server has no RediSearch.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn versions(&self) -> Result<Vec<Version>> {
        let work = Changing::of(self)?;
        let state = work.state().await?;
        let alias = work.target.alias.as_str();
        let mut versions: Vec<Version> = state
            .others(alias)
            .into_iter()
            .map(|index| {
                let is = |noted: &Option<String>| noted.as_ref() == Some(&index);
                let role = match () {
                    () if is(&state.journal.building) => Role::Building,
                    () if is(&state.journal.previous) => Role::Previous,
                    () => Role::Retired,
                };
                Version { number: number(alias, &index), index, role }
            })
            .collect();
        versions.extend(state.live_name().map(|live| Version {
            index: live.to_owned(),
            number: number(alias, live),
            role: Role::Live,
        }));
        versions.sort_by(|one, other| (one.number, &one.index).cmp(&(other.number, &other.index)));
        Ok(versions)
    }

    /// Lets queries use the index that was live before the last rebuild (`FT.ALIASUPDATE`), and
    /// gives its name. It has read all that was written meanwhile. The other one is kept: a second
    /// rollback undoes the first.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.index().rebuild().await?;
    /// let live = films.index().rollback().await?;
    /// assert_eq!(live, format!("{}:v1", films.index().name()?));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Index` when none is kept; `Locked` when another process works for more than 5 s on the index; `Usage` for a
    /// model without an index; `Unsupported` when the server has no RediSearch.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the one or the other live.
    pub async fn rollback(&self) -> Result<String> {
        let work = Changing::of(self)?;
        work.leased(async |work, lease| {
            let state = work.state().await?;
            let previous = state.journal.previous.as_ref();
            let Some(previous) = previous.filter(|name| state.names.contains(*name)) else {
                let message =
                    format!("index `{}` has no earlier version to go back to", work.alias());
                return Err(Error::new(ErrorKind::Index, message).with_sent(Sent::Yes));
            };
            let live = state.live_name();
            Journal::swap(&work.client, &state.key, lease, work.alias(), previous, live).await?;
            Ok(previous.clone())
        })
        .await
    }

    /// Drops all versions but the live one (`FT.DROPINDEX`), never the documents; gives their names.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.index().rebuild().await?;
    /// let gone = films.index().retire().await?;
    /// assert_eq!(gone, [format!("{}:v1", films.index().name()?)]);
    /// assert!(films.index().rollback().await.is_err());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Locked` when another process works for more than 5 s on the index; `Usage` for a model without an index;
    /// `Unsupported` when the server has no RediSearch.
    ///
    /// # Cancel safety
    /// Dropping the future may leave some of them; calling it again is always right.
    pub async fn retire(&self) -> Result<Vec<String>> {
        let work = Changing::of(self)?;
        work.leased(async |work, lease| {
            let state = work.state().await?;
            let gone = state.others(work.alias());
            for index in &gone {
                work.drop_index(index).await?;
            }
            let noted = ["previous", "building"];
            Journal::forget(lease, &gone, &noted).await?;
            Ok(gone)
        })
        .await
    }

    /// Drops the index with all its versions (`FT.DROPINDEX`), never the documents.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.index().drop().await?;
    /// assert!(films.exists(&1).await?);
    /// let found = films.find(|f| f.year.lt(1980)).await;
    /// assert_eq!(found.unwrap_err().kind(), ErrorKind::Index);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Index` when there is none, `Locked` when another process works for more than 5 s on it, `Usage` for a model
    /// without an index, `Unsupported` when the server has no RediSearch.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the index or not; calling it again is always right.
    pub async fn drop(&self) -> Result<()> {
        let work = Changing::of(self)?;
        work.leased(async |work, lease| {
            let state = work.state().await?;
            let mut gone = state.others(work.alias());
            gone.extend(state.live_name().map(str::to_owned));
            if gone.is_empty() {
                return Err(super::state::absent(work.alias()));
            }
            for index in &gone {
                work.drop_index(index).await?;
            }
            let noted = ["live", "previous", "building"];
            Journal::forget(lease, &gone, &noted).await
        })
        .await
    }
}

/// A change of an index under its lease.
pub(super) struct Changing {
    pub(super) client: Client,
    pub(super) namespace: String,
    pub(super) target: Target,
}

impl Changing {
    pub(super) fn of<M: RedisModel>(index: &Index<'_, M>) -> Result<Changing> {
        Ok(Changing {
            client: index.repository.client().steady(),
            namespace: index.repository.namespace().to_owned(),
            target: Target::of(index.repository)?,
        })
    }

    pub(super) fn alias(&self) -> &str {
        &self.target.alias
    }

    pub(super) async fn state(&self) -> Result<State> {
        State::load(&self.client, &self.namespace, &self.target).await
    }

    /// What the server knows of an index of whatever name.
    pub(super) async fn info(&self, index: &str) -> Result<IndexInfo> {
        let info = self.client.run(super::state::info(index)).await;
        info.map_err(|error| scope::explain(error, index))
    }

    async fn drop_index(&self, index: &str) -> Result<()> {
        let dropped: Result<()> = self.client.run(drop_index(index) as Command<()>).await;
        match dropped.map_err(|error| scope::explain(error, index)) {
            Err(error) if error.kind() == ErrorKind::Index => Ok(()),
            outcome => outcome,
        }
    }

    /// Does it as the only process.
    pub(super) async fn leased<T>(
        &self,
        act: impl AsyncFnOnce(&Changing, &Lease) -> Result<T>,
    ) -> Result<T> {
        let key = Journal::key(&self.namespace, self.alias());
        // Before the lease, since a server without the module should say so.
        self.state().await?;
        // Too far away to be an instant is without end.
        let deadline = Instant::now().checked_add(WAIT);
        let lease = loop {
            let lease = Lease::take(&self.client, &self.namespace, &key, LEASE).await?;
            match lease {
                Some(lease) => break lease,
                None if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                    let message = format!("another process works on index `{}`", self.alias());
                    return Err(Error::new(ErrorKind::Locked, message).with_sent(Sent::Yes));
                }
                None => {}
            }
        };
        let outcome = lease.during(act(self, &lease)).await;
        lease.end(outcome).await
    }
}
