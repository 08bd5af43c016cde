//! The cache against scripted servers: what crosses on the way, and what is lost.

use std::future::poll_fn;
use std::sync::Arc;

use super::*;
use crate::cache::{Cache, CacheConfig};
use crate::command::Flags;
use crate::commands::get;
use crate::error::ErrorKind;
use crate::{Command, Protocol};

/// A cache, the far end of its connection, and those to come.
async fn cache(config: CacheConfig) -> (Cache, Peer, Peers) {
    let (client, _peer, mut peers) = super::client(Config::new(), 1 << 16).await;
    let (cache, peer) = tokio::join!(client.cache(config), tracked(&mut peers));
    (cache.unwrap(), peer, peers)
}

/// The next connection, which asks to be told of changes.
async fn tracked(peers: &mut Peers) -> Peer {
    let mut peer = peers.raw().await;
    assert_eq!(peer.request().await.unwrap()[0], "HELLO");
    peer.send("%1\r\n$7\r\nversion\r\n$5\r\n8.0.0\r\n").await;
    assert_eq!(peer.request().await.unwrap()[..3], ["CLIENT", "TRACKING", "ON"]);
    peer.send("+OK\r\n").await;
    let mut last = false;
    while !last {
        last = peer.request().await.unwrap().contains(&"LIB-VER".to_owned());
        peer.send("+OK\r\n").await;
    }
    peer
}

/// Waits for a read of `key`; gives nothing back.
async fn asked(peer: &mut Peer, key: &str) {
    assert_eq!(within(peer.request()).await.unwrap(), ["GET", key]);
    assert_eq!(within(peer.request()).await.unwrap(), ["PTTL", key]);
}

fn changed(key: &str) -> String {
    format!(">2\r\n$10\r\ninvalidate\r\n*1\r\n${}\r\n{key}\r\n", key.len())
}

fn fetch(cache: &Cache, key: &'static str) -> tokio::task::JoinHandle<Result<String>> {
    let cache = cache.clone();
    tokio::spawn(async move { cache.get(key).await })
}

/// Reads `k` with nobody to answer: it is in the cache.
async fn is_kept(cache: &Cache, value: &str) {
    let mut read = cache.get::<String>("k");
    match poll_once(&mut read) {
        Poll::Ready(kept) => assert_eq!(kept.unwrap(), value),
        Poll::Pending => panic!("{value} is not kept"),
    }
}

/// Reads `k`, which the server is asked for.
async fn is_not_kept(cache: &Cache, peer: &mut Peer) {
    let read = fetch(cache, "k");
    asked(peer, "k").await;
    peer.send("$3\r\nnow\r\n:-1\r\n").await;
    assert_eq!(within(read).await.unwrap().unwrap(), "now");
    is_kept(cache, "now").await;
}

#[tokio::test]
async fn a_change_told_before_or_in_the_reply_wins() {
    for parts in [
        [changed("k").as_str(), "$3\r\nold\r\n", ":-1\r\n"],
        ["$3\r\nold\r\n", &changed("k"), ":-1\r\n"],
        ["$3\r\nold\r\n", ":-1\r\n", &changed("k")],
        [">2\r\n$10\r\ninvalidate\r\n_\r\n", "$3\r\nold\r\n", ":-1\r\n"],
        [">2\r\n+invalidate\r\n:1\r\n", "$3\r\nold\r\n", ":-1\r\n"],
    ] {
        let (cache, mut peer, _peers) = cache(CacheConfig::new()).await;
        let read = fetch(&cache, "k");
        asked(&mut peer, "k").await;
        peer.send(parts.concat()).await;
        assert_eq!(within(read).await.unwrap().unwrap(), "old");
        until(|| cache.metrics().invalidations == 1).await;
        assert_eq!((cache.metrics().entries, cache.metrics().bytes), (0, 0), "{parts:?}");
        is_not_kept(&cache, &mut peer).await;
    }
}

