//! All documents of a model, without an index.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::Repository;
use super::reads::load_page;
use super::take::Whole;
use crate::model::{RedisModel, Storage};
use crate::{Command, Result};

/// About how many keys the server looks at for one page.
pub(crate) const PAGE: usize = 500;

impl<M: RedisModel> Repository<M> {
    /// All documents one by one, in no order (`SCAN`, then a pipeline a page). It looks at every
    /// key of the database; no index is needed.
    ///
    /// A document that is there all the time comes at least once, and may come twice. On a cluster it
    /// may be missed when the scan ends while its slot is half moved, key by key.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let mut total = 0;
    /// let mut all = accounts.scan();
    /// while let Some(account) = all.next().await {
    ///     total += account?.cents;
    /// }
    /// assert_eq!(total, 600);
    /// # Ok(()) });
    /// ```
    pub fn scan(&self) -> Scan<M> {
        Scan { pages: Pages::new(self) }
    }

    /// The ids of all documents, as [`Repository::scan`] finds them (`SCAN`); these are not read.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let mut ids = accounts.scan_ids();
    /// while let Some(id) = ids.next().await {
    ///     accounts.delete(&id?).await?;
    /// }
    /// assert!(accounts.scan_ids().next().await.is_none());
    /// # Ok(()) });
    /// ```
    pub fn scan_ids(&self) -> ScanIds<M> {
        ScanIds { pages: Pages::new(self) }
    }
}

type Fetch<T> = Pin<Box<dyn Future<Output = Result<(String, Vec<T>)>> + Send>>;

/// Pages of a scan: what is there, and what comes.
struct Pages<M, T> {
    repository: Repository<M>,
    /// Where the next page begins; `None` at the end.
    cursor: Option<String>,
    fetch: Option<Fetch<T>>,
    ready: VecDeque<T>,
}

impl<M: RedisModel, T> Pages<M, T> {
    fn new(repository: &Repository<M>) -> Pages<M, T> {
        Pages {
            repository: repository.steady(),
            cursor: Some("0".to_owned()),
            fetch: None,
            ready: VecDeque::new(),
        }
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        page: impl Fn(Repository<M>, String) -> Fetch<T>,
    ) -> Poll<Option<Result<T>>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            if self.fetch.is_none() {
                let Some(cursor) = self.cursor.take() else { return Poll::Ready(None) };
                self.fetch = Some(page(self.repository.clone(), cursor));
            }
            let Some(fetch) = &mut self.fetch else { return Poll::Ready(None) };
            let outcome = ready!(fetch.as_mut().poll(context));
            self.fetch = None;
            match outcome {
                Ok((cursor, items)) => {
                    self.ready.extend(items);
                    self.cursor = (cursor != "0").then_some(cursor);
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

/// One page of keys, of which the server looks at about `count`, and the cursor for the next.
pub(crate) async fn page_of_keys<M: RedisModel>(
    repository: &Repository<M>,
    cursor: &str,
    count: usize,
) -> Result<(String, Vec<(String, M::Id)>)> {
    let kind = match M::SCHEMA.storage {
        Storage::Hash => "hash",
        Storage::Json => "ReJSON-RL",
    };
    let pattern = repository.pattern();
    let command: Command<(String, Vec<Vec<u8>>)> =
        Command::new("SCAN").arg((cursor, "MATCH", pattern, "COUNT", count, "TYPE", kind));
    let (cursor, keys) = repository.client().run(command).await?;
    let keys = keys.into_iter().filter_map(|key| {
        // Keys of another model may begin alike: their rest is no id.
        let id = repository.id_of(&key)?;
        Some((String::from_utf8(key).ok()?, id))
    });
    Ok((cursor, keys.collect()))
}

/// Takes the meaning from a pattern's special characters.
pub(crate) fn glob(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '\\' | '^') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// All documents, from [`Repository::scan`]: a `Stream`, and usable without one by
/// [`Scan::next`].
///
/// A document that does not parse ends it with an error.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// let (mut all, mut rich) = (accounts.scan(), Vec::new());
/// while let Some(account) = all.next().await.transpose()? {
///     if account.cents > 200 {
///         rich.push(account.owner);
///     }
/// }
/// assert_eq!(rich, ["Ann"]);
/// # Ok(()) });
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct Scan<M: RedisModel> {
    pages: Pages<M, M>,
}

/// The ids of all documents, from [`Repository::scan_ids`]: a `Stream`, and usable without one by
/// [`ScanIds::next`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// use std::collections::BTreeSet;
///
/// // An id may come twice.
/// let (mut all, mut ids) = (accounts.scan_ids(), BTreeSet::new());
/// while let Some(id) = all.next().await.transpose()? {
///     ids.insert(id);
/// }
/// assert_eq!(ids, BTreeSet::from([1, 2]));
/// # Ok(()) });
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct ScanIds<M: RedisModel> {
    pages: Pages<M, M::Id>,
}

impl<M: RedisModel> Stream for Scan<M> {
    type Item = Result<M>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<M>>> {
        self.get_mut().pages.poll(context, |repository, cursor| {
            Box::pin(async move {
                let (cursor, found) = page_of_keys(&repository, &cursor, PAGE).await?;
                let keys: Vec<String> = found.into_iter().map(|(key, _)| key).collect();
                let documents = load_page::<Whole<M>>(repository.client(), &keys).await?;
                Ok((cursor, documents.into_iter().flatten().collect()))
            })
        })
    }
}

impl<M: RedisModel> Stream for ScanIds<M> {
    type Item = Result<M::Id>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().pages.poll(context, |repository, cursor| {
            Box::pin(async move {
                let (cursor, found) = page_of_keys(&repository, &cursor, PAGE).await?;
                Ok((cursor, found.into_iter().map(|(_, id)| id).collect()))
            })
        })
    }
}

macro_rules! streams {
    ($($name:ident: $item:ty;)+) => {$(
        impl<M: RedisModel> $name<M> {
            /// The next one; `None` at the end.
            ///
            /// # Errors
            /// Those of the connection, and of [`Get`](super::Get); after an error it ends.
            ///
            /// # Cancel safety
            /// Nothing is lost when the future is dropped.
            pub async fn next(&mut self) -> Option<Result<$item>> {
                poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
            }
        }

        /// Nothing in it refers to itself.
        impl<M: RedisModel> Unpin for $name<M> {}

        impl<M: RedisModel> fmt::Debug for $name<M> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("cursor", &self.pages.cursor)
                    .field("ready", &self.pages.ready.len())
                    .finish_non_exhaustive()
            }
        }
    )+};
}

streams! {
    Scan: M;
    ScanIds: M::Id;
}
