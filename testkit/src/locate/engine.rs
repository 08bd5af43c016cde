//! A container engine that runs.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::path;
use crate::provision::{Step, say};

/// A container engine that runs and has the image.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    pub(crate) program: PathBuf,
}

impl Engine {
    /// Redis 8 with its modules.
    pub(crate) const IMAGE: &str = "redis:8";

    pub(super) fn find() -> Option<Self> {
        ["docker", "podman"]
            .into_iter()
            .filter_map(path::program)
            .find(|program| answers(program) && has_image(program))
            .map(|program| Self { program })
    }
}

/// The engine answers in good time: one that hangs is as good as none.
fn answers(program: &Path) -> bool {
    let mut quiet = Command::new(program);
    quiet.arg("info").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = quiet.spawn() else { return false };
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => thread::sleep(Duration::from_millis(10)),
            Err(_) => break,
        }
    }
    // it may have ended meanwhile; either way it is of no use
    let _ = child.kill();
    let _ = child.wait();
    false
}

fn has_image(program: &Path) -> bool {
    let inspect = Step::new("looking for the image", program);
    if inspect.args(["image", "inspect", Engine::IMAGE]).run().is_ok() {
        return true;
    }
    say(&format!("pulling the image {} with {}", Engine::IMAGE, program.display()));
    let pulled = Step::new("pulling the image", program).args(["pull", Engine::IMAGE]).run();
    pulled.inspect_err(|error| say(&error.to_string())).is_ok()
}
