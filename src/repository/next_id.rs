//! Ids for new documents.

use std::fmt;
use std::pin::Pin;

use super::Repository;
use crate::model::{GeneratesId, IdSource, RedisModel};
use crate::{Command, Result};

impl<M: GeneratesId> Repository<M> {
    /// The id of a new document, from the model's generator (`INCR` for counted ids, else nothing is
    /// sent): for documents that are not written one by one by [`create`](Repository::create), such as
    /// those of a [`Transaction`](super::Transaction), and where others refer to it already.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// #[derive(RedisModel)]
    /// #[redis(hash, prefix = "order")]
    /// struct Order {
    ///     #[redis(id, generate(counter))]
    ///     number: u64,
    ///     customer: String,
    /// }
    ///
    /// #[derive(RedisModel)]
    /// #[redis(json, prefix = "line")]
    /// struct Line {
    ///     #[redis(id, generate)]
    ///     id: Ulid,
    ///     order: Ref<Order>,
    ///     what: String,
    /// }
    ///
    /// # alizarin_samples::client(async |client, namespace| {
    /// # let orders = client.repository::<Order>().with_namespace(namespace.clone());
    /// # let lines = client.repository::<Line>().with_namespace(namespace);
    /// let number = orders.next_id().await?;
    /// let mut tx = client.begin();
    /// tx.push(orders.insert(&Order { number, customer: "Ann".into() }));
    /// for what in ["lamp", "door"] {
    ///     let (id, order) = (lines.next_id().await?, Ref::new(number));
    ///     tx.push(lines.insert(&Line { id, order, what: what.into() }));
    /// }
    /// tx.commit().await?;
    /// assert_eq!(orders.get(&1).await?.map(|order| order.customer).as_deref(), Some("Ann"));
    /// # let mut all = lines.scan();
    /// # while let Some(line) = all.next().await.transpose()? {
    /// #     assert!(line.order.id() == &1 && ["lamp", "door"].contains(&&*line.what));
    /// # }
    /// # Ok(()) });
    /// ```
    pub fn next_id(&self) -> NextId<'_, M> {
        NextId { repository: self }
    }

    /// The key of the model's counter, which no document of it has.
    fn counter(&self) -> String {
        [self.namespace(), "alizarin:counter:", M::SCHEMA.prefix].concat()
    }
}

/// A new id, from [`Repository::next_id`].
///
/// The counter of a model is a key of its own, `alizarin:counter:{prefix}` behind the namespace; it
/// gives each number once, and a number is lost when no document is written with it.
///
/// # Errors
/// `Value` when the counter has left the id's type.
///
/// # Cancel safety
/// Dropped before it is done, a counted number may be lost.
#[must_use = "no id is made until it is awaited"]
pub struct NextId<'a, M> {
    repository: &'a Repository<M>,
}

impl<'a, M: GeneratesId> IntoFuture for NextId<'a, M> {
    type Output = Result<M::Id>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<M::Id>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match M::SOURCE {
                IdSource::Function(make) => Ok(make()),
                IdSource::Counter(from) => {
                    let next = Command::<u64>::new("INCR").key(self.repository.counter());
                    from(self.repository.client().run(next).await?)
                }
            }
        })
    }
}

impl<M: RedisModel> fmt::Debug for NextId<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextId").field("model", &M::SCHEMA.name).finish()
    }
}
