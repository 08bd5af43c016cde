//! Adding elements.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use serde::Serialize;

use super::attributes::to_json;
use super::failure::explain;
use crate::{Client, Command, Error, ErrorKind, Result};

/// How a vector set keeps its vectors; the first element decides for all.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::vectors::Quantization;
/// # alizarin_samples::client(async |client, prefix| {
/// let points: VectorSet<u32> = client.vector_set(format!("{prefix}points"));
/// points.add(&1, &[3.0, 4.0]).quantization(Quantization::None).await?;
/// assert_eq!(points.get(&1).await?.map(|point| point.vector), Some(vec![3.0, 4.0]));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Quantization {
    /// One byte a number (`Q8`): a quarter of the memory, nearly the same answers.
    #[default]
    Q8,
    /// Four bytes a number, as they came (`NOQUANT`).
    None,
    /// One bit a number (`BIN`): the least memory, the coarsest answers.
    Bin,
}

/// An element being added; made by [`VectorSet::add`](super::VectorSet::add).
///
/// Awaiting it sends `VADD` and gives whether the element is new; one that is there gets the new
/// vector, and keeps its attributes unless others are given.
///
/// ```
/// use alizarin_samples::Facts;
/// # alizarin_samples::posters(async |posters| {
/// let facts = Facts::new(1895, "art nouveau", "A0");
/// let new = posters.add(&1, &[0.9, 0.1, 0.1]).attributes(&facts).await?;
/// assert!(!new);
/// assert_eq!(posters.attributes(&1).await?, Some(facts));
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Value` for a vector of another dimension, empty or not finite, or attributes that are no
/// JSON; `Usage` for options that differ from the set's own; `Server` for a key of another type;
/// `Unsupported` before Redis 8.0.
///
/// # Cancel safety
/// The element may have been added; adding it again is harmless.
#[must_use = "nothing is added before it is awaited"]
pub struct AddVector<'c, A> {
    pub(super) client: &'c Client,
    pub(super) key: &'c str,
    pub(super) id: String,
    /// The vector's bytes, or what is wrong with it.
    pub(super) blob: Result<Vec<u8>>,
    pub(super) attributes: Option<Result<String>>,
    pub(super) quantization: Option<Quantization>,
    pub(super) reduce: Option<u32>,
    pub(super) ef: Option<u32>,
    pub(super) m: Option<u32>,
    pub(super) cas: bool,
    pub(super) types: PhantomData<fn() -> A>,
}

impl<A> AddVector<'_, A> {
    /// The element's attributes (`SETATTR`).
    ///
    /// ```
    /// use alizarin_samples::Facts;
    /// # alizarin_samples::posters(async |posters| {
    /// posters.add(&4, &[0.1, 0.9, 0.1]).attributes(&Facts::new(1930, "art deco", "A1")).await?;
    /// assert_eq!(posters.attributes(&4).await?.map(|facts| facts.year), Some(1930));
    /// # Ok(()) });
    /// ```
    pub fn attributes(mut self, attributes: &A) -> Self
    where
        A: Serialize,
    {
        self.attributes = Some(to_json(attributes));
        self
    }

    /// How vectors are kept: [`Quantization::Q8`] unless given. All elements need the same one.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::vectors::Quantization;
    /// # alizarin_samples::client(async |client, prefix| {
    /// let points: VectorSet<u32> = client.vector_set(format!("{prefix}points"));
    /// points.add(&1, &[3.0, -4.0]).quantization(Quantization::Bin).await?;
    /// let other = points.add(&2, &[3.0, -4.0]).quantization(Quantization::None).await;
    /// assert_eq!(other.unwrap_err().kind(), ErrorKind::Usage);
    /// # Ok(()) });
    /// ```
    pub fn quantization(mut self, quantization: Quantization) -> Self {
        self.quantization = Some(quantization);
        self
    }

    /// Projects vectors at random onto this many dimensions (`REDUCE`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::client(async |client, prefix| {
    /// let points: VectorSet<u32> = client.vector_set(format!("{prefix}points"));
    /// points.add(&1, &[1.0, 2.0, 3.0, 4.0]).reduce(2).await?;
    /// assert_eq!(points.dimension().await?, Some(2));
    /// # Ok(()) });
    /// ```
    pub fn reduce(mut self, dimension: u32) -> Self {
        self.reduce = Some(dimension);
        self
    }

    /// How many candidates are weighed while the element is linked in (`EF`, 200 by default):
    /// more takes longer and makes a better graph.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// assert!(posters.add(&4, &[0.1, 0.9, 0.1]).ef(500).await?);
    /// # Ok(()) });
    /// ```
    pub fn ef(mut self, candidates: u32) -> Self {
        self.ef = Some(candidates);
        self
    }

    /// Links a node (`M`, 16 by default). All elements need the same.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::client(async |client, prefix| {
    /// let points: VectorSet<u32> = client.vector_set(format!("{prefix}points"));
    /// assert!(points.add(&1, &[1.0, 2.0]).m(32).await?);
    /// let other = points.add(&2, &[2.0, 1.0]).m(8).await;
    /// assert_eq!(other.unwrap_err().kind(), ErrorKind::Usage);
    /// # Ok(()) });
    /// ```
    pub fn m(mut self, links: u32) -> Self {
        self.m = Some(links);
        self
    }

    /// Looks for neighbours in a background thread of the server (`CAS`), so that other commands
    /// wait less.
    ///
    /// ```
    /// # alizarin_samples::posters(async |posters| {
    /// assert!(posters.add(&4, &[0.1, 0.9, 0.1]).cas().await?);
    /// # Ok(()) });
    /// ```
    pub fn cas(mut self) -> Self {
        self.cas = true;
        self
    }

    fn command(self) -> Result<Command<bool>> {
        let reduce = self.reduce.map(|dimension| ("REDUCE", dimension));
        let mut command =
            Command::new("VADD").key(self.key).arg(reduce).arg("FP32").arg(self.blob?).arg(self.id);
        if self.cas {
            command = command.arg("CAS");
        }
        let quantization = self.quantization.map(|quantization| match quantization {
            Quantization::Q8 => "Q8",
            Quantization::None => "NOQUANT",
            Quantization::Bin => "BIN",
        });
        command = command.arg(quantization).arg(self.ef.map(|n| ("EF", n)));
        if let Some(attributes) = self.attributes {
            command = command.arg(("SETATTR", attributes?));
        }
        Ok(command.arg(self.m.map(|n| ("M", n))))
    }
}

