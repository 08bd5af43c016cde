//! A `redis-server` program and the modules it loads.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::version::Version;

/// A `redis-server` program and the modules it loads.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    pub(crate) server: PathBuf,
    /// `Some` when the program needs other system libraries than this machine's.
    pub(crate) loader: Option<Loader>,
    /// In the order to load them in.
    pub(crate) modules: Vec<PathBuf>,
}

/// A dynamic loader and its folder of libraries.
#[derive(Debug, Clone)]
pub(crate) struct Loader {
    pub(crate) program: PathBuf,
    pub(crate) libraries: PathBuf,
}

impl Binary {
    /// The words that start it; with `--sentinel` after them it is a Sentinel.
    pub(crate) fn command(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        if let Some(Loader { program, libraries }) = &self.loader {
            // one file is every Redis program; the name it is called by says which
            words.extend([program.into(), "--library-path".into(), libraries.into()]);
            words.extend(["--argv0", "redis-server"].map(OsString::from));
        }
        words.push(self.server.clone().into());
        words
    }

    /// Runs it to ask for its version; `None` when it does not run here.
    pub(crate) fn version(&self) -> Option<Version> {
        let words = self.command();
        let (program, rest) = words.split_first()?;
        let output =
            Command::new(program).args(rest).arg("--version").stdin(Stdio::null()).output().ok()?;
        parse_version(&String::from_utf8_lossy(&output.stdout))
    }
}

/// The files of [`MODULES`] in `folder`, when all are there.
pub(super) fn modules_in(folder: &Path) -> Option<Vec<PathBuf>> {
    let files: Vec<PathBuf> = MODULES.iter().map(|name| folder.join(name)).collect();
    files.iter().all(|file| file.is_file()).then_some(files)
}

/// `Redis server v=8.6.3 sha=00000000:1 malloc=jemalloc-5.3.0 bits=64 build=...`
fn parse_version(text: &str) -> Option<Version> {
    text.split_whitespace().find_map(|word| word.strip_prefix("v=")?.parse().ok())
}

/// The module files, in the order to load them in: Search uses JSON's interface.
pub(crate) const MODULES: [&str; 4] =
    ["rejson.so", "redisearch.so", "redistimeseries.so", "redisbloom.so"];

/// The oldest server that will do.
pub(crate) const OLDEST: Version = Version::new(8, 0, 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version() {
        let text = "Redis server v=8.6.3 sha=00000000:1 malloc=jemalloc-5.3.0 bits=64 build=e9\n";
        assert_eq!(parse_version(text), Some(Version::new(8, 6, 3)));
        assert_eq!(parse_version("sh: not found"), None);
    }
}
