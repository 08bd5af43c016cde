//! Logins that are garbled, cut or never answered: each closes the connection, and says why.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::server::{Act, play, say};
use alizarin_core::{Client, Config, ErrorKind, Protocol, Run as _};

/// What a server may do at one step of the login.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mischief {
    Silence,
    Garbage,
    Cut,
    Refusal,
}

/// The answers of a server that does this at one step, and what it should at the others.
fn script(at: &'static str, mischief: Mischief) -> impl Fn(usize, &[String]) -> Act {
    move |_, command| {
        let step = command.join(" ");
        let right = match command[0].as_str() {
            "HELLO" => "%1\r\n$7\r\nversion\r\n$5\r\n8.6.3\r\n",
            _ => "+OK\r\n",
        };
        if !step.starts_with(at) {
            return say(right);
        }
        match mischief {
            Mischief::Silence => Act::Say(Vec::new()),
            Mischief::Garbage => say("HTTP/1.1 400 Bad Request\r\n\r\n"),
            Mischief::Cut => Act::SayAndClose(right.as_bytes()[..2].to_vec()),
            Mischief::Refusal => say("-ERR this is refused\r\n"),
        }
    }
}

#[tokio::test]
async fn every_step_that_goes_wrong_is_told() {
    for at in ["HELLO", "AUTH", "CLIENT SETINFO", "SELECT"] {
        for mischief in [Mischief::Silence, Mischief::Garbage, Mischief::Cut, Mischief::Refusal] {
            let (url, connections) = play(script(at, mischief)).unwrap();
            let config: Config = url.parse().unwrap();
            let config = config.database(3).login("app", "hunter2").maintenance(false);
            let mut config = config.connect_timeout(Duration::from_millis(300));
            if at == "AUTH" {
                // In RESP3 it is a part of HELLO.
                config = config.protocol(Protocol::Resp2);
            }
            let blocking = config.clone();
            let blocking = tokio::task::spawn_blocking(move || {
                let client = Client::connect_blocking(blocking)?;
                client.get::<Option<String>>("k").run()
            });
            let shared = async {
                let client = Client::connect(config).await?;
                client.get::<Option<String>>("k").await
            };
            let optional = match at {
                // A client may be refused to say what it is, and speaks RESP2 to whom HELLO is new.
                "CLIENT SETINFO" => mischief == Mischief::Refusal,
                "HELLO" => matches!(mischief, Mischief::Refusal | Mischief::Cut),
                _ => false,
            };
            for outcome in [shared.await, blocking.await.unwrap()] {
                let error = match outcome {
                    Ok(_) if optional => continue,
                    Ok(_) => panic!("{at} {mischief:?}: connected"),
                    Err(error) => error,
                };
                let known = match error.kind() {
                    ErrorKind::Connect | ErrorKind::Timeout => true,
                    ErrorKind::Protocol | ErrorKind::Disconnected => mischief != Mischief::Silence,
                    ErrorKind::Auth | ErrorKind::Server(_) | ErrorKind::Usage => {
                        mischief == Mischief::Refusal
                    }
                    _ => false,
                };
                assert!(known, "{at} {mischief:?}: {error:?}");
                assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
            }
            // Each client has tried some protocols, and no connection twice.
            let made = connections.load(Ordering::SeqCst);
            assert!((2..=6).contains(&made), "{at} {mischief:?}: {made} connections");
        }
    }
}
