//! Passwords that change while connections live.

use std::time::{Duration, Instant};

use alizarin_core::{
    Client, Config, CredentialFuture, CredentialProvider, Credentials, Error, ErrorKind, Protocol,
    RotatingCredentials, Run as _,
};
use alizarin_testkit::{Cluster, Sentinel, Server};

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future.into_future()).await.expect("hangs")
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::task::yield_now().await;
    }
}

fn server() -> Server {
    let server = Server::builder().private().modules(false);
    server.user("first", "hunter1").user("second", "hunter2").start().unwrap()
}

fn first() -> Credentials {
    Credentials::login("first", "hunter1")
}

fn second() -> Credentials {
    Credentials::login("second", "hunter2")
}

/// The users of this process's connections to a server, in order.
fn users(server: &Server) -> Vec<String> {
    let list = server.command(&["CLIENT", "LIST"]).unwrap();
    let ours = list.lines().filter(|line| line.contains("lib-name=alizarin"));
    let user =
        |line: &str| line.split(' ').find_map(|word| Some(word.strip_prefix("user=")?.into()));
    ours.filter_map(user).collect()
}

#[tokio::test]
async fn connections_that_live_log_in_again() {
    let server = server();
    let logins = RotatingCredentials::new(first());
    let config = server.url().parse::<Config>().unwrap().credentials(logins.clone());
    let client = within(Client::connect(&config)).await.unwrap();
    let mut news = within(client.subscribe(["news"])).await.unwrap();
    drop(within(client.exclusive()).await.unwrap());
    assert_eq!(users(&server), ["first", "first", "first"]);
    // Nothing that is under way is disturbed.
    let busy = tokio::spawn({
        let client = client.clone();
        async move {
            for n in 0..2_000 {
                let echo: String = client.command("ECHO").arg(n).await.unwrap();
                assert_eq!(echo, n.to_string());
            }
        }
    });
    logins.replace(second());
    // Messages come by the same connection.
    let hear = tokio::spawn(async move { news.next_message().await.unwrap().unwrap().payload });
    until("both log in again", async || {
        users(&server).iter().filter(|user| *user == "second").count() == 2
    })
    .await;
    within(busy).await.unwrap();
    let _: u64 = within(client.publish("news", "hello")).await.unwrap();
    assert_eq!(&within(hear).await.unwrap()[..], b"hello");
    // Those of the pool do before their next use.
    let mut held = within(client.exclusive()).await.unwrap();
    let me: String = within(held.command("ACL").arg("WHOAMI")).await.unwrap();
    assert_eq!(me, "second");
    assert_eq!(client.pool_metrics().created, 1);
    let me: String = within(client.command("ACL").arg("WHOAMI")).await.unwrap();
    assert_eq!(me, "second");
}

#[test]
fn blocking_clients_log_in_again_before_the_next_call() {
    let server = server();
    let logins = RotatingCredentials::new(first());
    let config = server.url().parse::<Config>().unwrap().credentials(logins.clone());
    let client = Client::connect_blocking(&config).unwrap();
    let who = || client.command::<String>("ACL").arg("WHOAMI").run().unwrap();
    assert_eq!(who(), "first");
    logins.replace(second());
    assert_eq!(who(), "second");
    assert_eq!(client.pool_metrics().created, 1);
}