#[tokio::test]
async fn what_concerns_other_keys_changes_nothing() {
    let (cache, mut peer, _peers) = cache(CacheConfig::new()).await;
    let read = fetch(&cache, "k");
    asked(&mut peer, "k").await;
    peer.send([&changed("kk"), ">2\r\n+other\r\n+k\r\n", "$1\r\nv\r\n:-2\r\n"].concat()).await;
    assert_eq!(within(read).await.unwrap().unwrap(), "v");
    is_kept(&cache, "v").await;
}

#[tokio::test]
async fn who_comes_after_a_change_does_not_wait_for_the_older_answer() {
    let (cache, mut peer, _peers) = cache(CacheConfig::new()).await;
    let first = fetch(&cache, "k");
    asked(&mut peer, "k").await;
    peer.send(changed("k")).await;
    until(|| cache.metrics().invalidations == 1).await;
    let second = fetch(&cache, "k");
    asked(&mut peer, "k").await;
    peer.send("$3\r\nold\r\n:-1\r\n$3\r\nnew\r\n:-1\r\n").await;
    assert_eq!(within(first).await.unwrap().unwrap(), "old");
    assert_eq!(within(second).await.unwrap().unwrap(), "new");
    is_kept(&cache, "new").await;
    // The same, where the caller itself tells of the change.
    cache.forget("k");
    let first = fetch(&cache, "k");
    asked(&mut peer, "k").await;
    cache.forget(["x", "k"]);
    let second = fetch(&cache, "k");
    asked(&mut peer, "k").await;
    peer.send("$3\r\nold\r\n:-1\r\n$3\r\nnew\r\n:-1\r\n").await;
    assert_eq!(within(first).await.unwrap().unwrap(), "old");
    assert_eq!(within(second).await.unwrap().unwrap(), "new");
    is_kept(&cache, "new").await;
}

#[tokio::test]
async fn all_who_ask_at_once_share_one_question() {
    let (cache, mut peer, _peers) = cache(CacheConfig::new()).await;
    let reads: Vec<_> = (0..64).map(|_| fetch(&cache, "k")).collect();
    asked(&mut peer, "k").await;
    until(|| cache.metrics().joined == 63).await;
    // Whoever asked first goes; the others do not mind.
    reads[0].abort();
    until(|| reads[0].is_finished()).await;
    peer.send("$1\r\nv\r\n:-1\r\n").await;
    for read in reads.into_iter().skip(1) {
        assert_eq!(within(read).await.unwrap().unwrap(), "v");
    }
    assert_eq!((cache.metrics().misses, cache.metrics().entries), (1, 1));
    is_kept(&cache, "v").await;
}

#[tokio::test]
async fn when_all_who_ask_are_gone_the_next_one_asks_anew() {
    let (cache, mut peer, _peers) = cache(CacheConfig::new()).await;
    let (mut first, mut second) = (cache.get::<String>("k"), cache.get::<String>("k"));
    assert!(poll_once(&mut first).is_pending() && poll_once(&mut second).is_pending());
    asked(&mut peer, "k").await;
    drop((first, second));
    let third = fetch(&cache, "k");
    asked(&mut peer, "k").await;
    peer.send("$3\r\nold\r\n:-1\r\n$3\r\nnew\r\n:-1\r\n").await;
    assert_eq!(within(third).await.unwrap().unwrap(), "new");
    is_kept(&cache, "new").await;
}

