//! The client without a runtime, on real servers, in both protocols.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use alizarin_core::command::each;
use alizarin_core::commands::{get, incr, set};
use alizarin_core::{
    Client, Command, Config, Delivery, ErrorKind, Result, Run as _, Sent, Streamed as _,
};
use alizarin_testkit::Server;

fn both(test: impl Fn(&Server, Client)) {
    for protocol in [2, 3] {
        let server = Server::builder().private().start().unwrap();
        let client = connect(&server, protocol);
        test(&server, client);
    }
}

fn connect(server: &Server, protocol: u8) -> Client {
    Client::connect_blocking(format!("{}?protocol={protocol}", server.url()).as_str()).unwrap()
}

#[test]
fn commands_pipelines_and_transactions() {
    both(|_, client| {
        assert!(client.is_blocking());
        client.set("k", "v").run().unwrap();
        assert_eq!(client.get::<String>("k").run().unwrap(), "v");
        let (name, count) = client.pipeline((get::<String>("k"), incr("n"))).run().unwrap();
        assert_eq!((name.as_str(), count), ("v", 1));
        let (_, count) = client.transaction((set("k", "w"), incr("n"))).run().unwrap();
        assert_eq!(count, 2);
        let error = client.incr("k").run().unwrap_err();
        assert_eq!((error.sent(), error.command()), (Sent::Yes, Some("INCR")));
        let error = client.command("SELECT").arg(1).exec().run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(!client.server().version().is_empty());
    });
}

#[test]
fn a_command_that_waits_is_not_cut_short() {
    let server = Server::builder().private().start().unwrap();
    let config = Config::try_from(server.url().as_str()).unwrap();
    let client =
        Client::connect_blocking(config.response_timeout(Duration::from_millis(100))).unwrap();
    let pusher = thread::spawn({
        let client = client.clone();
        move || {
            // Pushed once somebody waits for longer than an answer may take.
            let deadline = Instant::now() + Duration::from_secs(10);
            loop {
                let waiting: String = client.command("CLIENT").arg("LIST").run().unwrap();
                let waits = |line: &str| line.contains("cmd=blpop") && !line.contains(" idle=0");
                if waiting.lines().any(waits) {
                    return client.rpush("queue", "x").run().unwrap();
                }
                assert!(Instant::now() < deadline, "nobody waits: {waiting}");
                thread::yield_now();
            }
        }
    });
    let popped = client.command::<(String, String)>("BLPOP").key("queue").arg(30).run().unwrap();
    assert_eq!(popped, ("queue".to_owned(), "x".to_owned()));
    assert_eq!(pusher.join().unwrap(), 1);
}

#[test]
fn no_answer_in_time_is_an_error_and_its_late_answer_is_nobodys() {
    let server = Server::builder().private().start().unwrap();
    let config = Config::try_from(server.url().as_str()).unwrap();
    let client =
        Client::connect_blocking(config.response_timeout(Duration::from_millis(100))).unwrap();
    client.set("k", "right").run().unwrap();
    server.command(&["CLIENT", "PAUSE", "400", "ALL"]).unwrap();
    let error = client.command::<String>("ECHO").arg("late").run().unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::Unknown));
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match client.get::<String>("k").run() {
            Ok(value) => break assert_eq!(value, "right"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Timeout),
        }
        assert!(Instant::now() < deadline);
    }
}

#[test]
fn a_lost_connection_is_made_anew() {
    both(|server, client| {
        client.set("k", 1).run().unwrap();
        server.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).unwrap();
        // A read may be repeated, and is.
        assert_eq!(client.get::<u32>("k").run().unwrap(), 1);
        server.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).unwrap();
        // So is a write that finds its connection cut before it is sent.
        if cfg!(target_os = "linux") {
            assert_eq!(client.incr("k").run().unwrap(), 2);
        }
    });
}