impl<'c, A: 'c> IntoFuture for AddVector<'c, A> {
    type Output = Result<bool>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (client, key) = (self.client, self.key);
            let command = self.command().map_err(|error| error.with_command("VADD"))?;
            client.run(command).await.map_err(|error| explain(error, key))
        })
    }
}

impl<A> std::fmt::Debug for AddVector<'_, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddVector")
            .field("key", &self.key)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A vector's bytes as `FP32` wants them; `dimension` is what the caller promised.
pub(super) fn blob(vector: &[f32], dimension: Option<u32>) -> Result<Vec<u8>> {
    if vector.is_empty() {
        return Err(Error::new(ErrorKind::Value, "a vector needs at least one number"));
    }
    if let Some(wanted) = dimension
        && u32::try_from(vector.len()) != Ok(wanted)
    {
        let text = format!("a vector of {wanted} numbers is needed, this one has {}", vector.len());
        return Err(Error::new(ErrorKind::Value, text));
    }
    // The server would store such a vector and find it equally far from everything.
    if let Some(at) = vector.iter().position(|number| !number.is_finite()) {
        return Err(Error::new(
            ErrorKind::Value,
            format!("the vector's number at {at} is not finite"),
        ));
    }
    Ok(vector.iter().flat_map(|number| number.to_le_bytes()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_are_little_endian_and_checked() {
        assert_eq!(blob(&[1.0, -2.0], None).unwrap(), [0, 0, 128, 63, 0, 0, 0, 192]);
        for (vector, dimension) in [(&[][..], None), (&[1.0][..], Some(2)), (&[f32::NAN][..], None)]
        {
            assert_eq!(blob(vector, dimension).unwrap_err().kind(), ErrorKind::Value);
        }
    }
}
