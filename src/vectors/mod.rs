//! Vector sets: elements found by the similarity of their vectors, with attributes beside them.
//!
//! Redis 8.0 or newer has them built in. Against a `#[redis(vector)]` field of a model, which an
//! index searches, a vector set is one key of its own, quick to fill and to ask.
//!
//! ```
//! use alizarin::prelude::*;
//!
//! #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, RedisAttributes)]
//! struct Facts {
//!     year: i32,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = alizarin_testkit::Server::start()?;
//! # let client = Client::connect(server.url().as_str()).await?;
//! # let key = format!("{}movies", server.namespace());
//! let movies = client.vector_set::<u32, Facts>(key);
//! movies.add(&1, &[1.0, 0.0, 0.2]).attributes(&Facts { year: 1979 }).await?;
//! movies.add(&2, &[0.9, 0.1, 0.0]).attributes(&Facts { year: 1999 }).await?;
//!
//! let alike = movies
//!     .similar_to(&[1.0, 0.0, 0.1])
//!     .filter(|a| a.year.gt(1990))
//!     .with_attributes()
//!     .await?;
//! assert_eq!(alike[0].id, 2);
//! assert_eq!(alike[0].attributes, Some(Facts { year: 1999 }));
//! # Ok(())
//! # }
//! ```

mod add;
mod attributes;
mod failure;
mod filter;
mod literal;
mod operand;
mod reply;
mod similar;

pub use add::{AddVector, Quantization};
pub use attributes::VectorAttributes;
pub use filter::{AttributeField, AttributeFilter, AttributeNumber, attribute};
pub use operand::{AttributeOperand, Number, NumberAttribute, NumberTerm, TextAttribute};
pub use similar::{Similar, SimilarTo};

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::ModelId;
use crate::{Client, Command, Error, ErrorKind, Result};
use add::blob;
use attributes::{from_json, to_json};
use failure::explain;
use similar::Target;

/// What gives vector sets: the client.
///
/// ```
/// use alizarin::vectors::{VectorSet, VectorSetSource};
/// # alizarin_samples::client(async |client, prefix| {
/// let colors: VectorSet<u32> = client.vector_set(format!("{prefix}colors"));
/// colors.add(&1, &[1.0, 0.0, 0.0]).await?;
/// assert_eq!(colors.len().await?, 1);
/// # Ok(()) });
/// ```
pub trait VectorSetSource {
    /// The vector set at a key, with elements named by `Id` and attributes of type `A`. Sends
    /// nothing; the first element that is added makes the set.
    fn vector_set<Id: ModelId, A>(&self, key: impl Into<String>) -> VectorSet<Id, A>;
}

impl VectorSetSource for Client {
    fn vector_set<Id: ModelId, A>(&self, key: impl Into<String>) -> VectorSet<Id, A> {
        VectorSet { client: self.clone(), key: key.into(), dimension: None, types: PhantomData }
    }
}

/// One Redis vector set; cheap to clone. Made by [`VectorSetSource::vector_set`].
///
/// The first element decides the dimension and how vectors are kept; what does not fit later is
/// refused.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::client(async |client, prefix| {
/// let words: VectorSet<String> = client.vector_set(format!("{prefix}words"));
/// words.add(&"king".to_owned(), &[0.9, 0.8]).await?;
/// words.add(&"queen".to_owned(), &[0.9, 0.7]).await?;
/// words.add(&"cabbage".to_owned(), &[-0.3, 0.1]).await?;
/// let alike = words.similar(&"king".to_owned()).count(2).await?;
/// assert_eq!((alike[0].id.as_str(), alike[1].id.as_str()), ("king", "queen"));
/// # Ok(()) });
/// ```
pub struct VectorSet<Id, A = ()> {
    client: Client,
    key: String,
    dimension: Option<u32>,
    types: PhantomData<fn() -> (Id, A)>,
}

/// An element's vector and attributes.
///
/// ```
/// # alizarin_samples::posters(async |posters| {
/// let poster = posters.get(&2).await?.expect("poster 2");
/// assert_eq!(poster.vector.len(), 3);
/// assert_eq!(poster.attributes.map(|facts| facts.year), Some(1923));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Element<A = ()> {
    /// The vector as the set keeps it: near the one that was added, unless it is kept without
    /// quantization.
    pub vector: Vec<f32>,
    /// Its attributes, where it has some.
    pub attributes: Option<A>,
}

