//! Collects errors, so that all mistakes of a struct are reported in one compilation.

use std::cell::RefCell;
use std::fmt::Display;
use std::thread;

use quote::ToTokens;

/// Errors so far. It must end in [`Ctxt::check`]: dropping it unchecked is a bug of the derive.
pub(crate) struct Ctxt {
    /// `None` once checked.
    errors: RefCell<Option<Vec<syn::Error>>>,
}

impl Ctxt {
    pub(crate) fn new() -> Ctxt {
        Ctxt { errors: RefCell::new(Some(Vec::new())) }
    }

    /// For what was checked before: whatever it notes is thrown away.
    pub(crate) fn unheard() -> Ctxt {
        Ctxt { errors: RefCell::new(None) }
    }

    /// Notes an error at `tokens`.
    pub(crate) fn error(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Notes an error that syn found.
    pub(crate) fn push(&self, error: syn::Error) {
        if let Some(errors) = self.errors.borrow_mut().as_mut() {
            errors.push(error);
        }
    }

    /// All errors as one, if there are any.
    pub(crate) fn check(self) -> syn::Result<()> {
        let errors = self.errors.borrow_mut().take().unwrap_or_default();
        let mut errors = errors.into_iter();
        let Some(mut first) = errors.next() else { return Ok(()) };
        errors.for_each(|error| first.combine(error));
        Err(first)
    }
}

impl Drop for Ctxt {
    fn drop(&mut self) {
        debug_assert!(
            thread::panicking() || self.errors.borrow().is_none(),
            "the derive forgot to check its errors"
        );
    }
}