#[test]
fn threads_share_a_client() {
    both(|_, client| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let client = client.clone();
                thread::spawn(move || {
                    for n in 0..200 {
                        let text = format!("{thread}:{n}");
                        let echoed: String = client.command("ECHO").arg(&text).run().unwrap();
                        assert_eq!(echoed, text);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_request_and_replies_larger_than_all_buffers_pass_each_other() {
    both(|_, client| {
        let large = "x".repeat(1 << 20);
        let echo = || Command::<String>::new("ECHO").arg(&large);
        let echoed: Vec<String> = client.pipeline(each((0..40).map(|_| echo()))).run().unwrap();
        assert!(echoed.len() == 40 && echoed.iter().all(|text| *text == large));
        assert_eq!(client.command::<String>("ECHO").arg("after").run().unwrap(), "after");
    });
}

#[test]
fn inside_of_a_runtime_only_its_own_clients_cannot_be_waited_for() {
    let server = Server::start().unwrap();
    let key = format!("{}k", server.namespace());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let client = runtime.block_on(Client::connect(server.url().as_str())).unwrap();
    // Outside, the runtime's threads answer.
    client.set(&key, 7).run().unwrap();
    let pause = async {
        client.pause(Duration::from_millis(1)).await;
        Ok(())
    };
    pause.run().unwrap();
    runtime.block_on(async {
        // And nothing of it is sent.
        let error = client.incr(&key).run().unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Usage, Sent::No));
        let blocking = Client::connect_blocking(server.url().as_str()).unwrap();
        assert_eq!(blocking.get::<u32>(&key).run().unwrap(), 7);
        // It can be awaited as well.
        assert_eq!(blocking.get::<u32>(&key).await.unwrap(), 7);
        assert_eq!(client.get::<u32>(&key).await.unwrap(), 7);
    });
}

#[test]
fn a_subscription_says_when_it_was_interrupted() {
    both(|server, client| {
        let mut news = client.subscribe(["news"]).run().unwrap();
        client.publish("news", "one").run().unwrap();
        let text = |delivery: Option<Result<Delivery>>| match delivery.unwrap().unwrap() {
            Delivery::Message(message) => String::from_utf8(message.payload.to_vec()).unwrap(),
            Delivery::Gap => "gap".to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(text(news.iter().next()), "one");
        server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).unwrap();
        assert_eq!(text(news.iter().next()), "gap");
        client.publish("news", "two").run().unwrap();
        assert_eq!(text(news.iter().next()), "two");
    });
}

#[test]
fn what_cannot_be_connected_to_is_told_at_once() {
    let error = Client::connect_blocking("redis://127.0.0.1:1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    let server = Server::builder().private().start().unwrap();
    server.command(&["CONFIG", "SET", "requirepass", "secret"]).unwrap();
    let url = server.url().replacen("redis://", "redis://:wrong@", 1);
    let error = Client::connect_blocking(url.as_str()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
}

#[test]
fn a_reply_that_nobody_asked_for_answers_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Two replies for each request but those of the login.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut bytes) {
                let request = String::from_utf8_lossy(&bytes[..count]).into_owned();
                let echoed = request.split("\r\n").nth(4).unwrap_or_default().to_owned();
                let reply = match request.contains("ECHO") {
                    true => format!("+{echoed}\r\n+too many\r\n"),
                    false => "-ERR unknown command\r\n".repeat(request.matches('*').count()),
                };
                stream.write_all(reply.as_bytes()).unwrap();
            }
        }
    });
    let url = format!("redis://127.0.0.1:{port}?protocol=2");
    let client = Client::connect_blocking(url.as_str()).unwrap();
    for n in 0..20 {
        let text = format!("text {n}");
        assert_eq!(client.command::<String>("ECHO").arg(&text).run().unwrap(), text);
    }
}

#[test]
fn a_closed_client_runs_nothing() {
    both(|_, client| {
        let close = async {
            client.close().await;
            Ok(())
        };
        close.run().unwrap();
        assert_eq!(client.get::<Option<String>>("k").run().unwrap_err().kind(), ErrorKind::Closed);
    });
}
