//! Which server this machine can start.

use std::sync::{Mutex, PoisonError};

use crate::{error::Error, provision};

mod binary;
mod engine;
mod path;

pub(crate) use binary::{Binary, Loader, MODULES, OLDEST};
pub(crate) use engine::Engine;

/// Something that a server of our own can be started from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Binary(Binary),
    Engine(Engine),
}

impl Source {
    /// The best source here. The search runs once in a process: with none found, every test would
    /// wait for the same failure again.
    pub(crate) fn find() -> Result<Self, Error> {
        static FOUND: Mutex<Option<Result<Source, Error>>> = Mutex::new(None);
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        found.get_or_insert_with(Self::search).clone()
    }

    fn search() -> Result<Self, Error> {
        if let Some(binary) = path::find().or_else(provision::installed) {
            return Ok(Self::Binary(binary));
        }
        if let Some(engine) = Engine::find() {
            return Ok(Self::Engine(engine));
        }
        provision::provision().map(Self::Binary)
    }
}