impl<Id, A> VectorSet<Id, A> {
    /// The set's Redis key.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::client(async |client, prefix| {
    /// let colors: VectorSet<u32> = client.vector_set("colors");
    /// assert_eq!(colors.key(), "colors");
    /// # let _ = prefix;
    /// # Ok(()) });
    /// ```
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The same set, with all vectors checked against this dimension before they are sent.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::posters(async |posters| {
    /// let posters = posters.of_dimension(3);
    /// let error = posters.add(&4, &[0.5, 0.5]).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Value);
    /// assert_eq!(error.message(), "a vector of 3 numbers is needed, this one has 2");
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn of_dimension(mut self, dimension: u32) -> Self {
        self.dimension = Some(dimension);
        self
    }

    /// How many elements there are (`VCARD`).
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// assert_eq!(posters.len().await?, 3);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Unsupported` before Redis 8.0, `Server` for a key of another type.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn len(&self) -> Result<u64> {
        self.run(Command::new("VCARD").key(&self.key)).await
    }

    /// Whether there are no elements (`VCARD`).
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// assert!(!posters.is_empty().await?);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`len`](Self::len).
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn is_empty(&self) -> Result<bool> {
        self.len().await.map(|n| n == 0)
    }

    /// How many numbers a vector has as it is kept (`VDIM`); `None` while the set does not exist.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// assert_eq!(posters.dimension().await?, Some(3));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`len`](Self::len).
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn dimension(&self) -> Result<Option<u32>> {
        match self.run(Command::new("VDIM").key(&self.key)).await {
            Err(error) if error.message().contains("key does not exist") => Ok(None),
            other => other.map(Some),
        }
    }

    /// The elements most similar to a vector (`VSIM`).
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let red = posters.similar_to(&[1.0, 0.0, 0.0]).await?;
    /// let ids: Vec<u32> = red.iter().map(|poster| poster.id).collect();
    /// assert_eq!(ids, [1, 2, 3]);
    /// # Ok(()) });
    /// ```
    pub fn similar_to(&self, vector: &(impl AsRef<[f32]> + ?Sized)) -> SimilarTo<'_, Id, A> {
        let target = blob(vector.as_ref(), self.dimension).map(Target::Vector);
        SimilarTo::new(&self.client, &self.key, target)
    }

    async fn run<R: crate::FromReply>(&self, command: Command<R>) -> Result<R> {
        self.client.run(command).await.map_err(|error| explain(error, &self.key))
    }
}

