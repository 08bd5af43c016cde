//! Options that contradict each other, and times that go together.

use std::time::Duration;

use super::Config;
use crate::error::{Error, ErrorKind, Result};

/// Longer than any program runs.
pub(crate) const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

impl Config {
    /// Refuses options that contradict each other. Times without end become so long that nobody sees
    /// their end, so that they can be added to a clock.
    ///
    /// # Errors
    /// `Usage`, with the options' names.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.pool.check()?;
        for time in [
            &mut self.connect_timeout,
            &mut self.response_timeout,
            &mut self.total_timeout,
            &mut self.relaxed_timeout,
            &mut self.topology_interval,
            &mut self.pool.wait,
        ] {
            *time = (*time).min(FOREVER);
        }
        let options = [&mut self.heartbeat, &mut self.pool.idle_timeout, &mut self.pool.lifetime];
        options.into_iter().flatten().for_each(|time| *time = (*time).min(FOREVER));
        if self.credentials.is_some() && (self.user.is_some() || self.password.is_some()) {
            let text = "`credentials` are given, and `user` or `password` too: only one can hold";
            return Err(Error::new(ErrorKind::Usage, text));
        }
        Ok(())
    }

    /// How long a request waits for a lost connection to come back.
    pub(crate) fn patience_without_connection(&self) -> Duration {
        self.connect_timeout.min(self.total_timeout)
    }
}
