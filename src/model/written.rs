//! What a write did.

use std::time::SystemTime;

use super::RedisModel;

/// What a write did.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// # alizarin_samples::accounts(async |accounts| {
/// let written = accounts.save(&Account::new(3, "Cem", 0)).await?;
/// assert_eq!((written.version, written.created), (Some(1), true));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Written {
    /// Whether the document is new.
    pub created: bool,
    /// The document's new version, for models with `#[redis(version)]`.
    pub version: Option<u64>,
    /// When it was created, for models with `#[redis(created_at)]`.
    pub created_at: Option<SystemTime>,
    /// When it was written, for models with `#[redis(updated_at)]`.
    pub updated_at: Option<SystemTime>,
}

impl Written {
    /// Tells a document in hand what the server made of it: its version, and when it was created
    /// and written.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let mut cem = Account::new(3, "Cem", 0);
    /// accounts.save(&cem).await?.apply_to(&mut cem);
    /// assert_eq!(cem.version, 1);
    /// cem.cents += 5;
    /// accounts.save(&cem).if_version(cem.version).await?;
    /// # Ok(()) });
    /// ```
    pub fn apply_to<M: RedisModel>(&self, model: &mut M) {
        if let Some(version) = self.version {
            model.set_version(version);
        }
        model.set_times(self.created_at, self.updated_at);
    }
}
