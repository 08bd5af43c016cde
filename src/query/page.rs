//! A part of the results, and how many there are.

/// One page of results, from [`Find::page`](super::Find::page).
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// let page = films.find(|f| f.year.lt(1990)).sort_by(|f| f.year.asc()).page(0, 2).await?;
/// assert_eq!((page.items.len(), page.total, page.number, page.size), (2, 3, 0, 2));
/// assert_eq!(page.items[0].title, "Alien");
/// # Ok(()) });
/// ```
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
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let page = films.find(|f| f.year.lt(1990)).page(0, 2).await?;
    /// assert_eq!(page.pages(), 2);
    /// # Ok(()) });
    /// ```
    pub fn pages(&self) -> u64 {
        self.total.div_ceil(self.size.max(1) as u64)
    }

    /// Whether there is a page after this one.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let found = films.find(|f| f.year.lt(1990)).sort_by(|f| f.year.asc());
    /// assert!(found.page(0, 2).await?.has_next());
    /// # Ok(()) });
    /// ```
    pub fn has_next(&self) -> bool {
        self.number as u64 + 1 < self.pages()
    }
}
