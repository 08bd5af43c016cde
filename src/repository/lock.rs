//! Locks of documents: a key with a random token and a lease.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Repository;
use super::failure::explain;
use super::script::{Call, EXTEND, LOCK, UNLOCK, milliseconds};
use super::update::pause;
use crate::model::RedisModel;
use crate::{Client, Command, Error, ErrorKind, Result, Sent, Value};

/// For how long a lock is held without being extended, unless the call says otherwise.
pub(crate) const LEASE: Duration = Duration::from_secs(5);

/// For how long a lock is waited for, unless the call says otherwise: longer than the lease, so that
/// the lock of one that has died is waited for to its end.
pub(crate) const WAIT: Duration = Duration::from_secs(10);

/// For how long a fence is remembered after its lease. Later the server's clock alone makes the
/// next one greater.
const REMEMBERED: i64 = 24 * 60 * 60 * 1000;

/// How a lock is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) lease: Duration,
    pub(crate) wait: Duration,
    /// Whether a fence is wanted.
    pub(crate) fenced: bool,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms { lease: LEASE, wait: WAIT, fenced: false }
    }
}

/// A lock that is held; dropped, it is given back in the background.
#[derive(Debug)]
pub(crate) struct Held {
    client: Client,
    key: String,
    token: String,
    /// 0 when none was wanted.
    pub(crate) fence: u64,
    /// For how long it is held each time.
    pub(crate) lease: Duration,
    /// When the server was last asked to begin the lease: it is held for a lease from then on at the
    /// least, if the server did not lose it.
    pub(crate) since: Arc<Mutex<Instant>>,
    released: bool,
}

impl Held {
    /// Takes the lock of `document`, waiting for as long as the terms allow.
    pub(crate) async fn take<M: RedisModel>(
        repository: &Repository<M>,
        document: &str,
        terms: Terms,
    ) -> Result<Held> {
        Held::take_at(repository.client(), repository.namespace(), document, terms).await
    }

    /// The same for what is no document of a repository: `document` is any key.
    pub(crate) async fn take_at(
        client: &Client,
        namespace: &str,
        document: &str,
        terms: Terms,
    ) -> Result<Held> {
        let lease = milliseconds(terms.lease)?;
        if client.is_cluster() && !has_tag(document) && document.contains('}') {
            let text = format!(
                "the key `{document}` has a brace that is no hash tag: on a cluster no lock can lie \
                 beside it"
            );
            return Err(Error::new(ErrorKind::Value, text));
        }
        // Too far away to be an instant is without end.
        let deadline = Instant::now().checked_add(terms.wait);
        let fence = terms.fenced.then(|| companion(namespace, "fence", document));
        let mut held = Held {
            client: client.clone(),
            key: companion(namespace, "lock", document),
            token: token()?,
            fence: 0,
            lease: terms.lease,
            since: Arc::new(Mutex::new(Instant::now())),
            // Given back even when the answer is lost: it may have been taken.
            released: false,
        };
        for attempt in 1u32.. {
            let asked = Instant::now();
            match held.attempt(lease, fence.as_deref()).await {
                Ok(Some(fence)) => {
                    held.fence = fence;
                    *held.since.lock().unwrap_or_else(PoisonError::into_inner) = asked;
                    return Ok(held);
                }
                Ok(None) => {}
                Err(error) => {
                    held.released = error.sent() == Sent::No;
                    return Err(error);
                }
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                break;
            }
            let pause = pause(attempt).max(Duration::from_millis(1));
            held.client.pause(left.map_or(pause, |left| pause.min(left))).await;
        }
        held.released = true;
        let message =
            format!("`{document}` is locked by another one; {:?} of waiting ended", terms.wait);
        Err(Error::new(ErrorKind::Locked, message).with_sent(Sent::Yes))
    }

    /// Tries once: `SET NX PX`, or the script where a fence is wanted.
    async fn attempt(&self, lease: i64, fence: Option<&str>) -> Result<Option<u64>> {
        let Some(fence) = fence else {
            let command: Command<Option<String>> =
                Command::new("SET").key(&self.key).arg((&self.token, "NX", "PX", lease));
            return Ok(self.client.run(command).await?.map(|_| 0));
        };
        let mut call = Call::new(&LOCK, &self.key);
        call.key(fence);
        call.arg(&self.token)
            .arg(lease.to_string())
            .arg(lease.saturating_add(REMEMBERED).to_string());
        call.run(&self.client).await
    }

