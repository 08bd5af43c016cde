//! Bringing an index in line with its model.

use super::Index;
use super::create::{alter, create};
use super::drift::{Drift, compare};
use crate::model::RedisModel;
use crate::{Error, ErrorKind, Result, Sent};

/// What [`Index::sync`] did.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::index::Synced;
/// # alizarin_samples::client(async |client, prefix| {
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "film", index)]
/// struct OldFilm {
///     #[redis(id)]
///     id: u32,
///     #[redis(text)]
///     title: String,
/// }
///
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "film", index)]
/// struct Film {
///     #[redis(id)]
///     id: u32,
///     #[redis(text)]
///     title: String,
///     #[redis(numeric)]
///     year: i32,
/// }
///
/// let old = client.repository::<OldFilm>().with_namespace(prefix);
/// assert_eq!(old.index().sync().await?, Synced::Created);
/// let new = client.repository::<Film>().with_namespace(prefix);
/// assert_eq!(new.index().sync().await?, Synced::Extended(vec!["year".to_owned()]));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synced {
    /// There was no index: it was created, and reads the documents in the background.
    Created,
    /// These fields were added; the documents are read again in the background.
    Extended(Vec<String>),
    /// Index and model agree.
    Unchanged,
}

impl<M: RedisModel> Index<'_, M> {
    /// Creates the index when there is none (`FT.CREATE`), adds fields that are missing
    /// (`FT.ALTER`), and does nothing when it agrees with the model (`FT.INFO`).
    ///
    /// Two programs may do it at once.
    ///
    /// What a program does when it starts:
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Film;
    /// # alizarin_samples::client(async |client, prefix| {
    /// let films = client.repository::<Film>().with_namespace(prefix);
    /// films.index().sync().await?;
    /// films.index().wait().await?;
    /// assert_eq!(films.find(|f| f.year.lt(1980)).count().await?, 0);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Index`, listing the differences, when only [`Index::rebuild`] can mend them; `Usage` for a
    /// model without an index, or without any indexed field; `Conflict` when other programs
    /// changed the index three times meanwhile; `Unsupported` when the server has no RediSearch.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the index as it was, or changed; calling it again is always
    /// right.
    pub async fn sync(&self) -> Result<Synced> {
        let index = self.schema()?;
        let prefix = self.prefix();
        // Another program may act between the look and the act: then a second look is enough.
        for _ in 0..3 {
            let info = match self.info().await {
                Ok(info) => info,
                Err(error) if error.kind() == ErrorKind::Index => {
                    match self.run(create(&self.name()?, &prefix, M::SCHEMA, index)?).await {
                        Ok(()) => return Ok(Synced::Created),
                        Err(error) if error.message().contains("already exists") => continue,
                        Err(error) => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            };
            let (drift, missing) = compare(M::SCHEMA, index, &prefix, &info);
            if drift.is_empty() {
                return Ok(Synced::Unchanged);
            }
            if drift.len() > missing.len() {
                return Err(differs(&self.name()?, &drift));
            }
            match self.run(alter(&self.name()?, &missing)).await {
                Ok(()) => {
                    let names = missing.into_iter().map(|entry| entry.name).collect();
                    return Ok(Synced::Extended(names));
                }
                Err(error) if error.message().contains("Duplicate field") => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(ErrorKind::Conflict, "other programs change the index at the same time"))
    }

    /// Drops the index, not the documents, and creates it anew (`FT.DROPINDEX`, `FT.CREATE`).
    ///
    /// Until it has read all documents, searches find only some of them: see [`Index::wait`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.index().rebuild().await?;
    /// films.index().wait().await?;
    /// assert_eq!(films.index().info().await?.num_docs, 4);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Index::create`]; `Exists` is then another program's index, made in between.
    ///
    /// # Cancel safety
    /// Dropping the future may leave no index; calling it again mends that.
    pub async fn rebuild(&self) -> Result<()> {
        match self.drop().await {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Index => {}
            Err(error) => return Err(error),
        }
        self.create().await
    }

    /// Checks that the index agrees with the model and has failed to read no document (`FT.INFO`).
    /// It does not wait for those that it has not come to yet.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.index().check().await?;
    ///
    /// films.client().hset(films.key(&5), ("year", "soon")).await?;
    /// let failed = films.index().check().await;
    /// assert_eq!(failed.unwrap_err().kind(), ErrorKind::Index);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Index` when there is no index, or listing the differences, or saying how many documents it
    /// could not read; `Usage` for a model without an index; `Unsupported` when the server has no
    /// RediSearch.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn check(&self) -> Result<()> {
        let info = self.info().await?;
        let (drift, _) = compare(M::SCHEMA, self.schema()?, &self.prefix(), &info);
        if !drift.is_empty() {
            return Err(differs(&self.name()?, &drift));
        }
        if info.hash_indexing_failures > 0 {
            let failures = super::Failures::of(&info);
            let message = format!("index `{}`: {failures}", self.name()?);
            return Err(Error::new(ErrorKind::Index, message).with_sent(Sent::Yes));
        }
        Ok(())
    }
}

fn differs(name: &str, drift: &[Drift]) -> Error {
    let drift: Vec<String> = drift.iter().map(Drift::to_string).collect();
    let message = format!(
        "index `{name}` differs from the model: {}; call `repository.index().rebuild()`",
        drift.join("; ")
    );
    Error::new(ErrorKind::Index, message).with_sent(Sent::Yes)
}
