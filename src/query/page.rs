//! A part of the results, and how many there are.

/// One page of results.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Page<M> {
    /// The page's documents.
    pub items: Vec<M>,
    /// How many documents match in all.
    pub total: u64,
    /// The page's number, from 0.
    pub number: usize,
    /// The pages' size.
    pub size: usize,
    /// How many of this page's documents were gone before they could be loaded.
    pub dropped: usize,
}

impl<M> Page<M> {
    /// How many pages there are.
    pub fn pages(&self) -> u64 {
        self.total.div_ceil(self.size.max(1) as u64)
    }

    /// Whether there is a page after this one.
    pub fn has_next(&self) -> bool {
        self.number as u64 + 1 < self.pages()
    }
}
