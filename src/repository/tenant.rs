//! Repositories of one tenant's documents.

use std::sync::Arc;

use super::Repository;
use crate::model::escape;

impl<M> Repository<M> {
    /// The same repository bound to one tenant: all its names begin with `@{tenant}:` behind the
    /// namespace. Keys, index, counters, locks and the channel of events are the tenant's own, so
    /// that no verb, scan, query or event of it reaches what another tenant has, nor the other
    /// way round. Nothing is sent.
    ///
    /// Tenants have any text for a name (`:` and `%` in it are written as their bytes, `%3A` and
    /// `%25`). Each has an index of its own, which is created for each:
    /// [`Index::sync`](crate::index::Index::sync). A bound repository stays bound: its
    /// [`with_namespace`](Repository::with_namespace) puts the tenant behind the namespace, and its
    /// `tenant` is a part of the tenant. Raw commands of its client are not bound.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::client(async |client, namespace| {
    /// let accounts = client.repository::<Account>();
    /// assert_eq!(accounts.tenant("acme").key(&1), "@acme:account:1");
    /// # let accounts = accounts.with_namespace(namespace);
    ///
    /// let (acme, other) = (accounts.tenant("acme"), accounts.tenant("acme:account"));
    /// acme.save(&Account::new(1, "Ann", 500)).await?;
    /// assert_eq!(other.get(&1).await?, None);
    /// assert_eq!(accounts.get(&1).await?, None);
    /// assert!(other.scan_ids().next().await.is_none());
    /// assert_eq!(acme.scan_ids().next().await.transpose()?, Some(1));
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn tenant(&self, tenant: impl AsRef<str>) -> Repository<M> {
        let mut bound = format!("{}@", self.tenant);
        escape(tenant.as_ref(), ':', &mut bound);
        bound.push(':');
        let outer = self.namespace.strip_suffix(&*self.tenant).unwrap_or(&self.namespace);
        Repository {
            client: self.client.clone(),
            namespace: Arc::from([outer, &bound].concat()),
            tenant: Arc::from(bound),
            rules: self.rules.clone(),
            model: self.model,
        }
    }
}
