//! Allocations of one call.
//!
//! A second executable counts them, since an allocator that counts makes every allocation dearer:
//! what is timed here uses the system's.

use std::path::PathBuf;
use std::process::Command;

use serde::Serialize;

use crate::Failure;
use crate::clients::Outcome;

/// How often and how much, on average. A reallocation counts as an allocation of its new size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Allocations {
    pub count: f64,
    pub bytes: f64,
}

/// The executable that counts.
pub struct Counter(PathBuf);

impl Counter {
    /// Builds it beside this one.
    pub fn build() -> Outcome<Counter> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--bin", "allocations", "--manifest-path"]);
        build.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        if !build.status()?.success() {
            return Err("the executable that counts allocations cannot be built".into());
        }
        Ok(Counter(std::env::current_exe()?.with_file_name("allocations")))
    }

    /// What one call of `client` allocates.
    pub fn count(&self, workload: &str, client: &str, url: &str) -> Outcome<Allocations> {
        let output = Command::new(&self.0).args([workload, client, url]).output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let counted = said.trim().split_once(' ').ok_or_else(|| -> Failure {
            let error = String::from_utf8_lossy(&output.stderr);
            format!("{client} was not counted at {workload}: {error}").into()
        })?;
        Ok(Allocations { count: counted.0.parse()?, bytes: counted.1.parse()? })
    }
}
