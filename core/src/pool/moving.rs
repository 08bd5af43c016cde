//! Servers that move: for a while connections are made where they said that they will be.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::Pool;
use crate::config::Config;
use crate::connection::maintenance::{Elsewhere, Moving};

/// Where a pool connects to for now.
#[derive(Default)]
pub(super) struct Move(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The notice that said so: others on the same server say the same.
    last: Option<i64>,
    elsewhere: Option<Elsewhere>,
}

impl Pool {
    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing is half done under this lock.
        self.moving.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes connections there for now.
    pub(crate) fn go_to(&self, elsewhere: Option<Elsewhere>) {
        self.known().elsewhere = elsewhere;
    }

    /// A connection's server has announced that it moves: no connection that there is now is used
    /// again, if it said where to go instead.
    pub(super) fn announced(&self, moving: &Moving) {
        let Some(elsewhere) = moving.elsewhere() else { return };
        {
            let mut known = self.known();
            if known.last == Some(moving.id()) {
                return;
            }
            *known = Known { last: Some(moving.id()), elsewhere: Some(elsewhere) };
        }
        self.renew();
    }

    /// What to connect to now.
    pub(super) fn destination(&self) -> Cow<'_, Config> {
        match &self.known().elsewhere {
            Some((endpoint, until)) if Instant::now() < *until => {
                let mut config = Config::clone(&self.config);
                config.endpoint = endpoint.clone();
                Cow::Owned(config)
            }
            _ => Cow::Borrowed(&self.config),
        }
    }
}
