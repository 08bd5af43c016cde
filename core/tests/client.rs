//! The client against a real server.

use std::time::Duration;

use alizarin_core::commands::{Script, get, incr, set};
use alizarin_core::{Client, Config, Error, ErrorKind, Protocol, Result, Sent, ServerCode};
use alizarin_testkit::Server;

/// A private server, and one URL for each way to reach it.
fn server() -> (Server, Vec<String>) {
    let server = Server::start().unwrap();
    let mut urls = vec![server.url()];
    urls.extend(server.unix_url());
    let resp2: Vec<String> = urls.iter().map(|url| with_option(url, "protocol=2")).collect();
    urls.extend(resp2);
    (server, urls)
}

fn with_option(url: &str, option: &str) -> String {
    format!("{url}{}{option}", if url.contains('?') { '&' } else { '?' })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_to_connect() {
    let (server, urls) = server();
    assert!(urls.len() >= 4);
    for (n, url) in urls.iter().enumerate() {
        let client = Client::connect(with_option(url, "client_name=smoke")).await.unwrap();
        let protocol = if url.contains("protocol=2") { Protocol::Resp2 } else { Protocol::Resp3 };
        assert_eq!(client.server().protocol(), protocol, "{url}");
        assert!(client.server().at_least(7, 0), "{:?}", client.server());
        let key = format!("{}{n}", server.namespace());
        assert!(client.set(&key, "value").await.unwrap());
        assert_eq!(client.get::<String>(&key).await.unwrap(), "value");
        assert!(!client.set(&key, "other").nx().await.unwrap());
        assert_eq!(client.get::<Option<String>>("none").await.unwrap(), None);
        let list: String = client.command("CLIENT").arg("LIST").await.unwrap();
        assert!(list.contains("name=smoke") && list.contains("lib-name=alizarin"), "{list}");
        let score = client.zadd("z", (1.5, "a")).await.and(client.zscore("z", "a").await);
        assert_eq!(score.unwrap(), Some(1.5));
        client.close().await;
        let error = client.ping().await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Closed, Sent::No));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_get_their_own_echo() {
    let (_server, urls) = server();
    for url in &urls {
        let client = Client::connect(url).await.unwrap();
        let tasks: Vec<_> = (0..64)
            .map(|task| {
                let client = client.clone();
                tokio::spawn(async move {
                    for n in 0..200 {
                        let text = format!("{task}:{n}:{}", "x".repeat(n % 300));
                        let echo: String = client.command("ECHO").arg(&text).await.unwrap();
                        assert_eq!(echo, text);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
}

#[tokio::test]
async fn errors_stay_with_their_command() {
    let (_server, urls) = server();
    for url in &urls {
        let client = Client::connect(url).await.unwrap();
        client.set("text", "abc").await.unwrap();
        let batch = (
            get::<String>("text"),
            incr("text").replying::<Result<i64>>(),
            get::<u64>("text").replying::<Result<u64>>(),
            incr("count"),
        );
        let (text, refused, misread, count) = client.pipeline(batch).await.unwrap();
        assert_eq!((text.as_str(), count > 0), ("abc", true));
        assert_eq!(refused.unwrap_err().server_code(), Some(ServerCode::Err));
        assert_eq!(misread.unwrap_err().kind(), ErrorKind::Decode);

        let error = client.incr("text").await.unwrap_err();
        assert_eq!(error.command(), Some("INCR"));
        assert_eq!(error.sent(), Sent::Yes);
        let error = client.get::<u64>("text").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        let error = client.command("NO.SUCH").exec().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn transactions() {
    let (_server, urls) = server();
    for url in &urls {
        let client = Client::connect(url).await.unwrap();
        client.flushdb().await.unwrap();
        let (stored, count) = client.transaction((set("k", "v"), incr("n"))).await.unwrap();
        assert!(stored && count == 1);
        // An error inside EXEC is that command's own.
        let batch = (incr("k").replying::<Result<i64>>(), incr("n"));
        let (refused, count) = client.transaction(batch).await.unwrap();
        assert!(refused.is_err() && count == 2);
        // A command that the server refuses to queue makes the whole transaction fail.
        let broken = alizarin_core::Command::<()>::new("GET");
        let error = client.transaction((incr("n"), broken)).await.unwrap_err();
        assert_eq!(error.command(), Some("GET"), "{error}");
        assert_eq!(client.get::<u64>("n").await.unwrap(), 2);
        // Nothing is left behind on the connection.
        assert_eq!(client.transaction(Vec::<alizarin_core::Command<()>>::new()).await.unwrap(), []);
        assert_eq!(client.incr("n").await.unwrap(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocking_commands_hold_nobody_up() {
    let (_server, urls) = server();
    let client = Client::connect(&urls[0]).await.unwrap();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move {
            let popped: (String, String) =
                client.command("BLPOP").key("queue").arg(0).await.unwrap();
            popped.1
        }
    });
    for _ in 0..100 {
        client.ping().await.unwrap();
    }
    client.rpush("queue", "job").await.unwrap();
    assert_eq!(waiting.await.unwrap(), "job");
}

#[tokio::test]
async fn scripts_survive_a_flush() {
    static ADD: Script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    let (_server, urls) = server();
    for url in &urls {
        let client = Client::connect(url).await.unwrap();
        client.del("sum").await.unwrap();
        for n in 1..=3i64 {
            client.command("SCRIPT").arg("FLUSH").exec().await.unwrap();
            let sum: i64 = ADD.invoke().key("sum").arg(2).run(&client).await.unwrap();
            assert_eq!(sum, 4 * n - 2);
            client.command("SCRIPT").arg("FLUSH").exec().await.unwrap();
            let (sum,) =
                client.transaction((ADD.invoke::<i64>().key("sum").arg(2),)).await.unwrap();
            assert_eq!(sum, 4 * n);
        }
    }
}

#[tokio::test]
async fn logins() {
    let (server, _) = server();
    let Some(port) = server.port() else { return };
    let open = Client::connect(server.url()).await.unwrap();
    open.command("ACL")
        .arg(("SETUSER", "app", "on", ">hunter2", "~*", "&*", "+@all"))
        .exec()
        .await
        .unwrap();
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let config = Config::new().tcp("127.0.0.1", port).protocol(protocol);
        let client = Client::connect(config.clone().login("app", "hunter2")).await.unwrap();
        assert_eq!(client.command::<String>("ACL").arg("WHOAMI").await.unwrap(), "app");
        let error = Client::connect(config.clone().login("app", "wrong")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
        assert!(!format!("{error} {error:?}").contains("wrong\""), "{error:?}");
        let error = Client::connect(config.database(999)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }
    let nobody = Config::new().tcp("127.0.0.1", 1);
    let error = Client::connect(nobody).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Connect, Sent::No));
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comes_back_after_the_server_cuts_it() {
    let (_server, urls) = server();
    let client = Client::connect(&urls[0]).await.unwrap();
    let other = Client::connect(&urls[0]).await.unwrap();
    for _ in 0..5 {
        let id = client.client_id().await.unwrap();
        let killed: u64 = other.command("CLIENT").arg(("KILL", "ID", id)).await.unwrap();
        assert_eq!(killed, 1);
        // A read is repeated by itself; it never sees the loss.
        assert_ne!(client.client_id().await.unwrap(), id);
    }
}

#[tokio::test]
async fn futures_are_send_and_may_be_owned() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let (_server, urls) = server();
    let client = Client::connect(&urls[0]).await.unwrap();
    let owned = alizarin_core::commands::get::<Option<String>>("k").on(client.clone());
    let task = tokio::spawn(assert_send(owned.into_future()));
    assert_eq!(task.await.unwrap().unwrap(), None);
    client.fire(set("fired", 1).ex(Duration::from_secs(9)).get::<()>());
    assert_eq!(client.get::<u32>("fired").await.unwrap(), 1);
    let error: Error = client.command("SELECT").arg(1).exec().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}
