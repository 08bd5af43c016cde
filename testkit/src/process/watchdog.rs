//! The shell that owns a server, so that nothing we die of can leave the server behind.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use super::command::Words;
use crate::error::Error;

/// A running watchdog; dropping it ends its server and removes the server's folder.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
    /// `None` only while dropping: closing it is the order to end everything.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Watchdog {
    /// Starts the watchdog of the server that `words` would start; starts no server yet.
    pub(crate) fn spawn(folder: &Path, words: &Words) -> Result<Self, Error> {
        let fail = |source| Error::file("starting the watchdog shell", source);
        let (engine, container) = match &words.container {
            Some(container) => (container.engine.as_os_str(), OsStr::new(&container.name)),
            None => (OsStr::new(""), OsStr::new("")),
        };
        let mut shell = Command::new("sh")
            .arg("-c")
            .arg(include_str!("watchdog.sh"))
            .arg("alizarin-watchdog")
            .args([folder.as_os_str(), engine, container])
            .args(&words.command)
            .current_dir("/")
            // a group of its own, server included: an interrupt typed at the terminal is ours only
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(fail)?;
        match (shell.stdin.take(), shell.stdout.take()) {
            (Some(orders), Some(answers)) => {
                Ok(Self { shell, orders: Some(orders), answers: BufReader::new(answers) })
            }
            _ => Err(fail(std::io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Starts the server and gives its process id.
    pub(crate) fn start(&mut self) -> Result<u32, Error> {
        let answer = self.order("start")?;
        answer.parse().map_err(|_| Error::start(format!("the watchdog said {answer:?}"), ""))
    }

    /// Kills the server (SIGKILL) and waits for its end; the folder stays.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        self.order("stop").map(drop)
    }

    pub(crate) fn pause(&mut self) -> Result<(), Error> {
        self.expect("pause", "paused")
    }

    pub(crate) fn resume(&mut self) -> Result<(), Error> {
        self.expect("resume", "resumed")
    }

    fn expect(&mut self, order: &str, answer: &str) -> Result<(), Error> {
        if self.order(order)? == answer {
            return Ok(());
        }
        let ended = std::io::Error::new(std::io::ErrorKind::NotFound, "no server is running");
        Err(Error::connection(format!("giving the order to {order}"), ended))
    }

    fn order(&mut self, order: &str) -> Result<String, Error> {
        let mut answer = String::new();
        let sent = match &mut self.orders {
            Some(orders) => orders.write_all(format!("{order}\n").as_bytes()),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        };
        sent.and_then(|()| self.answers.read_line(&mut answer))
            .map_err(|source| Error::file("speaking to the watchdog shell", source))?;
        Ok(answer.trim_end().to_owned())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.orders.take());
        // nothing to do about a failure: the watchdog ends by itself
        let _ = self.shell.wait();
    }
}
