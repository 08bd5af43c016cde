//! Values that have a secret inside, shown in every way.

use std::any::type_name;
use std::collections::BTreeSet;
use std::fmt::{Debug, Display};

/// What must be shown nowhere is of these letters.
pub(crate) const SECRET: &str = "hunter2";

/// The types whose values were shown, and showed no secret.
#[derive(Default)]
pub(crate) struct Shown(pub(crate) BTreeSet<String>);

impl Shown {
    /// Looks at a value by its `Debug`.
    pub(crate) fn look<T: Debug>(&mut self, value: &T) {
        let name = type_name::<T>().split('<').next().unwrap().to_owned();
        for text in [format!("{value:?}"), format!("{value:#?}")] {
            assert!(!text.contains(SECRET), "{name}: {text}");
        }
        self.0.insert(name);
    }

    /// Looks at an error: at its words too, and at those of what caused it.
    pub(crate) fn error<E: std::error::Error>(&mut self, error: &E) {
        self.look(error);
        let mut cause = Some(error as &dyn std::error::Error);
        while let Some(error) = cause {
            words(&error);
            cause = error.source();
        }
    }
}

/// Looks at what is said in words.
pub(crate) fn words<T: Display>(value: &T) {
    assert!(!value.to_string().contains(SECRET), "{value}");
}
