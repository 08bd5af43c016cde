//! Loading what documents refer to: one round trip a relation, however many documents there are.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use super::get::PAGE;
use super::take::Whole;
use super::{Repository, load_page};
use crate::Result;
use crate::model::{OwnField, RedisModel, Ref, References};
use crate::query::{Field, FieldSpec, Page, Scored};

/// A load on its way.
type Loading<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// What `with` and [`load`](Repository::load) take: a field of references (`m.director`), one with
/// what is to be loaded behind it (`m.director.with(|d| d.country)`), or a tuple of up to six of
/// these.
///
/// ```
/// # use alizarin::prelude::*;
/// # {
/// #[derive(Debug, Clone, RedisModel)]
/// #[redis(hash, prefix = "person")]
/// struct Person {
///     #[redis(id)]
///     id: u32,
///     boss: Option<Ref<Person>>,
///     friends: Vec<Ref<Person>>,
/// }
///
/// # alizarin_samples::client(async |client, namespace| {
/// # let people = client.repository::<Person>().with_namespace(namespace);
/// # let person = |id, boss: Option<u32>| Person { id, boss: boss.map(Ref::new), friends: vec![] };
/// # people.save_all(&[person(1, None), person(2, Some(1)), person(3, Some(2))]).await?;
/// // The boss with the boss's own boss, and the friends.
/// let carl = people.get(&3).with(|p| (p.boss.with(|b| b.boss), p.friends)).await?;
/// let boss = carl.as_ref().and_then(|carl| carl.boss.as_ref()?.loaded());
/// let above = boss.and_then(|boss| boss.boss.as_ref()?.loaded());
/// assert_eq!(above.map(|above| above.id), Some(1));
/// # Ok(()) });
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no relation of `{M}`",
    note = "the closure gives `m.field` of a `Ref`, `m.field.with(..)`, or a tuple of these"
)]
pub trait Relation<M>: Send + Sync {
    /// Loads it into these documents.
    #[doc(hidden)]
    fn load<'a>(&'a self, repository: &'a Repository<M>, documents: Vec<&'a mut M>) -> Loading<'a>;
}

/// A relation and what is loaded behind it, from [`Field::with`].
pub struct Deeper<S, L> {
    field: PhantomData<fn() -> S>,
    then: L,
}

impl<S, L> fmt::Debug for Deeper<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deeper")
    }
}

impl<S: OwnField<Stored: References>> Field<S> {
    /// The relation, and relations of what it refers to: see [`Relation`].
    pub fn with<L>(
        self,
        then: impl FnOnce(<<S::Stored as References>::Target as RedisModel>::Fields) -> L,
    ) -> Deeper<S, L>
    where
        L: Relation<<S::Stored as References>::Target>,
    {
        Deeper { field: PhantomData, then: then(Default::default()) }
    }
}

impl<M, S> Relation<M> for Field<S>
where
    M: RedisModel,
    S: OwnField<Model = M, Stored: References>,
{
    fn load<'a>(&'a self, repository: &'a Repository<M>, documents: Vec<&'a mut M>) -> Loading<'a> {
        Box::pin(load::<M, S, ()>(repository, documents, &()))
    }
}

impl<M, S, L> Relation<M> for Deeper<S, L>
where
    M: RedisModel,
    S: OwnField<Model = M, Stored: References>,
    L: Relation<<S::Stored as References>::Target>,
{
    fn load<'a>(&'a self, repository: &'a Repository<M>, documents: Vec<&'a mut M>) -> Loading<'a> {
        Box::pin(load::<M, S, L>(repository, documents, &self.then))
    }
}

/// Nothing.
impl<M: RedisModel> Relation<M> for () {
    fn load<'a>(&'a self, _: &'a Repository<M>, _: Vec<&'a mut M>) -> Loading<'a> {
        Box::pin(std::future::ready(Ok(())))
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<M: RedisModel, $($name: Relation<M>),+> Relation<M> for ($($name,)+) {
            #[expect(non_snake_case, reason = "named as their types")]
            fn load<'a>(
                &'a self,
                repository: &'a Repository<M>,
                mut documents: Vec<&'a mut M>,
            ) -> Loading<'a> {
                Box::pin(async move {
                    let ($($name,)+) = self;
                    $({
                        let documents = documents.iter_mut().map(|document| &mut **document);
                        $name.load(repository, documents.collect()).await?;
                    })+
                    Ok(())
                })
            }
        }
    )+};
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }

/// What a field refers to.
type Target<S> = <<S as FieldSpec>::Stored as References>::Target;

