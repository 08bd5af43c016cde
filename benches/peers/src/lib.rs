//! Alizarin beside the other Rust clients of Redis: same server, same data, one run.

pub mod allocations;
pub mod clients;
pub mod contender;
pub mod data;
pub mod encode;
pub mod figures;
pub mod floor;
pub mod ground;
pub mod instructions;
pub mod job;
pub mod measure;
pub mod options;
pub mod place;
pub mod publish;
pub mod quiet;
pub mod report;
pub mod run;
pub mod statistics;
pub mod wakeups;
pub mod wire;
pub mod workload;

/// Whatever went wrong: it ends the run.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
