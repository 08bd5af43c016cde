//! What connects and logs in, on each topology, while it goes well and while it does not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use alizarin::commands::{Script, get, incr};
use alizarin::multi::Multi;
use alizarin::{
    CacheConfig, Client, Command, Config, Credentials, Error, ErrorKind, RotatingCredentials, Tls,
};
use alizarin_core::Run as _;
use alizarin_testkit::{
    Cluster, ClusterBuilder, Proxy, Sentinel, SentinelBuilder, Server, ServerBuilder,
};
use tokio::runtime::Runtime;

use crate::listen::Listener;
use crate::shown::{SECRET, Shown};

static ECHO: Script = Script::new("return ARGV[1]");

/// Commands that carry passwords, and how they come to grief.
const TELLTALES: [&[&str]; 8] = [
    &["AUTH", "hunter22"],
    &["AUTH", "nobody", SECRET],
    &["ACL", "SETUSER", "app", SECRET],
    &["ACL", "SETUSER", "app", "#hunter2"],
    &["CONFIG", "SET", "requirepass", SECRET, "maxmemory", "much"],
    &["MIGRATE", "127.0.0.1", "1", "k", "0", "much", "AUTH2", "app", SECRET],
    &["LOGIN", "app", SECRET],
    &["SENTINEL", "SET", "main", "auth-pass", SECRET],
];

/// A topology, and what has to be done so that its client goes elsewhere.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) elsewhere: Box<dyn FnMut()>,
}

/// A server, a cluster and a deployment under Sentinel, each with a password.
pub(crate) fn places(shown: &mut Shown) -> [Place; 3] {
    let builder: ServerBuilder = Server::builder().password(SECRET).modules(false);
    let builder = builder.args(["--user", "app", "on", ">hunter2", "~*", "+@all"]);
    shown.look(&builder);
    let mut server = builder.start().unwrap();
    shown.look(&server);
    shown.look(&Proxy::before(&server).unwrap());
    let builder: ClusterBuilder = Cluster::builder().password(SECRET).user("app", SECRET);
    shown.look(&builder);
    let mut cluster = builder.start().unwrap();
    shown.look(&cluster);
    let builder: SentinelBuilder =
        Sentinel::builder().password(SECRET).sentinel_password(SECRET).user("app", SECRET);
    shown.look(&builder);
    let mut deployment = builder.start().unwrap();
    shown.look(&deployment);
    [
        Place {
            url: server.url(),
            elsewhere: Box::new(move || {
                server.stop().unwrap();
                server.restart().unwrap();
            }),
        },
        Place {
            url: cluster.url(),
            elsewhere: Box::new(move || {
                let primary = cluster.primary_of("k").unwrap();
                cluster.failover("k").unwrap();
                cluster.node_mut(primary).stop().unwrap();
            }),
        },
        Place {
            url: deployment.url(),
            elsewhere: Box::new(move || {
                let primary = deployment.primary().unwrap();
                deployment.server_mut(primary).stop().unwrap();
                deployment.wait_for_primary(|now| now != primary).unwrap();
            }),
        },
    ]
}

/// Looks at all that a client of this place makes, and at what becomes of it when things go wrong.
pub(crate) fn visit(runtime: &Runtime, shown: &mut Shown, listener: &Listener, mut place: Place) {
    let config: Config = place.url.parse().unwrap();
    let wrong: Config = place.url.replace(SECRET, "hunter22").parse().unwrap();
    shown.look(&config);
    runtime.block_on(async {
        let client = Client::connect(&config).await.unwrap();
        all_of(shown, &client).await;
        shown.error(&Client::connect(&wrong).await.unwrap_err());
        databases(shown, &config, &wrong).await;
    });
    let blocking = alizarin::blocking::Client::connect(&config).unwrap();
    shown.look(&blocking);
    shown.error(&blocking.command("AUTH").arg(SECRET).exec().run().unwrap_err());
    shown.error(&Client::connect_blocking(&wrong).unwrap_err());
    // What a program says as it dies.
    let died = catch_unwind(AssertUnwindSafe(|| Client::connect_blocking(&wrong).unwrap()));
    let said = died.unwrap_err().downcast::<String>().unwrap();
    assert!(said.contains("refused the login") && !said.contains(SECRET), "{said}");
    let nobody: Config = place.url.replace(":hunter2@", "").parse().unwrap();
    runtime.block_on(renew(shown, listener, nobody, &mut *place.elsewhere));
}

