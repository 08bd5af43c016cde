//! A deployment under Sentinel, and a client that lives through its elections.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard};

use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin_testkit::Sentinel;

/// After so many tests another server becomes the primary.
const TERM: u32 = 40;

struct Elected {
    deployment: Sentinel,
    client: Client,
    /// Held for writing during elections: what is written meanwhile would be lost, by the server.
    gate: RwLock<()>,
    tests: AtomicU32,
    elections: AtomicU32,
}

/// Nobody is elected for as long as it lives.
pub(crate) struct Steady(&'static Elected, #[expect(dead_code)] RwLockReadGuard<'static, ()>);

impl Steady {
    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }
}

fn elected() -> &'static Elected {
    static ELECTED: OnceLock<Elected> = OnceLock::new();
    ELECTED.get_or_init(|| {
        // Many tests at once let the machine stand still at times: that is no reason to elect.
        let deployment = Sentinel::builder().modules(true).down_after(60_000).start().unwrap();
        // A runtime of its own, which outlives those of the tests.
        let url = deployment.url();
        let client = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let client = runtime.block_on(Client::connect(url.as_str())).unwrap();
            std::mem::forget(runtime);
            client
        });
        let client = client.join().unwrap();
        let (tests, elections) = (AtomicU32::new(0), AtomicU32::new(0));
        Elected { deployment, client, gate: RwLock::new(()), tests, elections }
    })
}

impl Elected {
    /// Another primary, which all follow.
    fn elect(&self) {
        let start = Instant::now();
        let before = self.deployment.primary().unwrap();
        let primary = self.deployment.failover().unwrap();
        let primary = self.deployment.server(primary);
        // The sentinels would do the same, ten seconds later.
        let port = primary.port().unwrap().to_string();
        self.deployment.server(before).command(&["REPLICAOF", "127.0.0.1", &port]).unwrap();
        let followers = || {
            let info = primary.command(&["INFO", "replication"]).unwrap();
            info.matches("state=online").count()
        };
        while followers() + 1 < self.deployment.servers() {
            assert!(start.elapsed() < Duration::from_secs(60), "the old primary does not follow");
            std::thread::park_timeout(Duration::from_millis(10));
        }
        self.follow();
    }

    /// Waits until the client has gone over: a write that is on its way then fails, rightly, as one
    /// that may have been executed.
    fn follow(&self) {
        let client = self.client.clone();
        let follow = async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(5));
            loop {
                ticks.tick().await;
                let info: Result<String> = client.command("INFO").arg("replication").await;
                if info.is_ok_and(|info| info.contains("role:master")) {
                    return;
                }
            }
        };
        let patient = async { tokio::time::timeout(Duration::from_secs(60), follow).await };
        // A runtime of its own: this is called inside of those of the tests.
        let followed = std::thread::spawn(move || {
            let builder = &mut tokio::runtime::Builder::new_current_thread();
            builder.enable_all().build().unwrap().block_on(patient)
        });
        followed.join().unwrap().expect("the client follows");
    }
}

/// The client, and no election meanwhile; before some of the tests there is one.
pub(crate) fn steady() -> Steady {
    let elected = elected();
    if elected.tests.fetch_add(1, Ordering::Relaxed).is_multiple_of(TERM) {
        let _alone = elected.gate.write().unwrap_or_else(PoisonError::into_inner);
        elected.elect();
        elected.elections.fetch_add(1, Ordering::Relaxed);
    }
    Steady(elected, elected.gate.read().unwrap_or_else(PoisonError::into_inner))
}

/// What somebody else does, on the primary.
pub(crate) fn command(words: &[&str]) -> String {
    let deployment = &elected().deployment;
    deployment.server(deployment.primary().unwrap()).command(words).unwrap()
}

#[tokio::test]
async fn the_client_lives_through_elections() {
    let primary = |steady: &Steady| steady.0.deployment.primary().unwrap();
    let first = primary(&steady());
    loop {
        let steady = steady();
        let key = alizarin_testkit::unique("elected");
        steady.client().set(&key, "x").await.unwrap();
        let there = command(&["GET", &key]);
        assert_eq!(there, "x");
        if primary(&steady) != first {
            assert!(steady.0.elections.load(Ordering::Relaxed) > 1);
            return;
        }
    }
}
