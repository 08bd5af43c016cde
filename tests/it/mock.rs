//! Unit tests without a server, as applications write them: what a repository sends to a
//! `MockServer`, and what it makes of the answers.

use std::time::Duration;

use alizarin::blocking::{self, Run as _};
use alizarin::prelude::*;
use alizarin::{Config, Sent, ServerCode};
use alizarin_samples::Account;
use alizarin_testkit::{MockReply, MockServer};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "user", index)]
struct User {
    #[redis(id)]
    id: u32,
    #[redis(tag)]
    name: String,
}

fn ann() -> User {
    User { id: 1, name: "Ann".into() }
}

#[tokio::test]
async fn a_repository_is_tried_without_a_server() {
    let server = MockServer::start().unwrap().in_order();
    server.expect(["HSET", "user:1", "id", "1", "name", "Ann"]).reply(2);
    server.expect(["HGETALL", "user:1"]).reply(MockReply::map([("id", "1"), ("name", "Ann")]));
    server.expect(["HGETALL", "user:2"]).reply(MockReply::Map(Vec::new()));
    server.expect(["DEL", "user:1"]).reply(1);
    let users = Client::connect(server.url().as_str()).await.unwrap().repository::<User>();
    users.save(&ann()).await.unwrap();
    assert_eq!(users.get(&1).await.unwrap(), Some(ann()));
    assert_eq!(users.get(&2).await.unwrap(), None);
    assert!(users.delete(&1).await.unwrap());
    server.verify().unwrap();
    let names: Vec<String> = server.commands().iter().map(|command| command[0].clone()).collect();
    assert_eq!(names, ["HSET", "HGETALL", "HGETALL", "DEL"]);
    assert_eq!(server.greetings()[0][..2], ["HELLO", "3"]);
}

#[test]
fn the_same_without_a_runtime_and_by_resp2() {
    let server = MockServer::start().unwrap().resp2().version("5.0.0");
    let fields = MockReply::map([("id", "1"), ("name", "Ann")]);
    server.expect(["HGETALL", "user:1"]).reply(fields);
    let client = blocking::Client::connect(server.url().as_str()).unwrap();
    let users = client.repository::<User>();
    assert_eq!(users.get(&1).run().unwrap(), Some(ann()));
    server.verify().unwrap();
}

#[tokio::test]
async fn errors_and_losses_can_be_played() {
    let server = MockServer::start().unwrap();
    server.expect(["HGETALL", "user:1"]).reply(MockReply::error("WRONGTYPE it is a list"));
    server.expect(["INCR", "n"]).close();
    server.expect(["GET", "slow"]).silence();
    let config: Config = server.url().parse().unwrap();
    let config = config.response_timeout(Duration::from_millis(100)).retries(0);
    let client = Client::connect(config).await.unwrap();
    let error = client.repository::<User>().get(&1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server(ServerCode::WrongType), "{error}");
    let error = client.incr("n").await.unwrap_err();
    assert_eq!(error.sent(), Sent::Unknown, "{error}");
    assert!(client.get::<String>("slow").await.is_err());
    server.verify().unwrap();
}

#[tokio::test]
async fn what_came_unexpected_and_what_never_came_is_told() {
    let server = MockServer::start().unwrap();
    server.expect(["SET", "a"]).any_arg().times(2).reply(MockReply::ok());
    server.expect(["GET"]).any_args().always().reply(MockReply::Null);
    let client = Client::connect(server.url().as_str()).await.unwrap();
    client.set("a", 1).await.unwrap();
    assert_eq!(client.get::<Option<String>>("b").await.unwrap(), None);
    let error = client.set("b", "two words").await.unwrap_err();
    assert!(error.to_string().contains("the test expects no `SET b"), "{error}");
    let text = server.verify().unwrap_err().to_string();
    assert!(text.contains("never came: SET a _ (1 of 2 times)"), "{text}");
    assert!(text.contains("came unexpected: SET b \"two words\""), "{text}");
}

#[tokio::test]
async fn transactions_and_events_are_played() {
    let server = MockServer::start().unwrap();
    server.expect(["INCR", "n"]).reply(7);
    server.expect(["GET", "a"]).reply("x");
    let client = Client::connect(server.url().as_str()).await.unwrap();
    let commands = (alizarin::commands::incr("n"), alizarin::commands::get::<String>("a"));
    assert_eq!(client.transaction(commands).await.unwrap(), (7, "x".to_owned()));
    server.verify().unwrap();

    let accounts = client.repository::<Account>();
    let mut changes = accounts.changes().await.unwrap();
    let event = r#"{"op":"deleted","id":"1"}"#;
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while server.publish("alizarin:changes:account", event) == 0 {
        assert!(std::time::Instant::now() < deadline, "nobody subscribes");
        tokio::task::yield_now().await;
    }
    let change = tokio::time::timeout(Duration::from_secs(10), changes.next()).await.unwrap();
    assert_eq!(change.unwrap().unwrap(), Change::Deleted { id: 1 });
}
