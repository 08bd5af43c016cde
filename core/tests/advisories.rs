//! What went wrong in other clients, once each, so that it does not here.
//!
//! | case | tested by |
//! |---|---|
//! | redis-py CVE-2023-28858, 28859; redis-rs 489, 848: a cancelled call's reply went to the next caller | `a_dropped_future_leaves_its_reply_to_nobody`, `cancel`, R14 of the reliability tests |
//! | go-redis CVE-2025-29923: a login that went wrong shifted all replies | `played`: `handshake` |
//! | hiredis CVE-2021-32765, 1357; go-redis 3856: lengths that overflow or are believed | R17 of the reliability tests, `resp::scan` |
//! | brpc 3560: limits that multiply with the depth | `limits_hold_for_the_whole_reply` |
//! | hiredis: deep replies end the stack | `limits_hold_for_the_whole_reply`, `resp_property` |
//! | go-redis 9.22: a reply that cannot be decoded shifts the next | `replies_of_another_type_shift_nothing` |
//! | node-redis CVE-2021-29469: a regular expression on what the server sends never ends | `ci/layout`: no crate for them is in the tree |
//! | predis CVE-2026-84372: keys with line ends smuggle commands through the cluster | `bytes_of_keys_are_never_commands` |
//! | RUSTSEC-2024-0363: lengths that are cut off | `resp_property` (lengths are `usize` throughout) |
//! | redis 15496: line ends in error lines | `played`: `hostile` |
//! | LangGraph CVE-2026-27022, redisvl 717: text changes a filter's meaning | `alizarin`'s `query` tests |
//! | Redis OM in several languages: lists of what to escape that lack something | there is no such list: values are PARAMS, by `alizarin`'s `query` tests |
//! | langgraphjs 2350: globs made of ids | `alizarin`'s `acceptance::keys` |
//! | go-redis 3939: passwords in traces | `secrets` |
//! | redis-py 3560, 3874: writes to a deposed primary | R12 and R13 of the reliability tests |
//! | valkey-py 327: seeds that are used up | R11 of the reliability tests, `sentinel` |
//! | lettuce 2308: slow to notice a failover | R4 of the reliability tests |

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use alizarin_core::command::each;
use alizarin_core::commands::{get, set};
use alizarin_core::{Client, Config, ErrorKind, Run as _};
use alizarin_testkit::{Cluster, Server, unique};

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future.into_future()).await.expect("hangs")
}

#[tokio::test]
async fn a_dropped_future_leaves_its_reply_to_nobody() {
    let server = Server::start().unwrap();
    let client = Client::connect(server.url().as_str()).await.unwrap();
    let key = |n: u32| format!("{}cancel:{n}", server.namespace());
    for n in 0..50 {
        within(client.set(key(n), n)).await.unwrap();
    }
    for round in 0..200_u32 {
        let n = round % 50;
        let moment = Duration::from_micros(u64::from(round % 20) * 10);
        let one = client.get::<u32>(key(n)).into_future();
        let pipeline = client.pipeline((get::<u32>(key(n)), get::<u32>(key((n + 1) % 50))));
        let transaction = client.transaction((get::<u32>(key(n)),));
        // Whether they end in time or are dropped on their way.
        let _ = tokio::time::timeout(moment, one).await;
        let _ = tokio::time::timeout(moment, pipeline).await;
        let _ = tokio::time::timeout(moment, transaction).await;
        let other = (n + 7) % 50;
        assert_eq!(within(client.get::<u32>(key(other))).await.unwrap(), other);
    }
}

