//! What becomes of documents that refer to one which is deleted.

mod plan;
mod rule;
mod run;

use std::collections::HashSet;
use std::sync::Arc;

pub use rule::Rule;

use super::Repository;
use super::script::Expected;
use crate::Result;
use crate::model::RedisModel;

/// A model that says what becomes of its documents when one that they refer to is deleted: by
/// `#[redis(on_delete = "..")]` on fields of `Ref<T>`, `Option<Ref<T>>` and `Vec<Ref<T>>` with an
/// index. A tuple of up to six of them is one too. Implemented by derived code.
///
/// | `on_delete` | the deletion of what is referred to |
/// |---|---|
/// | `"restrict"` | is refused with [`Referred`](crate::ErrorKind::Referred); the error's [`referrers`](crate::Error::referrers) names model, field, keys and their number |
/// | `"cascade"` | deletes the referring document too, as [`delete`](Repository::delete) does: hooks, event, unique values; and what becomes of those that refer to that one |
/// | `"unset"` | takes the reference out of the `Option` or `Vec`, as [`set`](Repository::set) does: version, `updated_at`, event |
///
/// The model that is referred to does not know who refers to it: its repository is told, once, and
/// from then on keeps to it with each `delete`, `delete_many` and `delete_where`. Whoever deletes
/// otherwise (a repository that was not told, another process, an expiry, a raw `DEL`) leaves
/// references to nothing.
///
/// ```
/// # use alizarin::prelude::*;
/// # {
/// #[derive(Debug, Clone, RedisModel)]
/// #[redis(hash, prefix = "author")]
/// struct Author {
///     #[redis(id)]
///     id: u32,
/// }
///
/// #[derive(Debug, Clone, RedisModel)]
/// #[redis(json, prefix = "book", index)]
/// struct Book {
///     #[redis(id)]
///     id: u32,
///     #[redis(tag, on_delete = "cascade")]
///     author: Ref<Author>,
///     #[redis(tag, on_delete = "unset")]
///     sequel: Option<Ref<Book>>,
/// }
///
/// #[derive(Debug, Clone, RedisModel)]
/// #[redis(hash, prefix = "loan", index)]
/// struct Loan {
///     #[redis(id)]
///     id: u32,
///     #[redis(numeric, on_delete = "restrict")]
///     book: Ref<Book>,
/// }
///
/// # alizarin_samples::client(async |client, namespace| {
/// let authors = client.repository::<Author>().referred_by::<(Book, Loan)>();
/// let books = client.repository::<Book>().referred_by::<(Book, Loan)>();
/// let loans = client.repository::<Loan>();
/// # let authors = authors.with_namespace(namespace);
/// # let books = books.with_namespace(namespace);
/// # let loans = loans.with_namespace(namespace);
/// # books.index().sync().await?;
/// # loans.index().sync().await?;
/// authors.save(&Author { id: 7 }).await?;
/// books.save(&Book { id: 1, author: Ref::new(7), sequel: Some(Ref::new(2)) }).await?;
/// books.save(&Book { id: 2, author: Ref::new(7), sequel: None }).await?;
/// loans.save(&Loan { id: 5, book: Ref::new(2) }).await?;
/// # books.index().wait().await?;
/// # loans.index().wait().await?;
///
/// // The loan is of a book that would go too.
/// let refused = authors.delete(&7).await.unwrap_err();
/// assert_eq!(refused.kind(), ErrorKind::Referred);
/// let loan = refused.referrers().expect("who refers");
/// assert_eq!((&*loan.model, &*loan.field, loan.count), ("Loan", "book", 1));
/// assert_eq!(loan.keys, [loans.key(&5)]);
///
/// loans.delete(&5).await?;
/// assert!(books.delete(&2).await?);
/// assert_eq!(books.get(&1).await?.and_then(|book| book.sequel), None);
/// let done = authors.delete(&7).report().await?;
/// assert_eq!(done.deleted, [books.key(&1)]);
/// # Ok(()) });
/// # }
/// ```
///
/// # Who is found
///
/// Referring documents are looked for in the same namespace and tenant, by the index of their model,
/// and what they hold is read before anything is done to them. What is deleted does not stand in its
/// own way: a `restrict` of a document that goes in the same deletion is none, and documents that
/// refer to themselves, or to each other in a circle, go together.
///
/// Redis writes a document and its place in the index in one step. An index still misses documents
/// while it is built (see [`Index::wait`](crate::index::Index::wait)), those that it could not take
/// (`index().info()` counts failures), and those that its `filter` or `skip_initial_scan` leaves out;
/// keys of other prefixes that it has beside the model's own are left alone.
/// [`referrers_by_scan`](Repository::referrers_by_scan) goes through all documents instead.
///
/// # In one step or in several
///
/// On one server (under Sentinel too), up to a thousand documents are one script: it searches once
/// more, sees that each document still refers, and does all of it or nothing. Where somebody else
/// changed who refers since it was looked for, the deletion begins again, 64 times at most.
///
/// On a cluster, and for more documents, it is a job: first it is found out who refers and whether
/// something restricts it; then each referring document is deleted or changed by a script of its own,
/// if it still refers, those first that are furthest from the document; then it is looked for again,
/// until nobody refers any more, and the document goes last. Cut off anywhere (or ended by an error,
/// which the first failing document gives), what is done is done, the document is still there, and
/// the same call goes on where it was. Documents that come to refer between the last look and the end
/// are not seen, whatever they say.
///
/// In a [`Transaction`](super::Transaction) such a repository's deletions are refused with `Usage`.
/// Locks of referring documents are not waited for; who holds one finds its document gone or changed.
/// The user needs leave for the commands on the referring models' keys, channels and indexes too
/// (`FT.SEARCH`, `FT.AGGREGATE`, `FT.CURSOR`, or `SCAN`). The keys of all that is deleted or changed
/// are held in memory at once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what becomes of it when what it refers to is deleted",
    note = "a field of references says it: `#[redis(tag, on_delete = \"cascade\")]`"
)]
pub trait Referrer {
    /// Calls `each` with all fields that say it.
    #[doc(hidden)]
    fn rules(each: &mut dyn FnMut(Rule));
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: Referrer),+> Referrer for ($($name,)+) {
            fn rules(each: &mut dyn FnMut(Rule)) {
                $($name::rules(each);)+
            }
        }
    )+};
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }

