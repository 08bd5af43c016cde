//! What a model does around its writes and reads.

use super::RedisModel;
use super::written::Written;
use crate::Result;

/// What happens around a model's writes and reads: for models with `#[redis(hooks)]`.
///
/// Writes of whole documents ([`save`](crate::Repository::save), `insert`, `replace`, `upsert`,
/// [`update`](crate::Repository::update), `locked`, `save_all` and the rest) do, in this order:
/// [`before_save`](Hooks::before_save); the `validate` functions of the fields, in their order;
/// [`validate`](Hooks::validate); the write; [`after_save`](Hooks::after_save). What fails before
/// the write ends it, and nothing is sent.
///
/// `update` and its like do so with every attempt, so that the hooks before the write may run
/// several times for one write. Those after it run once, when the server's answer is known to be
/// a success: not where the caller went away or the connection broke, even if the server did it.
/// They are no place for what must not be missed: that is what [`events`](crate::events) are for.
///
/// [`set`](crate::Repository::set) has no document in hand: it runs the `validate` functions of
/// the fields that it sets, and none of these hooks.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::Hooks;
///
/// # alizarin_samples::client(async |client, namespace| {
/// #[derive(Debug, Clone, RedisModel)]
/// #[redis(hash, prefix = "user", hooks)]
/// struct User {
///     #[redis(id)]
///     id: u32,
///     #[redis(validate = "has_at")]
///     email: String,
///     age: u32,
///     guardian: Option<String>,
/// }
///
/// fn has_at(email: &str) -> Result<()> {
///     if email.contains('@') {
///         return Ok(());
///     }
///     Err(Error::new(ErrorKind::Value, "an address has an @"))
/// }
///
/// impl Hooks for User {
///     fn before_save(&self) -> Result<Option<User>> {
///         Ok(Some(User { email: self.email.to_lowercase(), ..self.clone() }))
///     }
///
///     fn validate(&self) -> Result<()> {
///         if self.age < 14 && self.guardian.is_none() {
///             let error = Error::new(ErrorKind::Value, "a child has one");
///             return Err(error.with_field("guardian"));
///         }
///         Ok(())
///     }
/// }
/// # let users = client.repository::<User>().with_namespace(namespace);
///
/// let user = User { id: 1, email: "Ann@Example.org".into(), age: 20, guardian: None };
/// users.save(&user).await?;
/// assert_eq!(users.get(&1).await?.map(|user| user.email).as_deref(), Some("ann@example.org"));
///
/// let young = users.update(&1, |user| user.age = 13).await.unwrap_err();
/// assert_eq!(young.field(), Some("guardian"));
/// assert_eq!(young.message(), "User is not valid: a child has one");
/// let wrong = users.set(&1, |u| u.email.to("nowhere")).await.unwrap_err();
/// assert_eq!((wrong.kind(), wrong.field()), (ErrorKind::Value, Some("email")));
/// # assert_eq!(users.get(&1).await?.map(|user| user.age), Some(20));
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no hooks",
    label = "`#[redis(hooks)]` stands on it",
    note = "implement `alizarin::model::Hooks` for it, or take `hooks` off its attribute"
)]
pub trait Hooks: RedisModel {
    /// Before a document is written; `Some` is written instead of it, and has the same id.
    ///
    /// # Errors
    /// Whatever is to end the write.
    fn before_save(&self) -> Result<Option<Self>> {
        Ok(None)
    }

    /// Refuses a document that must not be written. A field in the error
    /// ([`Error::with_field`](crate::Error::with_field)) is told to the caller, and the model's
    /// name is put before the message.
    ///
    /// # Errors
    /// What is wrong with the document.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// After the document, as it is here, was written.
    fn after_save(&self, _written: &Written) {}

    /// After the document was read, by its id or by a query.
    ///
    /// # Errors
    /// Whatever is to end the read.
    fn after_load(&mut self) -> Result<()> {
        Ok(())
    }

    /// Before a document is deleted by its id.
    ///
    /// # Errors
    /// Whatever is to end the deletion.
    fn before_delete(_id: &Self::Id) -> Result<()> {
        Ok(())
    }

    /// After a document that was there was deleted by its id.
    fn after_delete(_id: &Self::Id) {}
}

/// A model's own error about one of its documents, in the form that callers see. Called by derived
/// code; `field` may be empty.
#[doc(hidden)]
pub fn invalid<M: RedisModel>(error: crate::Error, field: &str) -> crate::Error {
    let message = format!("{} is not valid: {}", M::SCHEMA.name, error.message());
    let mut told = crate::Error::new(error.kind(), message);
    if let Some(inner) = error.field() {
        told = told.with_field(inner);
    }
    if !field.is_empty() {
        told = told.with_field(field);
    }
    told.with_source(error)
}
