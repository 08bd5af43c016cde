//! Servers that say that they move: whoever hears of it goes along before the connection is cut.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::cluster::within;
use crate::server::{play, say};
use alizarin_core::{Client, Run as _};

/// A server that answers with its name, and says once, behind or before an answer, that it moves.
fn server(name: &'static str, notice: Arc<Mutex<Option<(bool, String)>>>) -> (String, Asked) {
    let asked = Asked::default();
    let count = asked.clone();
    let (url, _) = play(move |_, words| match words[0].as_str() {
        "HELLO" => say("%1\r\n$7\r\nversion\r\n$5\r\n8.6.3\r\n"),
        "GET" | "BLPOP" => {
            count.0.fetch_add(1, Ordering::SeqCst);
            let answer = format!("${}\r\n{name}\r\n", name.len());
            match notice.lock().unwrap().take() {
                Some((true, notice)) => say(&format!("{answer}{notice}")),
                Some((false, notice)) => say(&format!("{notice}{answer}")),
                None => say(&answer),
            }
        }
        _ => say("+OK\r\n"),
    })
    .unwrap();
    (url, asked)
}

#[derive(Clone, Default)]
struct Asked(Arc<AtomicUsize>);

impl Asked {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn moving(id: u32, seconds: u32, to: &str) -> String {
    let to = to.trim_start_matches("redis://");
    format!(">4\r\n+MOVING\r\n:{id}\r\n:{seconds}\r\n${}\r\n{to}\r\n", to.len())
}

#[test]
fn a_blocking_client_goes_along() {
    for behind in [true, false] {
        let (there, asked_there) = server("there", Arc::default());
        let notice = Arc::new(Mutex::new(Some((behind, moving(1, 30, &there)))));
        let (here, asked_here) = server("here", Arc::clone(&notice));
        let client = Client::connect_blocking(here.as_str()).unwrap();
        let read = || client.get::<String>("k").run().unwrap();
        assert_eq!(read(), "here");
        assert_eq!((read(), read()), ("there".to_owned(), "there".to_owned()));
        assert_eq!((asked_here.count(), asked_there.count()), (1, 2));
    }
}

#[tokio::test]
async fn what_waits_on_connections_of_its_own_goes_along_with_the_shared_one() {
    let (there, asked_there) = server("there", Arc::default());
    let notice = Arc::new(Mutex::new(None));
    let (here, _) = server("here", Arc::clone(&notice));
    let client = Client::connect(here.as_str()).await.unwrap();
    let pop = async || {
        let command = client.command::<String>("BLPOP").key("list").arg(0);
        within(command).await.unwrap()
    };
    assert_eq!(pop().await, "here");
    *notice.lock().unwrap() = Some((false, moving(1, 30, &there)));
    assert_eq!(within(client.get::<String>("k")).await.unwrap(), "here");
    within(async {
        while client.get::<String>("k").await.unwrap() != "there" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let before = asked_there.count();
    assert_eq!(pop().await, "there");
    assert_eq!(asked_there.count(), before + 1);
}

#[tokio::test]
async fn what_waits_on_connections_of_its_own_goes_along_by_itself() {
    let (there, _) = server("there", Arc::default());
    let notice = Arc::new(Mutex::new(None));
    let (here, _) = server("here", Arc::clone(&notice));
    let client = Client::connect(here.as_str()).await.unwrap();
    let pop = async || {
        let command = client.command::<String>("BLPOP").key("list").arg(0);
        within(command).await.unwrap()
    };
    *notice.lock().unwrap() = Some((true, moving(1, 30, &there)));
    assert_eq!((pop().await, pop().await), ("here".to_owned(), "there".to_owned()));
}