/// What a repository was told of those that refer to its documents, and to theirs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    all: Vec<Rule>,
    scan: bool,
}

/// What a deletion did, or would do, from [`Delete::report`](super::Delete::report) and
/// [`Delete::dry_run`](super::Delete::dry_run).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deletion {
    /// Whether there was such a document; if not, nothing was done.
    pub found: bool,
    /// The keys of the referring documents that were deleted with it.
    pub deleted: Vec<String>,
    /// The keys of those that lost a reference.
    pub unset: Vec<String>,
    /// Whether all of it was one step, or would be.
    pub atomic: bool,
}

impl Deletion {
    /// Whether no referring document was touched.
    fn is_empty(&self) -> bool {
        self.deleted.is_empty() && self.unset.is_empty()
    }
}

impl<M: RedisModel> Repository<M> {
    /// The same repository, whose deletions keep to what these models say of documents that refer to
    /// deleted ones: see [`Referrer`]. Nothing is sent.
    ///
    /// Besides the models that refer to this one, it is told those that refer to theirs, where they
    /// cascade. Each call adds to what it knows; one list for all repositories will do.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # {
    /// #[derive(Debug, RedisModel)]
    /// #[redis(hash, prefix = "folder", index)]
    /// struct Folder {
    ///     #[redis(id)]
    ///     id: u32,
    ///     #[redis(tag, on_delete = "cascade")]
    ///     parent: Option<Ref<Folder>>,
    /// }
    ///
    /// # alizarin_samples::client(async |client, namespace| {
    /// let folders = client.repository::<Folder>().referred_by::<Folder>();
    /// # let folders = folders.with_namespace(namespace);
    /// # folders.index().sync().await?;
    /// for (id, parent) in [(1, None), (2, Some(1)), (3, Some(2)), (4, None)] {
    ///     folders.save(&Folder { id, parent: parent.map(Ref::new) }).await?;
    /// }
    /// # folders.index().wait().await?;
    /// assert!(folders.delete(&1).await?);
    /// assert!(!folders.exists(&3).await? && folders.exists(&4).await?);
    /// # assert!(folders.get(&4).await?.is_some_and(|four| four.parent.is_none()));
    /// # Ok(()) });
    /// # }
    /// ```
    #[must_use]
    pub fn referred_by<R: Referrer>(&self) -> Repository<M> {
        let mut rules = self.rules.as_deref().cloned().unwrap_or_default();
        R::rules(&mut |rule| {
            if !rules.all.iter().any(|other| other.is(&rule)) {
                rules.all.push(rule);
            }
        });
        Repository { rules: Some(Arc::new(rules)), ..self.clone() }
    }

