//! Other credentials: a connection that lives logs in again, behind what is in flight.

use std::future::{pending, poll_fn};

use super::flight::Flight;
use super::link::Link;
use super::maintenance::Moving;
use super::outbox::Wire;
use super::reply::Reply;
use crate::config::Config;
use crate::connection::Pauses;
use crate::credentials::answer_to_login;
use crate::error::{ErrorKind, Result};
use crate::resp::Packed;

/// Gives its request up when it is dropped.
struct Sending<'l> {
    link: &'l Link,
    flight: Flight,
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.flight.cancel(self.link);
    }
}

impl Link {
    /// Logs in again whenever other credentials are announced. It has no end; the driver polls it
    /// as long as a connection is up.
    pub(super) async fn stay_logged_in(&self) {
        let mut pauses = Pauses::new(self.config.backoff);
        loop {
            let login = self.state().login;
            let renewed = renewed(&self.config, login, Some(&mut pauses)).await;
            let Some((epoch, command)) = renewed else { return pending().await };
            let mut sending = Sending { link: self, flight: Flight::default() };
            let wire = || Wire::One(&command);
            let outcome = poll_fn(|cx| sending.flight.poll(self, wire, cx)).await;
            self.state().login = epoch;
            let Err(error) = outcome.and_then(|reply: Reply| answer_to_login(reply.as_bytes()))
            else {
                continue;
            };
            if error.kind() == ErrorKind::Auth {
                // The old login holds for as long as the server bears it.
                tracing::warn!(address = %self.config.address(), %error, "replacing a connection");
                self.state().maintenance.moving = Some(Moving::here());
            }
        }
    }
}

/// Waits for other credentials than those of the epoch `login`: their epoch, and `AUTH`. `None`
/// where there are never any. Without `pauses` nothing is tried again before the next news.
pub(crate) async fn renewed(
    config: &Config,
    mut login: u64,
    mut pauses: Option<&mut Pauses>,
) -> Option<(u64, Packed)> {
    let mut news = config.renewals()?;
    loop {
        let epoch = *news.wait_for(|epoch| *epoch != login).await.ok()?;
        match config.login_command().await {
            Ok(command) => {
                pauses.into_iter().for_each(Pauses::reset);
                return Some((epoch, command));
            }
            Err(error) => {
                tracing::warn!(address = %config.address(), %error, "no new credentials");
                match &mut pauses {
                    Some(pauses) => tokio::time::sleep(pauses.next()).await,
                    None => login = epoch,
                }
            }
        }
    }
}

/// The login of a connection that only its holder uses.
impl super::dedicated::Dedicated {
    /// Takes the answer to `AUTH` with the credentials of this epoch.
    ///
    /// # Errors
    /// `Auth`.
    pub(crate) fn logged_in(&mut self, epoch: u64, answer: &Reply) -> Result<()> {
        answer_to_login(answer.as_bytes())?;
        self.login = epoch;
        Ok(())
    }
}