#[tokio::test]
async fn replies_of_another_type_shift_nothing() {
    let server = Server::start().unwrap();
    let client = Client::connect(server.url().as_str()).await.unwrap();
    let key = |name: &str| format!("{}shift:{name}", server.namespace());
    within(client.set(key("text"), "no number")).await.unwrap();
    let list = client.command::<u64>("RPUSH").key(key("list")).arg(["a", "b", "c"]);
    within(list).await.unwrap();
    for _ in 0..50 {
        let error = within(client.get::<u64>(key("text"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        let range = client.command::<u64>("LRANGE").key(key("list")).arg((0, -1));
        assert!(within(range).await.is_err());
        let pairs = client.command::<Vec<(String, String)>>("LRANGE").key(key("list")).arg((0, -1));
        assert!(within(pairs).await.is_err());
        let both = (get::<u64>(key("text")), get::<String>(key("text")));
        assert!(within(client.pipeline(both)).await.is_err());
        assert_eq!(within(client.get::<String>(key("text"))).await.unwrap(), "no number");
    }
}

#[tokio::test]
async fn bytes_of_keys_are_never_commands() {
    let cluster = Cluster::shared().unwrap();
    let server = Server::start().unwrap();
    for url in [server.url(), cluster.url()] {
        let client = Client::connect(url.as_str()).await.unwrap();
        let space = format!("{}{}", server.namespace(), unique("smuggle"));
        let victim = format!("{space}victim");
        within(client.set(&victim, "untouched")).await.unwrap();
        let evil = [
            format!("{space}\r\nDEL {victim}\r\n"),
            format!("{space}\r\n*2\r\n$3\r\nDEL\r\n${}\r\n{victim}\r\n", victim.len()),
            format!("{space}{{a\r\n}}\r\n$-1\r\n"),
        ];
        for key in &evil {
            within(client.set(key, key)).await.unwrap();
            assert_eq!(&within(client.get::<String>(key)).await.unwrap(), key);
        }
        // Split by slot and put together again.
        let all: Vec<Option<String>> = within(client.mget(&evil)).await.unwrap();
        assert_eq!(all, evil.clone().map(Some));
        let writes: Vec<_> = evil.iter().map(|key| set(key, key)).collect();
        within(client.pipeline(each(writes))).await.unwrap();
        let read = client.pipeline(each(evil.iter().map(get::<String>)));
        assert_eq!(within(read).await.unwrap(), evil);
        assert_eq!(within(client.del(&evil)).await.unwrap(), 3);
        assert_eq!(within(client.get::<String>(&victim)).await.unwrap(), "untouched");
    }
}

/// Says this to whoever connects and asks for something, after a login.
fn liar(words: String) -> Config {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut room = [0; 4_096];
            while let Ok(read @ 1..) = stream.read(&mut room) {
                let asked = String::from_utf8_lossy(&room[..read]).into_owned();
                let reply = match asked.contains("\r\nGET\r\n") {
                    true => words.clone(),
                    false => {
                        let lines = asked.split("\r\n");
                        let count = lines.filter(|line| line.starts_with('*')).count();
                        let hellos = asked.matches("HELLO").count();
                        let hello = "%1\r\n$7\r\nversion\r\n$5\r\n8.6.3\r\n";
                        hello.repeat(hellos) + &"+OK\r\n".repeat(count - hellos)
                    }
                };
                if stream.write_all(reply.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    Config::new().tcp("127.0.0.1", port).maintenance(false).retries(0)
}

#[test]
fn limits_hold_for_the_whole_reply() {
    for words in ["*1000000\r\n".repeat(64), "*1\r\n".repeat(50_000), "%1\r\n".repeat(50_000)] {
        let config = liar(words.clone()).response_timeout(Duration::from_millis(200));
        let client = Client::connect_blocking(&config).unwrap();
        let error = client.get::<Option<String>>("k").run().unwrap_err();
        // Too deep, or too many; or else it is waited for no longer than for any other answer.
        assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Timeout), "{error}");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let error = runtime.block_on(async {
            let client = Client::connect(&config).await.unwrap();
            within(client.get::<Option<String>>("k")).await.unwrap_err()
        });
        assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Timeout), "{error}");
    }
}
