//! The models and data that Alizarin's documentation shows.
//!
//! Each function here runs one example of the documentation on a real server that holds the
//! models of one module.

mod account;
mod cafe;
mod film;
mod member;
mod poster;
mod temperature;

pub use account::{Account, AccountFields, accounts};
pub use cafe::{Address, Cafe, CafeFields, cafes};
pub use film::{Film, FilmFields, films};
pub use member::{Member, MemberFields, members};
pub use poster::{Facts, posters};
pub use temperature::{Temperature, temperatures};

use std::error::Error;
use std::time::Duration;

use alizarin::Client;
use alizarin_testkit::Server;

/// What an example gives.
pub type Outcome = Result<(), Box<dyn Error>>;

/// An example that runs for longer has failed.
const LONGEST: Duration = Duration::from_secs(120);

/// Runs an example with a client, and a prefix for its keys.
pub fn client(example: impl AsyncFnOnce(Client, &str) -> Outcome) {
    if let Err(error) = run(example) {
        panic!("the example failed: {error}");
    }
}

fn run(example: impl AsyncFnOnce(Client, &str) -> Outcome) -> Outcome {
    let server = Server::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = Client::connect(server.url().as_str()).await?;
        tokio::time::timeout(LONGEST, example(client, server.namespace())).await?
    })
}
