//! The task that closes what lies idle for too long, and keeps the least number ready.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::{Held, Pool};

/// Between two looks.
const INTERVAL: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(5));

/// Lets the task be started again when it is dropped with its runtime.
struct Watch {
    pool: Weak<Pool>,
    done: bool,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.done
            && let Some(pool) = self.pool.upgrade()
        {
            pool.state().kept = false;
        }
    }
}

impl Pool {
    /// Starts the task, unless it runs or there is nothing for it to do.
    pub(crate) fn keep(self: &Arc<Pool>) {
        let limits = &self.config.pool;
        let idle = limits.idle_timeout.is_some() || limits.lifetime.is_some();
        let Some(runtime) = self.runtime.as_ref().filter(|_| idle || limits.min_idle > 0) else {
            return;
        };
        {
            let mut state = self.state();
            if state.kept || limits.min_idle == 0 && state.turns.idle().is_empty() {
                return;
            }
            state.kept = true;
        }
        runtime.spawn(watch(Watch { pool: Arc::downgrade(self), done: false }));
    }

    /// Makes the least number ready, as far as connections can be made.
    pub(crate) async fn fill(self: &Arc<Pool>) {
        while self.state().turns.ask_spare(self.config.pool.min_idle) {
            let mut held = Held::new(Arc::clone(self), None);
            if let Err(error) = held.settle(None).await {
                tracing::debug!(address = %self.config.address(), %error, "cannot fill the pool");
                break;
            }
        }
    }

    fn interval(&self) -> Duration {
        let limits = &self.config.pool;
        let shortest = [limits.idle_timeout, limits.lifetime].into_iter().flatten().min();
        let quarter = shortest.map_or(INTERVAL.1, |time| time / 4);
        quarter.clamp(INTERVAL.0, INTERVAL.1)
    }
}

async fn watch(mut watch: Watch) {
    while round(&watch.pool).await {}
    watch.done = true;
}

/// One look, and the pause after it; `false` when there is nothing left to look after.
async fn round(pool: &Weak<Pool>) -> bool {
    let Some(strong) = pool.upgrade() else { return false };
    let interval = strong.interval();
    let gone = {
        let mut state = strong.state();
        state.sweep(&strong.config, Instant::now())
    };
    drop(gone);
    strong.fill().await;
    {
        let mut state = strong.state();
        if state.turns.is_closed()
            || strong.config.pool.min_idle == 0 && state.turns.idle().is_empty()
        {
            // Under the lock that whoever lays something down takes next.
            state.kept = false;
            return false;
        }
    }
    drop(strong);
    tokio::time::sleep(interval).await;
    true
}
