//! The server at `REDIS_URL`.

use std::{env, process::Command};

use alizarin_testkit::Server;

/// What the test below runs with `REDIS_URL` set; by itself it does nothing.
#[test]
fn child() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let mut server = Server::start().unwrap();
    assert_eq!(server.url(), env::var("REDIS_URL").unwrap());
    let prefix = server.namespace().to_owned();
    assert!(prefix.starts_with("alizarin-test-") && prefix.ends_with(':'), "{prefix}");
    server.command(&["SET", &format!("{prefix}a"), "1"]).unwrap();
    let index = format!("{prefix}films");
    server.command(&["FT.CREATE", &index, "SCHEMA", "title", "TEXT"]).unwrap();
    assert!(server.stop().unwrap_err().to_string().contains("private"));
    assert_eq!(server.command(&["DBSIZE"]).unwrap(), "2");
    let own = Server::builder().private().start().unwrap();
    assert_ne!(own.url(), server.url());
}

#[test]
fn is_used_and_left_as_it_was() {
    let server = Server::builder().password("secret").start().unwrap();
    server.command(&["SET", "theirs", "1"]).unwrap();
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .envs([(CHILD, "1"), ("REDIS_URL", &server.url())])
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(server.command(&["KEYS", "*"]).unwrap(), "theirs");
    assert_eq!(server.command(&["FT._LIST"]).unwrap(), "");
}

const CHILD: &str = "ALIZARIN_TESTKIT_CHILD";
