//! How long single fields live, said with a write.

use std::time::Duration;

use super::changes::script_name;
use super::prepare::Prepared;
use super::script::{Call, field_milliseconds};
use super::{Save, Set};
use crate::Result;
use crate::model::{HashModel, RedisModel};
use crate::query::{CanExpire, Field, FieldSpec};

/// Fields, and how long they live from the write on; `None` for ever.
#[derive(Debug, Default)]
pub(crate) struct Limits(Vec<(String, Option<Duration>)>);

impl Limits {
    fn add<S: FieldSpec>(&mut self, after: Option<Duration>) {
        self.0.push((script_name::<S>(), after));
    }

    /// Adds them as `limits.lua` takes them.
    pub(super) fn put_into(&self, call: &mut Call) -> Result<()> {
        for (field, after) in &self.0 {
            let limit = match after {
                Some(after) => {
                    let after =
                        field_milliseconds(*after).map_err(|error| error.with_field(field))?;
                    format!("={after}")
                }
                None => "clear".to_owned(),
            };
            call.limits_mut().push(field.as_bytes());
            call.limits_mut().push(limit.as_bytes());
        }
        Ok(())
    }
}

impl Prepared {
    /// Adds what the call says of fields' limits.
    pub(super) fn limit(&mut self, limits: &Limits) -> Result<()> {
        match self {
            Prepared::Script(call) => limits.put_into(call),
            // A model with fields that can expire is written by the script.
            Prepared::Plain(..) => Ok(()),
        }
    }
}

macro_rules! limited {
    ($($builder:ident)+) => {$(
        impl<M: RedisModel> $builder<'_, M> {
            /// One field expires after this time from now on (`HPEXPIRE`), in whole milliseconds,
            /// at least one: a field with `ttl`, in a hash. Where the call does not say so, a limit
            /// that runs goes on, and where none runs, that of the field's attribute begins.
            ///
            /// ```
            /// # use alizarin::prelude::*;
            /// use std::time::Duration;
            ///
            /// # alizarin_samples::client(async |client, namespace| {
            /// #[derive(RedisModel)]
            /// #[redis(hash, prefix = "login")]
            /// struct Login {
            ///     #[redis(id)]
            ///     id: u32,
            ///     #[redis(ttl = "1h")]
            ///     token: Option<String>,
            /// }
            /// # let logins = client.repository::<Login>().with_namespace(namespace);
            ///
            /// let login = Login { id: 1, token: Some("secret".into()) };
            /// logins.save(&login).ttl_of(|l| l.token, Duration::from_secs(60)).await?;
            /// logins.set(&1, |l| l.token.to("other")).await?;
            /// assert!(logins.ttl(&1).of(|l| l.token).await? <= Some(Duration::from_secs(60)));
            /// # assert!(logins.ttl(&1).of(|l| l.token).await? > Some(Duration::from_secs(30)));
            /// let set = logins.set(&1, |l| l.token.to("third"));
            /// set.ttl_of(|l| l.token, Duration::from_secs(3600)).await?;
            /// assert!(logins.ttl(&1).of(|l| l.token).await? > Some(Duration::from_secs(60)));
            /// # Ok(()) });
            /// ```
            pub fn ttl_of<S>(
                mut self,
                field: impl FnOnce(M::Fields) -> Field<S>,
                after: Duration,
            ) -> Self
            where
                M: HashModel,
                S: FieldSpec<Model = M> + CanExpire,
            {
                let _ = field(M::Fields::default());
                self.limits.add::<S>(Some(after));
                self
            }

            /// One field does not expire from now on (`HPERSIST`); else as
            /// [`ttl_of`](Self::ttl_of).
            pub fn clear_ttl_of<S>(mut self, field: impl FnOnce(M::Fields) -> Field<S>) -> Self
            where
                M: HashModel,
                S: FieldSpec<Model = M> + CanExpire,
            {
                let _ = field(M::Fields::default());
                self.limits.add::<S>(None);
                self
            }
        }
    )+};
}

limited!(Save Set);
