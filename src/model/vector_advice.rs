//! Which compression suits an index of vectors, and what it saves.

use std::fmt;

use super::vector_schema::Compression;

/// From so many dimensions on it pays to search vectors of fewer dimensions first.
const MANY: usize = 1_024;

/// Bits of an element that is not compressed: `f32`.
const PLAIN: usize = 32;

/// What an index of compressed vectors is to be good at.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::{Aim, Compression};
///
/// assert_eq!(Compression::advise(384, Aim::Memory).compression, Compression::Lvq4);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Aim {
    /// Fast, small, and nearly as exact as without compression.
    #[default]
    Balance,
    /// As small as can be; some of the nearest are missed.
    Memory,
    /// The nearest are to be found, at the price of some memory.
    Recall,
}

/// A compression for vectors of a certain dimension, from [`Compression::advise`]; shown as the words
/// for the field's attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Advice {
    /// What to compress with.
    pub compression: Compression,
    /// The dimension to search in first (`REDUCE`), where the compression reduces it.
    pub reduce: Option<usize>,
    /// What the elements of one vector take, in bytes. The graph comes on top: four bytes for each of
    /// `graph_max_degree` neighbours.
    pub bytes: usize,
    /// The same as a share of what it takes as `f32`.
    pub share: f64,
}

impl Compression {
    /// A compression for vectors of so many dimensions, by the rules of thumb that the server's
    /// makers give. What it does to the results is for the application to measure: see how many of
    /// the nearest by `flat` it still finds.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::model::{Aim, Compression};
    ///
    /// let advice = Compression::advise(1_536, Aim::Balance);
    /// assert_eq!(advice.to_string(), r#"compression = "LeanVec4x8", reduce = 768"#);
    /// assert_eq!((advice.bytes, advice.share), (1_920, 0.3125));
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn advise(dimension: usize, aim: Aim) -> Advice {
        let compression = match (aim, dimension >= MANY) {
            (Aim::Memory, _) => Compression::Lvq4,
            (Aim::Balance, false) => Compression::Lvq4x4,
            (Aim::Balance, true) => Compression::LeanVec4x8,
            (Aim::Recall, false) => Compression::Lvq4x8,
            (Aim::Recall, true) => Compression::LeanVec8x8,
        };
        let reduce = compression.reduces().then_some(dimension / 2);
        let bytes = compression.bytes(dimension, reduce);
        let share = bytes as f64 / (dimension * PLAIN / 8).max(1) as f64;
        Advice { compression, reduce, bytes, share }
    }

    /// What the elements of one vector of so many dimensions take, in bytes; `reduce` as the field's
    /// attribute has it, half of the dimension by default.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::model::Compression;
    ///
    /// assert_eq!(Compression::Lvq8.bytes(768, None), 768);
    /// assert_eq!(Compression::LeanVec4x8.bytes(768, Some(256)), 896);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn bytes(self, dimension: usize, reduce: Option<usize>) -> usize {
        // Bits an element of what is searched first, and of what makes its results exact.
        let (first, second) = match self {
            Compression::Lvq4 => (4, 0),
            Compression::Lvq8 => (8, 0),
            Compression::Lvq4x4 => (4, 4),
            Compression::Lvq4x8 | Compression::LeanVec4x8 => (4, 8),
            Compression::LeanVec8x8 => (8, 8),
        };
        let searched = match self.reduces() {
            true => reduce.unwrap_or(dimension / 2),
            false => dimension,
        };
        (searched * first).div_ceil(8) + (dimension * second).div_ceil(8)
    }

    fn reduces(self) -> bool {
        matches!(self, Compression::LeanVec4x8 | Compression::LeanVec8x8)
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "compression = \"{}\"", self.compression.name())?;
        match self.reduce {
            Some(reduce) => write!(f, ", reduce = {reduce}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_saved_where_memory_matters_and_less_where_the_nearest_do() {
        for dimension in [3, 128, 768, 1_024, 3_072] {
            let bytes = |aim| Compression::advise(dimension, aim).bytes;
            let plain = dimension * 4;
            assert!(bytes(Aim::Memory) < bytes(Aim::Balance), "{dimension}");
            assert!(bytes(Aim::Balance) < bytes(Aim::Recall), "{dimension}");
            assert!(bytes(Aim::Recall) <= plain / 2, "{dimension}");
        }
    }

    #[test]
    fn each_takes_the_bits_of_its_name() {
        let bytes = |compression: Compression| compression.bytes(1_000, Some(250));
        assert_eq!(bytes(Compression::Lvq4), 500);
        assert_eq!(bytes(Compression::Lvq8), 1_000);
        assert_eq!(bytes(Compression::Lvq4x4), 1_000);
        assert_eq!(bytes(Compression::Lvq4x8), 1_500);
        assert_eq!(bytes(Compression::LeanVec4x8), 125 + 1_000);
        assert_eq!(bytes(Compression::LeanVec8x8), 250 + 1_000);
    }

    #[test]
    fn the_words_are_those_of_the_attribute() {
        let shown = |dimension, aim| Compression::advise(dimension, aim).to_string();
        assert_eq!(shown(384, Aim::Balance), r#"compression = "LVQ4x4""#);
        assert_eq!(shown(3_072, Aim::Recall), r#"compression = "LeanVec8x8", reduce = 1536"#);
    }
}
