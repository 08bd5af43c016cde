//! A server ends with its process, whichever way that dies.

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use alizarin_testkit::Server;

/// What the other tests run as a process of its own; by itself it does nothing.
#[test]
fn child() {
    let Ok(kind) = env::var(CHILD) else { return };
    let owned;
    let server = if kind == "shared" {
        Server::shared().unwrap()
    } else {
        owned = Server::builder().private().start().unwrap();
        &owned
    };
    let socket = server.socket().map(|path| path.display().to_string()).unwrap_or_default();
    println!("\nSERVER {} {socket}", server.port().unwrap());
    match kind.as_str() {
        "abort" => std::process::abort(),
        "exit" => std::process::exit(0),
        "shared" => {}
        // until it is killed
        _ => loop {
            thread::park();
        },
    }
}

#[test]
fn after_sigkill() {
    let (mut child, server) = spawn("wait");
    child.kill().unwrap();
    child.wait().unwrap();
    server.assert_gone();
}

#[test]
fn after_an_interrupt_of_the_whole_group() {
    use std::os::unix::process::CommandExt;

    let (mut child, server) = spawn_as("wait", |command| {
        command.process_group(0);
    });
    let group = format!("-{}", child.id());
    assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
    let deadline = Instant::now() + Duration::from_secs(10);
    while !ignores_interrupts() && child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "the child lives on");
        thread::sleep(Duration::from_millis(1));
    }
    // where the test itself runs with interrupts ignored, so does the child
    let _ = child.kill();
    child.wait().unwrap();
    server.assert_gone();
}

#[test]
fn after_an_abort() {
    let (mut child, server) = spawn("abort");
    child.wait().unwrap();
    server.assert_gone();
}

#[test]
fn after_an_exit_that_drops_nothing() {
    let (mut child, server) = spawn("exit");
    child.wait().unwrap();
    server.assert_gone();
}

#[test]
fn after_the_end_of_a_process_with_a_shared_server() {
    let (mut child, server) = spawn("shared");
    assert!(child.wait().unwrap().success());
    server.assert_gone();
}

/// This process was started with SIGINT ignored, as by `nohup` or a shell's `&`.
fn ignores_interrupts() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 << (2 - 1) != 0)
}

struct Running {
    port: u16,
    socket: String,
    /// Held open: the child's test harness prints its result at the end.
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn assert_gone(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let folder = Path::new(&self.socket).parent();
        while TcpStream::connect(("127.0.0.1", self.port)).is_ok()
            || folder.is_some_and(Path::exists)
        {
            assert!(Instant::now() < deadline, "the server at port {} lives on", self.port);
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn spawn(kind: &str) -> (Child, Running) {
    spawn_as(kind, |_| {})
}

fn spawn_as(kind: &str, change: impl FnOnce(&mut Command)) -> (Child, Running) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture"]).env(CHILD, kind).env_remove("REDIS_URL");
    command.stdout(Stdio::piped());
    change(&mut command);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.starts_with("SERVER "))
        .expect("the child starts a server");
    let mut words = line.split(' ').skip(1);
    let port = words.next().unwrap().parse().unwrap();
    let socket = words.next().unwrap_or_default().to_owned();
    (child, Running { port, socket, _lines: lines })
}

const CHILD: &str = "ALIZARIN_TESTKIT_CHILD";