/// Loads what the field `S` of all documents refers to, each document once.
async fn load<M, S, L>(repository: &Repository<M>, documents: Vec<&mut M>, then: &L) -> Result<()>
where
    M: RedisModel,
    S: OwnField<Model = M, Stored: References>,
    L: Relation<<S::Stored as References>::Target>,
{
    let targets = repository.beside::<Target<S>>();
    let mut references: Vec<(usize, &mut Ref<Target<S>>)> = Vec::new();
    let (mut keys, mut known) = (Vec::<String>::new(), HashMap::<String, usize>::new());
    for document in documents {
        S::of(document).each(&mut |reference| {
            let key = targets.key(reference.id());
            let at = *known.entry(key).or_insert_with_key(|key| {
                keys.push(key.clone());
                keys.len() - 1
            });
            references.push((at, reference));
        });
    }
    let mut found = Vec::with_capacity(keys.len());
    for keys in keys.chunks(PAGE) {
        found.extend(load_page::<Whole<Target<S>>>(targets.client(), keys).await?);
    }
    then.load(&targets, found.iter_mut().flatten().collect()).await?;
    let found: Vec<_> = found.into_iter().map(|document| document.map(Arc::new)).collect();
    for (at, reference) in references {
        reference.settle(found.get(at).and_then(Option::as_ref));
    }
    Ok(())
}

/// What holds documents whose relations can be loaded: what reads and searches give.
pub trait Holds<M> {
    /// The documents.
    #[doc(hidden)]
    fn documents(&mut self) -> Vec<&mut M>;
}

impl<M> Holds<M> for M {
    fn documents(&mut self) -> Vec<&mut M> {
        vec![self]
    }
}

macro_rules! holds {
    ($($type:ty: $self:ident => $documents:expr;)+) => {$(
        impl<M> Holds<M> for $type {
            fn documents(&mut $self) -> Vec<&mut M> {
                $documents.collect()
            }
        }
    )+};
}

holds! {
    Option<M>: self => self.iter_mut();
    Vec<M>: self => self.iter_mut();
    [M]: self => self.iter_mut();
    Vec<Option<M>>: self => self.iter_mut().flatten();
    Vec<Scored<M>>: self => self.iter_mut().map(|scored| &mut scored.item);
    Page<M>: self => self.items.iter_mut();
}

impl<M: RedisModel> Repository<M> {
    /// Loads what these documents refer to into their [`Ref`]s: one round trip a relation (in
    /// pipelines of 500, grouped by node on a cluster), each document once. Takes what reads and
    /// searches give: one document, an `Option`, a `Vec`, a page.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::client(async |client, namespace| {
    /// #[derive(Debug, Clone, RedisModel)]
    /// #[redis(hash, prefix = "person")]
    /// struct Person {
    ///     #[redis(id)]
    ///     id: u32,
    ///     boss: Option<Ref<Person>>,
    /// }
    ///
    /// # let people = client.repository::<Person>().with_namespace(namespace);
    /// let mut team = vec![
    ///     Person { id: 1, boss: None },
    ///     Person { id: 2, boss: Some(Ref::new(1)) },
    ///     Person { id: 3, boss: Some(Ref::new(99)) },
    /// ];
    /// people.save_all(&team).await?;
    /// people.load(&mut team, |p| p.boss).await?;
    /// let boss = |person: &Person| person.boss.as_ref()?.loaded().map(|boss| boss.id);
    /// assert_eq!(team.iter().map(boss).collect::<Vec<_>>(), [None, Some(1), None]);
    /// assert!(team[2].boss.as_ref().is_some_and(Ref::is_missing));
    /// # Ok(()) });
    /// ```
    pub fn load<'a, C, L>(
        &'a self,
        documents: &'a mut C,
        relation: impl FnOnce(M::Fields) -> L,
    ) -> Load<'a, M, C, L>
    where
        C: Holds<M> + ?Sized,
        L: Relation<M>,
    {
        Load { repository: self, documents, relation: relation(M::Fields::default()) }
    }
}

/// A load of relations, from [`Repository::load`].
///
/// # Errors
/// As a read of the documents that are referred to. Those that are not there are no error: see
/// [`Ref::is_missing`].
///
/// # Cancel safety
/// It only reads. Dropped before it is done, some relations are loaded and some are not.
#[must_use = "a load does nothing until it is awaited"]
pub struct Load<'a, M, C: ?Sized, L> {
    repository: &'a Repository<M>,
    documents: &'a mut C,
    relation: L,
}

impl<'a, M, C, L> IntoFuture for Load<'a, M, C, L>
where
    M: RedisModel,
    C: Holds<M> + Send + ?Sized,
    L: Relation<M> + 'a,
{
    type Output = Result<()>;
    type IntoFuture = Loading<'a>;

    fn into_future(self) -> Loading<'a> {
        Box::pin(
            async move { self.relation.load(self.repository, self.documents.documents()).await },
        )
    }
}

impl<M, C: ?Sized, L> fmt::Debug for Load<'_, M, C, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load").field("repository", self.repository).finish_non_exhaustive()
    }
}
