//! Passwords are shown by nothing: no `Debug`, no error, no event, however detailed.

use std::fmt::{self, Debug};
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
