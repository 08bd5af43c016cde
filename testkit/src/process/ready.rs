//! Waiting for a server to answer, and seeing that it never will.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::folder;
use crate::{client::Client, endpoint::Endpoint, error::Error};

/// Waits until the server at `endpoint` answers PING.
pub(crate) fn wait(endpoint: &Endpoint, pid: u32, folder: &Path) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ended = has_ended(pid);
        let failure = match ping(endpoint) {
            // an answer counts only when our server was there to give it
            Ok(()) if !ended => return Ok(()),
            Err(error) if error.is_reply() && !error.to_string().contains("LOADING") => {
                return Err(error);
            }
            Ok(()) => "another server answers at its address".to_owned(),
            Err(error) => error.to_string(),
        };
        if ended {
            return Err(Error::start("it ended at once", folder::log(folder)));
        }
        if Instant::now() > deadline {
            let reason = format!("no answer in {} s: {failure}", PATIENCE.as_secs());
            return Err(Error::start(reason, folder::log(folder)));
        }
        thread::sleep(PAUSE);
    }
}

fn ping(endpoint: &Endpoint) -> Result<(), Error> {
    Client::connect(endpoint, Duration::from_secs(2))?.call(&["PING"]).map(drop)
}

/// The process has ended; on a system without `/proc` this is never known.
fn has_ended(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        // "PID (NAME) STATE ...": its parent, the watchdog, leaves it a zombie until it is told
        Ok(stat) => stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])),
        Err(_) => Path::new("/proc/self/stat").exists(),
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    #[test]
    fn sees_an_end() {
        assert!(!has_ended(process::id()));
        if cfg!(target_os = "linux") {
            let mut child = process::Command::new("true").spawn().unwrap();
            let deadline = Instant::now() + Duration::from_secs(5);
            while !has_ended(child.id()) && Instant::now() < deadline {
                thread::sleep(PAUSE);
            }
            assert!(has_ended(child.id()));
            child.wait().unwrap();
        }
    }
}