#[tokio::test]
async fn every_node_and_every_protocol() {
    let cluster =
        Cluster::builder().user("first", "hunter1").user("second", "hunter2").start().unwrap();
    let deployment =
        Sentinel::builder().user("first", "hunter1").user("second", "hunter2").start().unwrap();
    for url in [cluster.url(), deployment.url()] {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let logins = RotatingCredentials::new(first());
            let config = url.parse::<Config>().unwrap().protocol(protocol);
            let client = within(Client::connect(config.credentials(logins.clone()))).await.unwrap();
            for n in 0..20 {
                within(client.set(format!("k{n}"), n)).await.unwrap();
            }
            logins.replace(second());
            let primaries: Vec<&Server> = match client.is_cluster() {
                true => (0..3).map(|at| cluster.node(at)).collect(),
                false => vec![deployment.server(deployment.primary().unwrap())],
            };
            until("all log in again", async || {
                primaries.iter().all(|server| users(server).iter().all(|user| user == "second"))
            })
            .await;
            for n in 0..20 {
                assert_eq!(within(client.get::<u32>(format!("k{n}"))).await.unwrap(), n);
            }
            within(client.close()).await;
            until("all is closed", async || {
                primaries.iter().all(|server| users(server).is_empty())
            })
            .await;
        }
    }
}

/// Counts, and fails when it is told to.
struct Vault(std::sync::atomic::AtomicU32);

impl CredentialProvider for Vault {
    fn credentials(&self) -> CredentialFuture<'_> {
        let asked = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Box::pin(async move {
            match asked {
                0 => Err(Error::new(ErrorKind::Connect, "the vault is sealed")),
                _ => Ok(first()),
            }
        })
    }
}

#[tokio::test]
async fn a_provider_is_asked_for_each_connection() {
    let server = server();
    let vault = std::sync::Arc::new(Vault(0.into()));
    let config = server.url().parse::<Config>().unwrap().credentials(std::sync::Arc::clone(&vault));
    let error = within(Client::connect(&config)).await.unwrap_err();
    assert!(error.to_string().contains("the vault is sealed"), "{error}");
    let client = within(Client::connect(&config)).await.unwrap();
    drop(within(client.exclusive()).await.unwrap());
    assert_eq!(vault.0.load(std::sync::atomic::Ordering::SeqCst), 3);
    assert_eq!(users(&server), ["first", "first"]);
    let twice = config.clone().login("app", "hunter3");
    let error = within(Client::connect(&twice)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("`credentials`"), "{error}");
}

#[tokio::test]
async fn a_refused_login_replaces_the_connection_and_says_nothing_of_the_password() {
    let server = server();
    let logins = RotatingCredentials::new(first());
    let config = server.url().parse::<Config>().unwrap().credentials(logins.clone());
    let client = within(Client::connect(&config)).await.unwrap();
    logins.replace(Credentials::login("second", "hunter3"));
    // The old login holds for as long as the server bears it; what works is found in the end.
    logins.replace(second());
    until("the new one works", async || {
        within(client.command::<String>("ACL").arg("WHOAMI")).await.is_ok_and(|me| me == "second")
    })
    .await;
    let wrong = RotatingCredentials::new(Credentials::login("second", "hunter3"));
    let config = server.url().parse::<Config>().unwrap().credentials(wrong.clone());
    let error = within(Client::connect(&config)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    for text in [
        format!("{error} {error:?}"),
        format!("{config:?}"),
        format!("{wrong:?} {logins:?} {:?}", second()),
        format!("{client:?} {:?}", client.config()),
    ] {
        assert!(!text.contains("hunter"), "{text}");
    }
}

/// Redis answers an `AUTH` that fails with nothing while other replies are on their way: one on a
/// shared connection would shift all replies behind it.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_among_other_requests_shifts_no_reply() {
    let server = server();
    let logins = RotatingCredentials::new(first());
    let config = server.url().parse::<Config>().unwrap().credentials(logins.clone());
    let client = within(Client::connect(&config)).await.unwrap();
    for round in 0..300 {
        logins.replace(match round % 3 {
            0 => second(),
            1 => Credentials::login("second", "hunter3"),
            _ => first(),
        });
        for n in 0..3 {
            let word = format!("{round} {n}");
            let start = Instant::now();
            let echo: String = within(client.command("ECHO").arg(&word)).await.unwrap();
            assert_eq!(echo, word);
            assert!(start.elapsed() < Duration::from_secs(1), "{round}: {:?}", start.elapsed());
        }
    }
}