    /// Lets the lease begin anew; `LockLost` where it has ended.
    pub(crate) async fn extend(&mut self, document: &str, lease: Duration) -> Result<()> {
        let asked = Instant::now();
        self.extension(lease)?.send(document).await?;
        self.lease = lease;
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = asked;
        Ok(())
    }

    /// What lets the lease begin anew, as often as it is sent.
    pub(crate) fn extension(&self, lease: Duration) -> Result<Extension> {
        let lease = milliseconds(lease)?;
        let mut call = Call::new(&EXTEND, &self.key);
        call.arg(&self.token).arg(lease.to_string());
        Ok(Extension { client: self.client.clone(), call })
    }

    /// Gives the lock back and waits for it; says whether it was still held.
    pub(crate) async fn release(mut self) -> Result<bool> {
        let mut call = Call::new(&UNLOCK, &self.key);
        call.arg(&self.token);
        // Should it fail, dropping tries once more, and the lease ends it in any case.
        let held = call.run::<bool>(&self.client).await;
        self.released = held.is_ok();
        held
    }

    /// The lock is gone by other means: by the write's own script.
    pub(crate) fn forget(mut self) {
        self.released = true;
    }

    /// What a write under this lock is told: its key and token.
    pub(crate) fn lock(&self) -> (&str, &str) {
        (&self.key, &self.token)
    }

    /// Ends it after a write under it: one that was done gave the lock back itself.
    pub(crate) async fn end<T>(self, outcome: Result<T>) -> Result<T> {
        match outcome {
            Ok(_) => self.forget(),
            // The failure that led here is the one to tell.
            Err(_) => drop(self.release().await),
        }
        outcome
    }
}

/// Lets the lease of a lock begin anew.
#[derive(Debug)]
pub(crate) struct Extension {
    pub(crate) client: Client,
    call: Call,
}

impl Extension {
    /// # Errors
    /// `LockLost` where the lease has ended.
    pub(crate) async fn send(&self, document: &str) -> Result<()> {
        self.call.run(&self.client).await.map_err(|error| explain(error, document))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.released {
            let mut call = Call::new(&UNLOCK, &self.key);
            call.arg(&self.token);
            // With its source: nobody is there to mend an unknown digest.
            self.client.fire(call.long::<Value>());
        }
    }
}

/// A key beside a document's, which in a cluster lies where the document lies: it has the same
/// hash tag, or the document's whole key as its tag.
///
/// A key with braces that are no tag (`a{}b`, `a}b`) cannot be wrapped so; a cluster refuses it.
pub(crate) fn companion(namespace: &str, sort: &str, document: &str) -> String {
    match has_tag(document) {
        true => format!("{namespace}alizarin:{sort}:{document}"),
        false => format!("{namespace}alizarin:{sort}:{{{document}}}"),
    }
}

/// Whether a key has a hash tag: something between its first `{` and the next `}`.
pub(crate) fn has_tag(key: &str) -> bool {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    tag.is_some_and(|(tag, _)| !tag.is_empty())
}

/// 128 bits of the operating system's randomness: nobody can guess who holds a lock.
pub(crate) fn token() -> Result<String> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|error| {
        let message = format!("the operating system gives no random bits: {error}");
        Error::new(ErrorKind::Unsupported, message)
    })?;
    Ok(format!("{:032x}", u128::from_be_bytes(bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companions_lie_in_the_documents_slot() {
        for (document, want) in [
            ("movie:1", "alizarin:lock:{movie:1}"),
            ("movie:{eu}:1", "alizarin:lock:movie:{eu}:1"),
            // An open brace alone is no tag.
            ("movie:{1", "alizarin:lock:{movie:{1}"),
        ] {
            assert_eq!(companion("", "lock", document), want);
        }
        assert_eq!(companion("t:", "fence", "t:movie:1"), "t:alizarin:fence:{t:movie:1}");
        assert!(has_tag("a{b}c") && !has_tag("a{}b{c}") && !has_tag("a}b{") && !has_tag("ab"));
    }

    #[test]
    fn tokens_differ() {
        let tokens: std::collections::HashSet<_> = (0..1_000).map(|_| token().unwrap()).collect();
        assert_eq!(tokens.len(), 1_000);
        assert!(tokens.iter().all(|token| token.len() == 32));
    }
}
