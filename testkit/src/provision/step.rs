//! One step of fetching: a program that runs, or says why not.

use std::{
    ffi::OsStr,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    error::{Error, Kind},
    process::last_lines,
};

/// One run of another program, its output captured.
#[derive(Debug)]
pub(crate) struct Step {
    name: &'static str,
    command: Command,
}

impl Step {
    pub(crate) fn new(name: &'static str, program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
        Self { name, command }
    }

    pub(crate) fn args<W: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.command.args(words);
        self
    }

    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it and gives what it printed.
    pub(crate) fn run(mut self) -> Result<String, Error> {
        let output = match self.command.output() {
            Ok(output) => output,
            Err(error) => return Err(self.failure(&format!("cannot run: {error}"), "")),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        let said = text(&output.stdout) + &text(&output.stderr);
        Err(self.failure(&format!("ended with {}", output.status), &said))
    }

    fn failure(&self, reason: &str, output: &str) -> Error {
        let words: Vec<_> = std::iter::once(self.command.get_program())
            .chain(self.command.get_args())
            .map(OsStr::to_string_lossy)
            .collect();
        Kind::Step {
            step: self.name,
            command: without_logins(&words.join(" ")),
            reason: reason.to_owned(),
            output: without_logins(&last_lines(output, 8)),
        }
        .into()
    }
}

/// Says what goes on, past the test harness's capture.
pub(crate) fn say(what: &str) {
    // standard error may be closed, and that is no reason to fail
    let _ = writeln!(std::io::stderr(), "alizarin-testkit: {what}");
}

/// The text with every `//user:password@` shortened to `//`.
fn without_logins(text: &str) -> String {
    let mut parts = text.split("//");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(part.len());
        let (place, rest) = part.split_at(end);
        let place = place.rsplit_once('@').map_or(place, |(_, host)| host);
        clean.extend(["//", place, rest]);
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_step_and_its_output() {
        let step = Step::new("failing", "sh").args(["-c", "echo no network >&2; exit 3"]);
        let error = step.run().unwrap_err();
        let text = error.to_string();
        assert!(text.contains("failing failed: `sh -c"), "{text}");
        assert!(text.contains("\nno network\n"), "{text}");
        assert!(error.is_unavailable());
    }

    #[test]
    fn names_a_missing_program() {
        let text = Step::new("trying", "no-such-program").run().unwrap_err().to_string();
        assert!(text.contains("`no-such-program` cannot run"), "{text}");
    }

    #[test]
    fn hides_logins() {
        let text = "GET https://ann:secret@example.org/a@b and //x";
        assert_eq!(without_logins(text), "GET https://example.org/a@b and //x");
    }
}