async fn all_of(shown: &mut Shown, client: &Client) {
    let key = "k";
    shown.look(client);
    shown.look(client.config());
    shown.look(&client.server());
    shown.look(&client.get::<u32>(key).into_future());
    let command: Command<(), _> = client.command("AUTH").arg(SECRET);
    shown.look(&command);
    shown.look(command.packed());
    shown.look(&command.into_future());
    shown.look(&ECHO);
    let call = ECHO.invoke::<String>().arg(SECRET);
    shown.look(&call);
    let mut call = call.run(client);
    shown.look(&call);
    assert_eq!((&mut call).await.unwrap(), SECRET);
    shown.look(&call);
    shown.look(&client.subscribe(["news"]).await.unwrap());
    for words in TELLTALES {
        let command = || {
            let command = Command::<()>::new(words[0]);
            words[1..].iter().fold(command, |command, word| command.arg(*word))
        };
        let each = vec![command().replying::<Result<(), Error>>()];
        let mut held = client.exclusive_for(key).await.unwrap();
        let outcomes = [
            client.run(command()).await,
            client.pipeline(vec![command()]).await.map(drop),
            client.pipeline(each).await.and_then(|mut replies| replies.remove(0)),
            held.run(command()).await,
        ];
        for outcome in outcomes {
            // Whichever way it goes, it comes to grief.
            shown.error(&outcome.expect_err(words[0]));
        }
    }
    let mut held = client.exclusive_for(key).await.unwrap();
    shown.look(&held.run(get::<u32>(key)));
    shown.look(&held);
    shown.look(&client.pool_metrics());
    if let Ok(cache) = client.cache(CacheConfig::new()).await {
        shown.look(&cache);
        shown.look(&cache.get::<Option<u32>>(SECRET));
        shown.look(&cache.shared(get::<Option<u32>>(SECRET)));
        shown.look(&cache.metrics());
    }
}

async fn databases(shown: &mut Shown, config: &Config, wrong: &Config) {
    let several = Multi::builder().database("a", config.clone(), 1.0);
    let several = several.database("b", wrong.clone(), 0.5);
    shown.look(&several);
    let several = several.health_timeout(Duration::from_millis(500));
    let several = several.initial(alizarin::multi::Quorum::Any).connect().await.unwrap();
    shown.look(&several);
    let multi = several.multi().unwrap();
    shown.look(&multi);
    shown.look(&multi.databases()[0]);
    shown.look(&multi.switches());
    several.close().await;
}

/// Logs in anew on living connections, with what is right and with what is wrong; then the server goes.
async fn renew(
    shown: &mut Shown,
    listener: &Listener,
    config: Config,
    elsewhere: &mut dyn FnMut(),
) {
    let tokens = RotatingCredentials::new(Credentials::password(SECRET));
    shown.look(&tokens);
    let config = config.credentials(tokens.clone()).total_timeout(Duration::from_secs(30));
    shown.look(&config);
    let client = Client::connect(&config).await.unwrap();
    shown.look(&client);
    let subscription = client.subscribe(["news"]).await.unwrap();
    for token in [
        Credentials::login("app", SECRET),
        Credentials::password("hunter22"),
        Credentials::password(SECRET),
    ] {
        shown.look(&token);
        let refusals = || listener.heard().matches("cannot move").count();
        let (before, is_wrong) = (refusals(), token == Credentials::password("hunter22"));
        tokens.replace(token);
        let deadline = Instant::now() + Duration::from_secs(30);
        while is_wrong && refusals() == before {
            assert!(Instant::now() < deadline, "the new login is not refused");
            tokio::task::yield_now().await;
        }
        for _ in 0..3 {
            if let Err(error) = client.run(incr("{k}n")).await {
                shown.error(&error);
            }
        }
    }
    shown.look(&subscription);
    elsewhere();
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match client.run(incr("{k}n")).await {
            Ok(_) => break,
            Err(error) => shown.error(&error),
        }
        assert!(Instant::now() < deadline, "the client does not come back");
    }
    client.close().await;
    let closed = client.get::<u32>("k").await.unwrap_err();
    assert_eq!(closed.kind(), ErrorKind::Closed);
    shown.error(&closed);
}

/// What needs no server.
pub(crate) fn alone(shown: &mut Shown) {
    shown.look(&Config::new().login("app", SECRET));
    let tls = Tls::new().client_certificate_pem("-----BEGIN", format!("-----BEGIN {SECRET}"));
    shown.look(&tls);
    let config = Config::new().tcp("127.0.0.1", 1).tls(tls).password(SECRET);
    shown.look(&config);
    shown.error(&Client::connect_blocking(&config).unwrap_err());
    shown.look(&CacheConfig::new().broadcast(["news:"]));
    shown.look(&alizarin_testkit::Tls::new().unwrap());
    for url in [
        "redis://:hunter2@127.0.0.1:1?retries=hunter",
        "redis://:hunter2@127.0.0.1:nine/x",
        "rediss://a:hunter2@[::1",
    ] {
        shown.error(&url.parse::<Config>().unwrap_err());
    }
    let closed = "redis://:hunter2@127.0.0.1:1".parse::<Config>().unwrap();
    shown.error(&Client::connect_blocking(closed.retries(0)).unwrap_err());
}
