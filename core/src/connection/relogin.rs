//! Other credentials: a connection that lives gives way to one that has logged in with them.
//!
//! No `AUTH` is sent on a connection that others share: where replies are on their way, servers
//! (Redis 8.6 too) answer an `AUTH` that fails with nothing, and every later reply would be taken for
//! that of the request before.

use std::future::pending;

use super::link::Link;
use super::maintenance::Moving;
use super::reply::Reply;
use crate::config::Config;
use crate::connection::Pauses;
use crate::credentials::answer_to_login;
use crate::error::Result;
use crate::resp::Packed;

impl Link {
    /// Has the connection replaced whenever other credentials are announced. It has no end; the
    /// driver polls it as long as a connection is up.
    pub(super) async fn stay_logged_in(&self) {
        let Some(mut news) = self.config.renewals() else { return pending().await };
        let mut seen = self.state().login;
        loop {
            let Ok(epoch) = news.wait_for(|epoch| *epoch != seen).await.map(|epoch| *epoch) else {
                return pending().await;
            };
            seen = epoch;
            let mut state = self.state();
            if state.login != epoch {
                state.maintenance.moving = Some(Moving::here());
            }
        }
    }

    /// Whether the connection logged in with what holds no more.
    pub(super) fn login_is_old(&self) -> bool {
        !self.config.login_holds(self.state().login)
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
