//! References from one model to another.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    FieldSchema, ListItem, NumericValue, RedisModel, RedisValue, TagValue, UniqueValue, ValueKind,
};
use crate::Result;
use crate::query::FieldSpec;

/// A reference to a document of another model, or of the same one: its id, and after a load the
/// document itself.
///
/// It is stored as the id is; `Option<Ref<T>>` and `Vec<Ref<T>>` can be fields too. Two references
/// are equal when their ids are. It leads to where its own document is: to the same namespace, and
/// the same tenant. A TAG index of it regards the case of letters, as ids do. What becomes of it when
/// the document is deleted says `on_delete` ([`Referrer`](crate::repository::Referrer)).
///
/// ```
/// # use alizarin::prelude::*;
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(hash, prefix = "director")]
/// struct Director {
///     #[redis(id)]
///     id: u32,
///     name: String,
/// }
///
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(json, prefix = "movie", index)]
/// struct Movie {
///     #[redis(id)]
///     id: u32,
///     title: String,
///     #[redis(tag)]
///     director: Ref<Director>,
/// }
///
/// # alizarin_samples::client(async |client, namespace| {
/// let directors: Repository<Director> = client.repository();
/// let movies: Repository<Movie> = client.repository();
/// # let directors = directors.with_namespace(namespace);
/// # let movies = movies.with_namespace(namespace);
/// # movies.index().sync().await?;
/// let scott = Director { id: 7, name: "Ridley Scott".into() };
/// directors.save(&scott).await?;
/// movies.save(&Movie { id: 1, title: "Alien".into(), director: Ref::to(&scott) }).await?;
///
/// let alien = movies.get(&1).with(|m| m.director).await?.expect("movie 1");
/// assert_eq!(alien.director.id(), &7);
/// assert_eq!(alien.director.loaded().map(|director| &*director.name), Some("Ridley Scott"));
/// # movies.index().wait().await?;
/// assert_eq!(movies.referring(|m| m.director, &7).await?, [alien]);
/// # Ok(()) });
/// ```
pub struct Ref<T: RedisModel> {
    id: T::Id,
    found: Found<T>,
}

/// What a load found.
enum Found<T> {
    Unasked,
    Missing,
    Document(Arc<T>),
}

impl<T: RedisModel> Ref<T> {
    /// A reference by the id; whether there is such a document is not asked.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// let account: Ref<Account> = Ref::new(7);
    /// assert_eq!((account.id(), account.is_missing()), (&7, false));
    /// ```
    pub fn new(id: T::Id) -> Ref<T> {
        Ref { id, found: Found::Unasked }
    }

    /// A reference to this document.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// let ann = Account::new(1, "Ann", 500);
    /// assert_eq!(Ref::to(&ann), Ref::new(1));
    /// ```
    pub fn to(document: &T) -> Ref<T> {
        Ref::new(document.id().into_owned())
    }

    /// The id of the document.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// assert_eq!(Ref::<Account>::new(7).id(), &7);
    /// ```
    pub fn id(&self) -> &T::Id {
        &self.id
    }

    /// The document, where it was loaded by `with` or [`load`](crate::Repository::load).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// assert_eq!(Ref::<Account>::new(7).loaded(), None);
    /// ```
    pub fn loaded(&self) -> Option<&T> {
        match &self.found {
            Found::Document(document) => Some(document),
            _ => None,
        }
    }

    /// Whether a load found that there is no such document.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// // Nobody asked yet.
    /// assert!(!Ref::<Account>::new(7).is_missing());
    /// ```
    pub fn is_missing(&self) -> bool {
        matches!(self.found, Found::Missing)
    }

    /// Keeps what a load found.
    pub(crate) fn settle(&mut self, document: Option<&Arc<T>>) {
        self.found = match document {
            Some(document) => Found::Document(Arc::clone(document)),
            None => Found::Missing,
        };
    }
}

/// A field that refers to documents: a [`Ref`], an `Option` or a `Vec` of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` refers to no other model",
    note = "`Ref<T>`, `Option<Ref<T>>` and `Vec<Ref<T>>` do"
)]
pub trait References: RedisValue {
    /// The model that is referred to.
    type Target: RedisModel;

