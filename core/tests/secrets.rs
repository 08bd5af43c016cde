//! Passwords are shown by nothing: no `Debug`, no error, no event, however detailed.

use std::fmt::{self, Debug};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alizarin_core::commands::get;
use alizarin_core::multi::Multi;
use alizarin_core::{CacheConfig, Client, Config, Credentials, RotatingCredentials, Run as _};
use alizarin_testkit::{Cluster, Sentinel, Server};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// What must be shown nowhere is of these letters.
const SECRET: &str = "hunter2";

/// Keeps all that is said of whatever happens, at every level.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<String>>);

impl Visit for Listener {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        *self.0.lock().unwrap() += &format!("{field}={value:?} ");
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Whatever can be shown of something.
fn check(what: &str, shown: &dyn fmt::Debug) {
    for text in [format!("{shown:?}"), format!("{shown:#?}")] {
        assert!(!text.contains(SECRET), "{what}: {text}");
    }
}

#[test]
fn no_password_is_shown() {
    let listener = Listener::default();
    tracing::subscriber::set_global_default(listener.clone()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Server::builder().password(SECRET).modules(false).start().unwrap();
    let cluster = Cluster::builder().password(SECRET).start().unwrap();
    let deployment =
        Sentinel::builder().password(SECRET).sentinel_password(SECRET).start().unwrap();
    for url in [server.url(), cluster.url(), deployment.url()] {
        let config: Config = url.parse().unwrap();
        check("Config", &config);
        let wrong: Config = url.replace(SECRET, "hunter22").parse().unwrap();
        runtime.block_on(async {
            let client = Client::connect(&config).await.unwrap();
            let key = "k";
            check("Client", &client);
            check("Execute", &client.get::<u32>(key).into_future());
            check("Command", &client.command::<()>("AUTH").arg(SECRET).into_future());
            check("error of AUTH", &client.command("AUTH").arg(SECRET).exec().await.unwrap_err());
            check("Subscription", &client.subscribe(["news"]).await.unwrap());
            let mut held = client.exclusive_for(key).await.unwrap();
            check("OnExclusive", &held.run(get::<u32>(key)));
            check("Exclusive", &held);
            if let Ok(cache) = client.cache(CacheConfig::new()).await {
                check("Cache", &cache);
            }
            let error = Client::connect(&wrong).await.unwrap_err();
            check("wrong password", &error);
            check("wrong password", &format_args!("{error}"));
            let several = Multi::builder().database("a", config.clone(), 1.0);
            check("MultiBuilder", &several);
            let several = several.database("b", wrong.clone(), 0.5);
            let several = several.health_timeout(Duration::from_millis(500)).connect().await;
            check("several databases", &several);
            if let Ok(several) = several {
                check("Multi", &several.multi());
                several.close().await;
            }
            client.close().await;
        });
        let blocking = Client::connect_blocking(&config).unwrap();
        check("blocking Client", &blocking);
        check("blocking wrong password", &Client::connect_blocking(&wrong).unwrap_err());
        check("blocking AUTH", &blocking.command("AUTH").arg(SECRET).exec().run().unwrap_err());
    }
    check("Credentials", &Credentials::login("app", SECRET));
    check("RotatingCredentials", &RotatingCredentials::new(Credentials::password(SECRET)));
    check("Config::credentials", &Config::new().credentials(Credentials::password(SECRET)));
    check("Config::login", &Config::new().login("app", SECRET));
    let said = listener.0.lock().unwrap().clone();
    assert!(said.contains("message"), "nothing was said: {said}");
    assert!(!said.contains(SECRET), "{said}");
}

/// Every type that has a password has it as a `Secret`, whose `Debug` shows nothing; so whatever shows
/// its parts shows none. What takes one out of there is to be looked at once, and is listed here.
#[test]
fn a_password_is_taken_out_of_its_type_only_to_be_sent() {
    fn search(folder: &Path, found: &mut Vec<(String, usize)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                search(&path, found);
                continue;
            }
            let count = std::fs::read_to_string(&path).unwrap().matches(".expose()").count();
            if count > 0 {
                let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.push((name, count));
            }
        }
    }
    let mut found = Vec::new();
    search(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    let expected = [
        // HELLO, AUTH, and to recognise an answer that quotes it.
        ("connection/handshake.rs", 3),
        // The private key, for the TLS library.
        ("connection/tls/setup.rs", 1),
        // AUTH on a live connection.
        ("credentials.rs", 1),
    ];
    assert_eq!(found, expected.map(|(name, count)| (name.to_owned(), count)));
}