#[tokio::test]
async fn a_waker_of_one_who_left_wakes_those_who_stay() {
    let (cache, mut peer, _peers) = cache(CacheConfig::new()).await;
    let mut first = cache.get::<String>("k");
    let second = fetch(&cache, "k");
    poll_fn(|cx| {
        assert!(Pin::new(&mut first).poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    asked(&mut peer, "k").await;
    until(|| cache.metrics().joined == 1).await;
    peer.send("$1\r\nv\r\n:-1\r\n").await;
    drop(first);
    assert_eq!(within(second).await.unwrap().unwrap(), "v");
}

#[tokio::test]
async fn a_lost_connection_empties_the_cache_and_what_is_under_way_is_not_kept() {
    let (cache, mut peer, mut peers) = cache(CacheConfig::new()).await;
    is_not_kept(&cache, &mut peer).await;
    let under_way = fetch(&cache, "other");
    asked(&mut peer, "other").await;
    drop(peer);
    until(|| cache.metrics().entries == 0).await;
    // It is asked for again, on a connection that is told of changes too.
    let mut peer = tracked(&mut peers).await;
    asked(&mut peer, "other").await;
    peer.send("$1\r\nv\r\n:-1\r\n").await;
    assert_eq!(within(under_way).await.unwrap().unwrap(), "v");
    assert_eq!(cache.metrics().entries, 0);
    is_not_kept(&cache, &mut peer).await;
}

#[tokio::test]
async fn a_move_to_another_server_empties_the_cache() {
    let (cache, mut old, mut peers) = cache(CacheConfig::new()).await;
    is_not_kept(&cache, &mut old).await;
    let under_way = fetch(&cache, "other");
    asked(&mut old, "other").await;
    old.send(">4\r\n+MOVING\r\n:1\r\n:30\r\n+there:6380\r\n").await;
    let mut new = tracked(&mut peers).await;
    old.send("$1\r\nv\r\n:-1\r\n").await;
    assert_eq!(within(under_way).await.unwrap().unwrap(), "v");
    until(|| cache.metrics().entries == 0).await;
    is_not_kept(&cache, &mut new).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_silent_is_asked_for_a_sign_and_lost_without_one() {
    let config = Config::new().response_timeout(Duration::from_secs(2)).heartbeat(None);
    let (client, _peer, mut peers) = super::client(config, 4096).await;
    let (cache, peer) = tokio::join!(client.cache(CacheConfig::new()), tracked(&mut peers));
    let (cache, mut peer) = (cache.unwrap(), peer);
    is_not_kept(&cache, &mut peer).await;
    for _ in 0..3 {
        assert_eq!(within(peer.request()).await.unwrap(), ["PING"]);
        peer.send("+PONG\r\n").await;
    }
    is_kept(&cache, "now").await;
    assert_eq!(within(peer.request()).await.unwrap(), ["PING"]);
    tracked(&mut peers).await;
    assert_eq!(cache.metrics().entries, 0);
}

#[tokio::test]
async fn errors_are_given_to_all_and_not_kept() {
    let (cache, mut peer, _peers) = cache(CacheConfig::new()).await;
    let reads = [fetch(&cache, "k"), fetch(&cache, "k")];
    asked(&mut peer, "k").await;
    until(|| cache.metrics().joined == 1).await;
    peer.send("-WRONGTYPE no\r\n-NOPERM no\r\n").await;
    for read in reads {
        let error = within(read).await.unwrap().unwrap_err();
        assert_eq!(error.command(), Some("GET"));
        assert!(error.to_string().contains("WRONGTYPE"), "{error}");
    }
    is_not_kept(&cache, &mut peer).await;
    // A value that does not decode is one of another type for somebody else.
    let error = cache.get::<u64>("k").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let mut shared = cache.shared(get::<u64>("k"));
    assert!(poll_once(&mut shared).is_pending());
    asked(&mut peer, "k").await;
    peer.send("$1\r\nx\r\n:-1\r\n").await;
    assert_eq!(within(shared).await.unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(cache.metrics().entries, 1);
}

#[tokio::test]
async fn what_is_decoded_is_decoded_once() {
    let (cache, mut peer, _peers) = cache(CacheConfig::new()).await;
    let mut read = cache.shared(get::<u64>("k"));
    assert!(poll_once(&mut read).is_pending());
    asked(&mut peer, "k").await;
    peer.send("$1\r\n7\r\n:-1\r\n").await;
    let first = within(read).await.unwrap();
    let second = cache.shared(get::<u64>("k")).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second) && *first == 7);
    // As another type it is another entry.
    is_not_kept(&cache, &mut peer).await;
    assert_eq!(cache.metrics().entries, 2);
    peer.send(changed("k")).await;
    until(|| cache.metrics().entries == 0).await;
}

#[tokio::test]
async fn decoding_that_panics_leaves_nobody_waiting() {
    #[derive(Debug)]
    struct Bad;
    impl FromReply for Bad {
        fn from_reply(_: &mut Reader<'_>) -> Result<Bad> {
            panic!("as the test wants it");
        }
    }
    let (cache, mut peer, _peers) = cache(CacheConfig::new()).await;
    let reads = [(); 2].map(|()| {
        let cache = cache.clone();
        tokio::spawn(async move { cache.shared(get::<Bad>("k")).await.map(drop) })
    });
    asked(&mut peer, "k").await;
    until(|| cache.metrics().joined == 1).await;
    peer.send("$1\r\nv\r\n:-1\r\n").await;
    let mut panics = 0;
    for read in reads {
        match within(read).await {
            Ok(outcome) => assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Decode),
            Err(_) => panics += 1,
        }
    }
    assert_eq!(panics, 1);
    assert_eq!(cache.metrics().entries, 0);
}

#[tokio::test]
async fn an_entry_ends_with_its_key() {
    let (cache, mut peer, _peers) = cache(CacheConfig::new()).await;
    let read = fetch(&cache, "k");
    asked(&mut peer, "k").await;
    peer.send("$1\r\nv\r\n:0\r\n").await;
    assert_eq!(within(read).await.unwrap().unwrap(), "v");
    is_not_kept(&cache, &mut peer).await;
    assert_eq!(cache.metrics().entries, 1);
}

#[tokio::test]
async fn where_the_server_asks_for_it_each_read_says_that_it_is_kept() {
    let (cache, mut peer, _peers) = cache(CacheConfig::new().opt_in().key_expiry(false)).await;
    for answer in ["-ERR not now\r\n$1\r\nv\r\n", "+OK\r\n$1\r\nv\r\n"] {
        let read = fetch(&cache, "k");
        assert_eq!(within(peer.request()).await.unwrap(), ["CLIENT", "CACHING", "YES"]);
        assert_eq!(within(peer.request()).await.unwrap(), ["GET", "k"]);
        peer.send(answer).await;
        match answer.starts_with('+') {
            true => assert_eq!(within(read).await.unwrap().unwrap(), "v"),
            false => assert!(within(read).await.unwrap().is_err()),
        }
    }
    is_kept(&cache, "v").await;
}

#[tokio::test]
async fn servers_that_cannot_tell_of_changes_are_refused() {
    let (client, _peer, mut peers) = super::client(Config::new(), 4096).await;
    for (hello, tracking, part) in [
        ("%1\r\n+version\r\n+5.0\r\n", "-ERR unknown subcommand\r\n", "unknown subcommand"),
        ("-ERR unknown command 'HELLO'\r\n", "+OK\r\n", "RESP2"),
    ] {
        let server = async {
            let mut peer = peers.raw().await;
            while let Some(request) = peer.request().await {
                peer.send(match (request[0].as_str(), request.get(1).map(String::as_str)) {
                    ("HELLO", _) => hello,
                    (_, Some("TRACKING")) => tracking,
                    _ => "+OK\r\n",
                })
                .await;
            }
        };
        let outcome =
            within(async { tokio::join!(client.cache(CacheConfig::new()), server) }).await;
        let error = outcome.0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(client.config().protocol, Protocol::Resp3);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_before_anything_is_sent() {
    let (cache, _peer, _peers) = cache(CacheConfig::new().broadcast(["a:", "b:"])).await;
    let refused = |command: Command<()>| poll_once(&mut cache.run(command));
    for command in [
        Command::new("SET").key("a:1").arg("v"),
        Command::new("GET").key("c:1"),
        Command::new("MGET").key(["a:1", "c:1"]),
        Command::new("SRANDMEMBER").key("a:1").flags(Flags::READ),
    ] {
        let Poll::Ready(Err(error)) = refused(command) else { panic!("it was sent") };
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }
    assert_eq!(cache.metrics().misses, 0);
}
