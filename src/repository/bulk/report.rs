//! What became of many documents.

use super::Settled;
use crate::{Error, Result};

/// What became of one document, for [`Bulk::on_each`](super::Bulk::on_each).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Item<'a> {
    /// It was written or deleted.
    Done,
    /// There was no such document, so nothing was done.
    Absent,
    /// It failed.
    Failed(&'a Error),
}

impl Item<'_> {
    pub(super) fn of(outcome: &Result<Settled>) -> Item<'_> {
        match outcome {
            Ok(settled) if settled.there => Item::Done,
            Ok(_) => Item::Absent,
            Err(error) => Item::Failed(error),
        }
    }
}

/// What became of all documents, from [`Bulk::report`](super::Bulk::report).
#[derive(Debug)]
#[non_exhaustive]
pub struct Report<I> {
    /// How many were written or deleted.
    pub done: usize,
    /// How many were not there, so that there was nothing to do.
    pub absent: usize,
    /// How many failed.
    pub failed: usize,
    /// How many documents that refer to deleted ones went with them (`cascade`), where the repository
    /// [was told of them](crate::Repository::referred_by).
    pub cascaded: usize,
    /// How many lost a reference (`unset`); one that loses several counts for each deletion.
    pub unset: usize,
    /// How many stand against deletions that failed with [`Referred`](crate::ErrorKind::Referred)
    /// (`restrict`); one that stands against several counts for each. Against one deletion no more
    /// than about a thousand are looked for.
    pub restricting: usize,
    /// The first failures, in order: 1,000 of them unless
    /// [`keep_failures`](super::Bulk::keep_failures) says otherwise.
    pub failures: Vec<Failure<I>>,
    /// Whether all documents were seen to; not when it stopped at a failure.
    pub finished: bool,
    /// The first failure's error, where none is kept.
    first: Option<Error>,
}

/// A document that failed, and why.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure<I> {
    /// The document's id.
    pub id: I,
    /// Why it failed; its [`sent`](Error::sent) says whether the write may have happened.
    pub error: Error,
}

impl<I> Default for Report<I> {
    fn default() -> Self {
        Report {
            done: 0,
            absent: 0,
            failed: 0,
            cascaded: 0,
            unset: 0,
            restricting: 0,
            failures: Vec::new(),
            finished: false,
            first: None,
        }
    }
}

impl<I> Report<I> {
    /// How many documents were seen to.
    pub(super) fn seen(&self) -> usize {
        self.done + self.absent + self.failed
    }

    pub(super) fn add(&mut self, outcomes: Vec<(I, Result<Settled>)>, keep: usize) {
        for (id, outcome) in outcomes {
            match outcome {
                Ok(settled) => {
                    match settled.there {
                        true => self.done += 1,
                        false => self.absent += 1,
                    }
                    self.cascaded += settled.cascaded;
                    self.unset += settled.unset;
                }
                Err(error) => {
                    self.failed += 1;
                    self.restricting += error.referrers().map_or(0, |referrers| referrers.count);
                    if self.failures.len() < keep {
                        self.failures.push(Failure { id, error });
                    } else {
                        self.first.get_or_insert(error);
                    }
                }
            }
        }
    }

    /// How many were done, or the first failure.
    pub(super) fn into_result(self) -> Result<usize> {
        let first = self.failures.into_iter().next().map(|failure| failure.error);
        match first.or(self.first) {
            Some(error) if self.failed > 1 => {
                let rest = format!("and {} more failed: {}", self.failed - 1, error.message());
                Err(super::page::reworded(error, rest))
            }
            Some(error) => Err(error),
            None => Ok(self.done),
        }
    }
}
