//! Servers that refuse, lie, or fall silent: played by a thread that answers as a script says.

use std::sync::atomic::Ordering;

use crate::server::{Act, play, say};
use alizarin_core::{Client, Delivery, ErrorKind, Sent};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A server that knows nothing newer than Redis 5.
fn old_server(_: usize, command: &[String]) -> Act {
    match command[0].to_ascii_uppercase().as_str() {
        "HELLO" => say("-ERR unknown command 'HELLO'\r\n"),
        "CLIENT" => say("-ERR unknown subcommand\r\n"),
        "GET" => say("$5\r\nvalue\r\n"),
        _ => say("+OK\r\n"),
    }
}

#[tokio::test]
async fn a_server_without_hello_is_spoken_to_in_resp2() -> Outcome {
    let (url, _) = play(old_server)?;
    let client = Client::connect(url.as_str()).await?;
    assert_eq!(client.get::<String>("k").await?, "value");
    Ok(())
}

#[tokio::test]
async fn a_peer_that_closes_at_hello_gets_one_more_chance_in_resp2() -> Outcome {
    let (url, connections) = play(|number, command| match command[0].as_str() {
        "HELLO" if number == 0 => Act::SayAndClose(Vec::new()),
        _ => old_server(number, command),
    })?;
    let client = Client::connect(url.as_str()).await?;
    assert_eq!(client.get::<String>("k").await?, "value");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
    Ok(())
}

#[tokio::test]
async fn a_web_server_is_named_as_what_it_is_not() -> Outcome {
    let (url, _) = play(|_, _| say("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"))?;
    let error = Client::connect(url.as_str()).await.expect_err("that is no Redis");
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(error.to_string().contains("HTTP"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_refused_name_or_library_is_no_reason_to_fail() -> Outcome {
    let (url, _) = play(|_, command| match command[0].as_str() {
        "HELLO" => say("%2\r\n$7\r\nversion\r\n$5\r\n8.0.0\r\n$5\r\nproto\r\n:3\r\n"),
        "CLIENT" => say("-NOPERM this user has no permissions to run the 'client' command\r\n"),
        _ => say("$5\r\nvalue\r\n"),
    })?;
    let client = Client::connect(url.as_str()).await?;
    assert_eq!(client.get::<String>("k").await?, "value");
    Ok(())
}

#[tokio::test]
async fn a_connection_cut_in_a_reply_says_that_the_write_may_have_happened() -> Outcome {
    let (url, _) = play(|_, command| match command[0].as_str() {
        "INCR" => Act::SayAndClose(b":12".to_vec()),
        _ => old_server(0, command),
    })?;
    let client = Client::connect(url.as_str()).await?;
    let error = client.incr("n").await.expect_err("the reply was cut");
    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
    assert_eq!(error.sent(), Sent::Unknown);
    assert_eq!(client.get::<String>("k").await?, "value", "the next command has a new connection");
    Ok(())
}

#[tokio::test]
async fn a_read_whose_reply_was_cut_is_asked_again() -> Outcome {
    let (url, connections) = play(|number, command| match command[0].as_str() {
        "GET" if number == 0 => Act::SayAndClose(b"$5\r\nval".to_vec()),
        _ => old_server(number, command),
    })?;
    let client = Client::connect(url.as_str()).await?;
    assert_eq!(client.get::<String>("k").await?, "value");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
    Ok(())
}

#[tokio::test]
async fn lying_lengths_end_the_connection_and_nothing_else() -> Outcome {
    for lie in ["$99999999999999\r\n", "*-7\r\n", "$-2\r\n", "?what\r\n", ":12x\r\n"] {
        let (url, _) = play(move |_, command| match command[0].as_str() {
            "INCR" => say(lie),
            _ => old_server(0, command),
        })?;
        let client = Client::connect(url.as_str()).await?;
        let error = client.incr("n").await.expect_err(lie);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{lie:?}: {error}");
        assert_eq!(client.get::<String>("k").await?, "value", "after {lie:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_is_an_auth_error_that_does_not_show_it() -> Outcome {
    let server = alizarin_testkit::Server::builder().password("right").start()?;
    let address = server.url();
    let address = address.rsplit('@').next().unwrap_or_default().trim_start_matches("redis://");
    for protocol in [2, 3] {
        let url = format!("redis://:wrong-secret@{address}?protocol={protocol}");
        let error = Client::connect(url.as_str()).await.expect_err("a wrong password");
        assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
        assert!(!format!("{error:?} {error}").contains("wrong-secret"));
        let url = format!("redis://{address}?protocol={protocol}");
        let error = match Client::connect(url.as_str()).await {
            Err(error) => error,
            Ok(client) => client.get::<String>("k").await.expect_err("no password"),
        };
        assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_cuts_each_subscription_is_not_stormed() -> Outcome {
    let (url, connections) = play(|number, command| match command[0].as_str() {
        "SUBSCRIBE" => Act::SayAndClose(b">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n".to_vec()),
        _ => old_server(number, command),
    })?;
    let client = Client::connect(url.as_str()).await?;
    let mut news = client.subscribe(["c"]).await?;
    let end = tokio::time::Instant::now() + std::time::Duration::from_millis(500);
    let read = async {
        while let Some(delivery) = news.next().await {
            assert_eq!(delivery.expect("the server is there"), Delivery::Gap);
        }
    };
    assert!(tokio::time::timeout_at(end, read).await.is_err(), "a stream without end");
    let connections = connections.load(Ordering::SeqCst);
    assert!((3..=40).contains(&connections), "{connections} connections in half a second");
    Ok(())
}