    /// The same repository, whose deletions find referring documents by going through all documents of
    /// their models (`SCAN`, and a read of the field of each), and not by their indexes: slow, and right
    /// where an index is not there or not complete, or where a cluster's search module has no
    /// coordinator. A script then sees whether those that were found still refer; who begins to refer
    /// meanwhile is not seen.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # {
    /// #[derive(Debug, RedisModel)]
    /// #[redis(hash, prefix = "folder", index)]
    /// struct Folder {
    ///     #[redis(id)]
    ///     id: u32,
    ///     #[redis(tag, on_delete = "unset")]
    ///     parent: Option<Ref<Folder>>,
    /// }
    ///
    /// # alizarin_samples::client(async |client, namespace| {
    /// let folders = client.repository::<Folder>().referred_by::<Folder>().referrers_by_scan();
    /// # let folders = folders.with_namespace(namespace);
    /// // Nobody made the index.
    /// folders.save(&Folder { id: 1, parent: None }).await?;
    /// folders.save(&Folder { id: 2, parent: Some(Ref::new(1)) }).await?;
    /// assert_eq!(folders.delete(&1).report().await?.unset, [folders.key(&2)]);
    /// # assert!(folders.get(&2).await?.is_some_and(|two| two.parent.is_none()));
    /// # Ok(()) });
    /// # }
    /// ```
    #[must_use]
    pub fn referrers_by_scan(&self) -> Repository<M> {
        let rules = self.rules.as_deref().cloned().unwrap_or_default();
        Repository { rules: Some(Arc::new(Rules { scan: true, ..rules })), ..self.clone() }
    }

    /// What it was told, if anything.
    pub(crate) fn rules(&self) -> Option<&Rules> {
        self.rules.as_deref().filter(|rules| !rules.all.is_empty())
    }

    /// Deletes a document with what becomes of those that refer to it. The hooks around the deletion
    /// of the document itself are the caller's.
    pub(crate) async fn delete_referred(
        &self,
        id: &M::Id,
        expected: &Expected,
    ) -> Result<Deletion> {
        let rules = self.rules.clone().unwrap_or_default();
        run::delete(self, &rules, id, expected).await
    }

    /// What that would do after deletions of the documents `gone`, to which it adds what would go.
    pub(crate) async fn rehearse_referred(
        &self,
        id: &M::Id,
        expected: &Expected,
        gone: &mut HashSet<String>,
    ) -> Result<Deletion> {
        let rules = self.rules.clone().unwrap_or_default();
        run::rehearse(self, &rules, id, expected, gone).await
    }
}