    /// Calls `each` with every reference.
    fn each<'a>(&'a mut self, each: &mut dyn FnMut(&'a mut Ref<Self::Target>));
}

impl<T: RedisModel<Id: RedisValue>> References for Ref<T> {
    type Target = T;

    fn each<'a>(&'a mut self, each: &mut dyn FnMut(&'a mut Ref<T>)) {
        each(self);
    }
}

impl<R: References> References for Option<R> {
    type Target = R::Target;

    fn each<'a>(&'a mut self, each: &mut dyn FnMut(&'a mut Ref<R::Target>)) {
        if let Some(references) = self {
            references.each(each);
        }
    }
}

impl<T: RedisModel<Id: RedisValue>> References for Vec<Ref<T>> {
    type Target = T;

    fn each<'a>(&'a mut self, each: &mut dyn FnMut(&'a mut Ref<T>)) {
        self.iter_mut().for_each(each);
    }
}

/// A field of references that can lose one: an `Option` or a `Vec`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot lose a reference, as `on_delete = \"unset\"` wants",
    note = "`Option<Ref<T>>` and `Vec<Ref<T>>` can; others take `restrict` or `cascade`"
)]
pub trait Unsettable: References {}

impl<R: References> Unsettable for Option<R> {}
impl<T: RedisModel<Id: RedisValue>> Unsettable for Vec<Ref<T>> {}

/// A field of the model itself, and of no struct in it. Implemented by derived code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a field of a nested struct, whose references cannot be loaded",
    label = "keep the reference in the model itself"
)]
pub trait OwnField: FieldSpec {
    /// The field's value.
    fn of(model: &mut Self::Model) -> &mut Self::Stored;
}

impl<T: RedisModel<Id: RedisValue>> RedisValue for Ref<T> {
    type Item = <T::Id as RedisValue>::Item;
    const KIND: ValueKind = ValueKind::Reference;
    const EXACT_IN_INDEX: bool = T::Id::EXACT_IN_INDEX;
    const CASE_SENSITIVE: bool = true;

    fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        self.id.to_hash(field, out)
    }

    fn from_hash(bytes: &[u8], field: &FieldSchema) -> Result<Ref<T>> {
        T::Id::from_hash(bytes, field).map(Ref::new)
    }

    fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        self.id.to_json(field, out)
    }

    fn from_json(json: &str, field: &FieldSchema) -> Result<Ref<T>> {
        T::Id::from_json(json, field).map(Ref::new)
    }
}

impl<T: RedisModel<Id: RedisValue>> ListItem for Ref<T> {}
impl<T: RedisModel<Id: TagValue>> TagValue for Ref<T> {}
impl<T: RedisModel<Id: UniqueValue>> UniqueValue for Ref<T> {}
impl<T: RedisModel<Id: NumericValue>> NumericValue for Ref<T> {}

impl<T: RedisModel> Clone for Ref<T> {
    fn clone(&self) -> Self {
        let found = match &self.found {
            Found::Unasked => Found::Unasked,
            Found::Missing => Found::Missing,
            Found::Document(document) => Found::Document(Arc::clone(document)),
        };
        Ref { id: self.id.clone(), found }
    }
}

impl<T: RedisModel> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ref").field(&self.id).finish()
    }
}

impl<T: RedisModel> PartialEq for Ref<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<T: RedisModel<Id: Eq>> Eq for Ref<T> {}

impl<T: RedisModel<Id: Hash>> Hash for Ref<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl<T: RedisModel<Id: Default>> Default for Ref<T> {
    fn default() -> Self {
        Ref::new(T::Id::default())
    }
}

impl<T: RedisModel> From<&T> for Ref<T> {
    fn from(document: &T) -> Ref<T> {
        Ref::to(document)
    }
}

/// As the id.
impl<T: RedisModel<Id: Serialize>> Serialize for Ref<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.id.serialize(serializer)
    }
}

impl<'de, T: RedisModel<Id: Deserialize<'de>>> Deserialize<'de> for Ref<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::Id::deserialize(deserializer).map(Ref::new)
    }
}
