//! A document on its way to be written: what its model's hooks made of it.

use super::Written;
use super::prepare::Content;
use crate::model::RedisModel;
use crate::{Error, ErrorKind, Result};

/// The document as it is to be written.
#[derive(Debug)]
pub(crate) enum Draft<'a, M> {
    /// The caller's.
    Given(&'a M),
    /// Another one instead of it.
    Made(Box<M>),
}

impl<'a, M: RedisModel> Draft<'a, M> {
    /// Runs the hooks that come before a write.
    pub(crate) fn of(model: &'a M) -> Result<Draft<'a, M>> {
        let draft = match model.hook_before_save()? {
            None => Draft::Given(model),
            Some(made) if made.id() == model.id() => Draft::Made(Box::new(made)),
            Some(_) => {
                let error = Error::new(ErrorKind::Usage, "`before_save` cannot change the id");
                return Err(error.with_field(&M::SCHEMA.ids.join(", ")));
            }
        };
        draft.model().hook_validate()?;
        Ok(draft)
    }

    pub(crate) fn model(&self) -> &M {
        match self {
            Draft::Given(model) => model,
            Draft::Made(model) => model,
        }
    }

    /// The document that is written instead of the caller's.
    pub(crate) fn into_made(self) -> Option<M> {
        match self {
            Draft::Given(_) => None,
            Draft::Made(model) => Some(*model),
        }
    }

    /// The document for the hook after the write, where there is one, apart from the caller's.
    pub(super) fn into_owned(self, content: &Content) -> Result<Option<M>> {
        match self {
            _ if !M::HOOKS => Ok(None),
            Draft::Given(_) => content.read().map(Some),
            Draft::Made(model) => Ok(Some(*model)),
        }
    }

    /// Runs the hook that comes after a write.
    pub(crate) fn written(&self, written: &Written) {
        self.model().hook_after_save(written);
    }
}
