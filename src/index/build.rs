//! Doing what a plan says, so that every step may be the last one before a crash.

use std::time::Duration;

use tokio::time::Instant;

use super::Failures;
use super::create::{alter, create};
use super::hidden::Hidden;
use super::info::IndexInfo;
use super::journal::Journal;
use super::plan::{Step, drop_index, plan};
use super::state::{State, info};
use super::sync::{SyncProgress, Synced};
use super::target::Target;
use crate::model::IndexOption;
use crate::progress::Reporter;
use crate::query::scope;
use crate::repository::lease::Lease;
use crate::{Client, Command, Error, ErrorKind, FromReply, Result, Sent};

/// The pauses between two looks: the first, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));

/// How often the counts are compared before they are said to differ: documents come and go between
/// the two.
const LOOKS: usize = 40;

/// How an index is to be brought in line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) anew: bool,
    pub(crate) lease: Duration,
    pub(crate) timeout: Option<Duration>,
    pub(crate) allow_failures: bool,
}

pub(crate) struct Work<'r> {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) target: Target,
    pub(crate) terms: Terms,
    pub(crate) reporter: Reporter<'r, SyncProgress>,
}

impl Work<'_> {
    /// Plans, and acts where something is to be done, as the only process.
    pub(crate) async fn run(mut self) -> Result<Synced> {
        // Too far away to be an instant is without end.
        let deadline = self.terms.timeout.and_then(|after| Instant::now().checked_add(after));
        let mut waited = false;
        let synced = loop {
            let state = State::load(&self.client, &self.namespace, &self.target).await?;
            // Who waited for another one's rebuild has what it asked for.
            let (_, step) = plan(&self.target, &state, self.terms.anew && !waited);
            if matches!(step, Step::Nothing) {
                break Synced::Unchanged;
            }
            let lease = self.terms.lease;
            let Some(lease) = Lease::take(&self.client, &self.namespace, &state.key, lease).await?
            else {
                waited = true;
                self.reporter.tell(SyncProgress::Waiting).await;
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    let message = format!("another process works on index `{}`", self.target.alias);
                    return Err(Error::new(ErrorKind::Timeout, message).with_sent(Sent::Yes));
                }
                continue;
            };
            break self.leased(lease, deadline, waited).await?;
        };
        self.reporter.tell(SyncProgress::Done(synced.clone())).await;
        Ok(synced)
    }

    async fn leased(
        &mut self,
        lease: Lease,
        deadline: Option<Instant>,
        waited: bool,
    ) -> Result<Synced> {
        let outcome = lease.during(self.act(&lease, deadline, waited)).await;
        lease.end(outcome).await
    }

    /// Looks once more, since only now nobody else acts, and does it.
    async fn act(
        &mut self,
        lease: &Lease,
        deadline: Option<Instant>,
        waited: bool,
    ) -> Result<Synced> {
        let state = State::load(&self.client, &self.namespace, &self.target).await?;
        let (_, step) = plan(&self.target, &state, self.terms.anew && !waited);
        match step {
            Step::Nothing => Ok(Synced::Unchanged),
            Step::Extend { index, missing } => {
                // Noted first: a field that is in the index and not in the journal would not be
                // known to differ.
                let mut hidden = state.kept(&index).cloned().unwrap_or_default();
                missing.iter().for_each(|entry| hidden.add(entry));
                Journal::keep(lease, &index, &hidden).await?;
                let names: Vec<String> = missing.iter().map(|entry| entry.name.clone()).collect();
                self.reporter.tell(SyncProgress::Extending { index: index.clone() }).await;
                self.send(alter(&index, &missing)).await?;
                self.read(&index, deadline).await?;
                Ok(Synced::Extended(names))
            }
            Step::Build { index, resume, discard, replaces } => {
                if let Some(old) = discard {
                    self.drop_if_there(&old).await?;
                }
                if !resume {
                    self.reporter.tell(SyncProgress::Creating { index: index.clone() }).await;
                    let hidden = Hidden::of(&self.target);
                    // Noted first, so that whoever comes after a crash knows whose it is.
                    Journal::begin(lease, &index, &hidden).await?;
                    self.send(create(&index, &self.target)).await?;
                }
                self.read(&index, deadline).await?;
                self.verify(&index, replaces.as_deref()).await?;
                self.reporter.tell(SyncProgress::Swapping { index: index.clone() }).await;
                let alias = &self.target.alias;
                let previous = replaces.as_deref();
                Journal::swap(&self.client, &state.key, lease, alias, &index, previous).await?;
                Ok(match replaces {
                    Some(replaced) => Synced::Rebuilt { index, replaced },
                    None => Synced::Created,
                })
            }
        }
    }

    /// Waits until an index has read the documents that were there before it.
    async fn read(&mut self, index: &str, deadline: Option<Instant>) -> Result<()> {
        let mut pause = PAUSE.0;
        loop {
            let now: IndexInfo = self.send(info(index)).await?;
            let done = now.percent_indexed;
            let (index, documents) = (index.to_owned(), now.num_docs);
            self.reporter.tell(SyncProgress::Reading { index, done, documents }).await;
            if let Some(reason) = &now.background_error {
                let message = format!("index `{}` stopped reading documents: {reason}", now.name);
                return Err(Error::new(ErrorKind::Index, message).with_sent(Sent::Yes));
            }
            if !now.indexing && done >= 1.0 {
                return Ok(());
            }
            if deadline.is_some_and(|deadline| Instant::now() + pause > deadline) {
                let message = format!(
                    "index `{}` has read {:.0} % of the documents so far; the next `sync` goes on",
                    now.name,
                    done * 100.0
                );
                return Err(Error::new(ErrorKind::Timeout, message).with_sent(Sent::Yes));
            }
            self.client.pause(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// Compares the new index with the one that it is to replace: no document may get lost.
    async fn verify(&mut self, index: &str, replaces: Option<&str>) -> Result<()> {
        let Some(replaces) = replaces else { return Ok(()) };
        self.reporter.tell(SyncProgress::Verifying { index: index.to_owned() }).await;
        let mut left = LOOKS;
        loop {
            let (old, new) = self
                .client
                .pipeline((info(replaces), info(index)))
                .await
                .map_err(|error| scope::explain(error, &self.target.alias))?;
            let (failed, before) = (new.hash_indexing_failures, old.hash_indexing_failures);
            if failed > before && !self.terms.allow_failures {
                let message = format!(
                    "the new index `{index}` was not put in the place of `{replaces}`: {}; mend the \
                     documents, or say `allow_failures`",
                    Failures::of(&new)
                );
                return Err(Error::new(ErrorKind::Index, message).with_sent(Sent::Yes));
            }
            if new.num_docs.saturating_add(failed) >= old.num_docs || !self.comparable(&old) {
                return Ok(());
            }
            left -= 1;
            if left == 0 {
                let message = format!(
                    "the new index `{index}` was not put in the place of `{replaces}`: it has {} \
                     documents, the other {}",
                    new.num_docs, old.num_docs
                );
                return Err(Error::new(ErrorKind::Index, message).with_sent(Sent::Yes));
            }
            self.client.pause(PAUSE.0).await;
        }
    }

    /// Whether an index is about the same documents as the model's.
    fn comparable(&self, old: &IndexInfo) -> bool {
        let target = &self.target;
        !target.has(IndexOption::SkipInitialScan)
            && old.key_type == target.storage()
            && old.filter.as_deref() == target.index.filter
            && old.prefixes.iter().all(|prefix| target.prefixes.contains(prefix))
    }

    async fn drop_if_there(&mut self, index: &str) -> Result<()> {
        match self.send(drop_index(index)).await {
            Err(error) if error.kind() == ErrorKind::Index => Ok(()),
            outcome => outcome,
        }
    }

    async fn send<R: FromReply>(&mut self, command: Command<R>) -> Result<R> {
        self.client.run(command).await.map_err(|error| scope::explain(error, &self.target.alias))
    }
}