impl<Id: ModelId, A> VectorSet<Id, A> {
    /// Adds an element, or changes one (`VADD`).
    ///
    /// ```
    /// use alizarin_samples::Facts;
    /// # alizarin_samples::posters(async |posters| {
    /// let facts = Facts::new(1930, "art deco", "A1");
    /// assert!(posters.add(&4, &[0.1, 0.9, 0.1]).attributes(&facts).await?);
    /// assert_eq!(posters.similar_to(&[0.0, 1.0, 0.0]).await?[0].id, 4);
    /// # Ok(()) });
    /// ```
    pub fn add(&self, id: &Id, vector: &(impl AsRef<[f32]> + ?Sized)) -> AddVector<'_, A> {
        AddVector {
            client: &self.client,
            key: &self.key,
            id: name(id),
            blob: blob(vector.as_ref(), self.dimension),
            attributes: None,
            quantization: None,
            reduce: None,
            ef: None,
            m: None,
            cas: false,
            types: PhantomData,
        }
    }

    /// The elements most similar to one in the set (`VSIM … ELE`), itself among them.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let alike = posters.similar(&1).count(2).await?;
    /// assert_eq!((alike[0].id, alike[1].id), (1, 2));
    /// # Ok(()) });
    /// ```
    pub fn similar(&self, id: &Id) -> SimilarTo<'_, Id, A> {
        SimilarTo::new(&self.client, &self.key, Ok(Target::Element(name(id))))
    }

    /// Whether the element is in the set (`VISMEMBER`, from Redis 8.2).
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// assert!(posters.contains(&1).await?);
    /// assert!(!posters.contains(&9).await?);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Unsupported` before that.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn contains(&self, id: &Id) -> Result<bool> {
        self.run(Command::new("VISMEMBER").key(&self.key).arg(name(id))).await
    }

    /// Removes an element (`VREM`); gives whether it was there.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// assert!(posters.remove(&1).await?);
    /// assert!(!posters.remove(&1).await?);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Unsupported` before Redis 8.0.
    ///
    /// # Cancel safety
    /// The element may have been removed; calling again is harmless.
    pub async fn remove(&self, id: &Id) -> Result<bool> {
        self.run(Command::new("VREM").key(&self.key).arg(name(id))).await
    }

    /// An element's vector and attributes (`VEMB`, `VGETATTR`), read together.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let poster = posters.get(&1).await?.expect("poster 1");
    /// assert!((poster.vector[0] - 0.9).abs() < 0.02);
    /// assert!(posters.get(&9).await?.is_none());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Decode` for attributes that do not read as `A`; `Unsupported` before Redis 8.0.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn get(&self, id: &Id) -> Result<Option<Element<A>>>
    where
        A: DeserializeOwned,
    {
        let vector = Command::<Option<Vec<f32>>>::new("VEMB").key(&self.key).arg(name(id));
        let attributes = Command::<Option<String>>::new("VGETATTR").key(&self.key).arg(name(id));
        let found = self.client.transaction((vector, attributes)).await;
        let (vector, attributes) = found.map_err(|error| explain(error, &self.key))?;
        let Some(vector) = vector else { return Ok(None) };
        let attributes = attributes.as_deref().map(from_json).transpose();
        let attributes = attributes.map_err(|error: Error| error.with_field(&name(id)))?;
        Ok(Some(Element { vector, attributes }))
    }

    /// An element's attributes (`VGETATTR`); `None` for one without, and for no such element.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// let facts = posters.attributes(&3).await?;
    /// assert_eq!(facts.map(|facts| facts.style).as_deref(), Some("pop"));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn attributes(&self, id: &Id) -> Result<Option<A>>
    where
        A: DeserializeOwned,
    {
        let json = Command::<Option<String>>::new("VGETATTR").key(&self.key).arg(name(id));
        let json = self.run(json).await?;
        json.as_deref()
            .map(from_json)
            .transpose()
            .map_err(|error: Error| error.with_field(&name(id)))
    }

    /// Replaces an element's attributes (`VSETATTR`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin_samples::Facts;
    /// # alizarin_samples::posters(async |posters| {
    /// posters.set_attributes(&3, &Facts::new(1969, "pop", "A2")).await?;
    /// assert_eq!(posters.attributes(&3).await?.map(|facts| facts.year), Some(1969));
    ///
    /// let missing = posters.set_attributes(&9, &Facts::new(1969, "pop", "A2")).await;
    /// assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `NotFound` when there is no such element; `Value` for attributes that are no JSON.
    ///
    /// # Cancel safety
    /// The attributes may have been written; calling again is harmless.
    pub async fn set_attributes(&self, id: &Id, attributes: &A) -> Result<()>
    where
        A: Serialize,
    {
        self.write_attributes(id, to_json(attributes)?).await
    }

    /// Removes an element's attributes (`VSETATTR` with none).
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// posters.clear_attributes(&3).await?;
    /// assert_eq!(posters.attributes(&3).await?, None);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `NotFound` when there is no such element.
    ///
    /// # Cancel safety
    /// The attributes may have been removed; calling again is harmless.
    pub async fn clear_attributes(&self, id: &Id) -> Result<()> {
        self.write_attributes(id, String::new()).await
    }

    async fn write_attributes(&self, id: &Id, json: String) -> Result<()> {
        let command = Command::<bool>::new("VSETATTR").key(&self.key).arg((name(id), json));
        if self.run(command).await? {
            return Ok(());
        }
        let text = format!("no element {:?} in vector set {:?}", name(id), self.key);
        Err(Error::new(ErrorKind::NotFound, text).with_command("VSETATTR"))
    }
}

fn name(id: &impl ModelId) -> String {
    let mut name = String::new();
    id.write_id(&mut name);
    name
}

impl<Id, A> Clone for VectorSet<Id, A> {
    fn clone(&self) -> Self {
        VectorSet {
            client: self.client.clone(),
            key: self.key.clone(),
            dimension: self.dimension,
            types: PhantomData,
        }
    }
}

impl<Id, A> fmt::Debug for VectorSet<Id, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VectorSet")
            .field("key", &self.key)
            .field("dimension", &self.dimension)
            .finish_non_exhaustive()
    }
}
