//! Locks of documents: a key with a random token and a lease.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Repository;
use super::script::{Call, UNLOCK, milliseconds};
use super::update::pause;
use crate::model::RedisModel;
use crate::{Client, Command, Error, ErrorKind, Result, Value};

/// A lock that is held; dropped, it is given back in the background.
#[derive(Debug)]
pub(crate) struct Held {
    client: Client,
    pub(crate) key: String,
    pub(crate) token: String,
    released: bool,
}

impl Held {
    /// Takes the lock of `document` (`SET NX PX`), waiting for up to `wait`.
    pub(crate) async fn take<M: RedisModel>(
        repository: &Repository<M>,
        document: &str,
        lease: Duration,
        wait: Duration,
    ) -> Result<Held> {
        let lease = milliseconds(lease)?;
        let deadline = Instant::now() + wait;
        let mut held = Held {
            client: repository.client().clone(),
            key: lock_key(repository.namespace(), document),
            token: token(),
            // Given back even when the answer is lost: it may have been taken.
            released: false,
        };
        for attempt in 1u32.. {
            let command: Command<Option<String>> =
                Command::new("SET").key(&held.key).arg((&held.token, "NX", "PX", lease));
            match held.client.run(command).await {
                Ok(Some(_)) => return Ok(held),
                Ok(None) => {}
                Err(error) => {
                    held.released = error.sent() == crate::Sent::No;
                    return Err(error);
                }
            }
            let now = Instant::now();
            if now >= deadline {
                break;
            }
            let pause = pause(attempt).max(Duration::from_millis(1)).min(deadline - now);
            sleep(pause).await;
        }
        held.released = true;
        let message = format!("`{document}` is locked by another one; {wait:?} of waiting ended");
        Err(Error::new(ErrorKind::Locked, message).with_sent(crate::Sent::Yes))
    }

    /// Gives the lock back and waits for it.
    pub(crate) async fn release(mut self) {
        let mut call = Call::new(&UNLOCK, &self.key);
        call.arg(&self.token);
        // Should it fail, dropping tries once more, and the lease ends it in any case.
        self.released = call.run::<Value>(&self.client).await.is_ok();
    }

    /// The lock is gone by other means: by the write's own script.
    pub(crate) fn forget(mut self) {
        self.released = true;
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

/// The lock's key; in a cluster it lies where the document lies.
fn lock_key(namespace: &str, document: &str) -> String {
    match document.contains('{') {
        true => format!("{namespace}alizarin:lock:{document}"),
        false => format!("{namespace}alizarin:lock:{{{document}}}"),
    }
}

/// 128 random bits.
fn token() -> String {
    use std::hash::{BuildHasher, RandomState};
    let half = |salt: u8| RandomState::new().hash_one((salt, std::process::id()));
    format!("{:016x}{:016x}", half(1), half(2))
}
