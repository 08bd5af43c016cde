//! The server and the libraries it needs, out of Debian's packages, without installing any.
//!
//! `apt-get` runs with a private configuration, lists and cache, so it needs no rights and changes
//! nothing on the system. Signatures stay verified.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::step::Step;
use crate::error::Error;

/// Downloads the server of `suite` and unpacks it, with its libraries, into the folder `root`.
pub(super) fn fetch(address: &str, suite: &str, work: &Path, root: &Path) -> Result<(), Error> {
    let private = Private::prepare(address, suite, work)?;
    private.apt("reading Debian's package lists").args(["update", "--quiet"]).run()?;
    private
        .apt("downloading the server's packages")
        .args(["download".to_owned(), format!("{SERVER}/{suite}")])
        .args(LIBRARIES.map(|library| format!("{library}/{STABLE}")))
        .folder(&private.packages)
        .run()?;
    let packages = fs::read_dir(&private.packages)
        .map_err(|error| super::failed("reading", &private.packages, error))?;
    for package in packages.filter_map(|entry| Some(entry.ok()?.path())) {
        Step::new("unpacking a package", "dpkg")
            .args(["--extract".as_ref(), package.as_os_str(), root.as_os_str()])
            .run()?;
    }
    Ok(())
}

/// A configuration of apt of our own.
struct Private {
    config: PathBuf,
    packages: PathBuf,
}

impl Private {
    fn prepare(address: &str, suite: &str, work: &Path) -> Result<Self, Error> {
        let home = work.join(format!("apt-{suite}"));
        let packages = home.join("packages");
        for folder in ["lists/partial", "cache/archives/partial", "state", "packages"] {
            let folder = home.join(folder);
            fs::create_dir_all(&folder).map_err(|error| super::failed("making", &folder, error))?;
        }
        let options = match KEYRINGS.iter().find(|keyring| Path::new(keyring).is_file()) {
            Some(keyring) => format!("arch=amd64 lang=none target=Packages signed-by={keyring}"),
            None => "arch=amd64 lang=none target=Packages".to_owned(),
        };
        let mut suites = vec![suite, STABLE];
        suites.dedup();
        let sources: String = suites
            .iter()
            .map(|suite| format!("deb [{options}] {address} {suite} main\n"))
            .collect();
        let place = home.display();
        let config = format!(
            r#"Dir::State "{place}/state";
Dir::State::Lists "{place}/lists";
Dir::State::Status "/var/lib/dpkg/status";
Dir::Cache "{place}/cache";
Dir::Etc::SourceList "{place}/sources.list";
Dir::Etc::SourceParts "/dev/null";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Retries "1";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
"#
        );
        let private = Self { config: home.join("apt.conf"), packages };
        for (file, text) in [(home.join("sources.list"), sources), (private.config.clone(), config)]
        {
            fs::write(&file, text).map_err(|error| super::failed("writing", &file, error))?;
        }
        Ok(private)
    }

    fn apt(&self, step: &'static str) -> Step {
        Step::new(step, "apt-get").variable("APT_CONFIG", &self.config)
    }
}

/// The address of Debian's packages, as this machine's own sources have it.
pub(super) fn address() -> Result<String, Error> {
    let targets = |options: &[&str]| {
        Step::new("reading this machine's package sources", "apt-get")
            .args(["indextargets", "--format", "$(REPO_URI) $(RELEASE) $(ORIGIN)"])
            .args(options)
            .args(["Created-By: Packages"])
            .run()
    };
    if let Some(address) = main_archive(&targets(&[])?) {
        return Ok(address);
    }
    // a fresh machine has no lists yet, and then apt knows the origin of none of its sources
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let unknown = targets(&["--no-release-info"])?.replace("$(ORIGIN)", "Debian");
    main_archive(&unknown)
        .filter(|_| system.lines().any(|line| line == "ID=debian"))
        .ok_or_else(|| Error::unavailable("this machine's package sources are not Debian's"))
}

/// The first of Debian's addresses that is not for updates (`NAME-security`, `NAME-updates`).
fn main_archive(targets: &str) -> Option<String> {
    targets.lines().find_map(|line| match *line.split(' ').collect::<Vec<_>>() {
        [address, release, "Debian"] if !release.contains('-') => Some(address.to_owned()),
        _ => None,
    })
}

/// The package with every Redis program in it.
const SERVER: &str = "redis-tools";

/// What the server and the modules link to.
const LIBRARIES: [&str; 11] = [
    "libatomic1",
    "libc6",
    "libcap2",
    "libgcc-s1",
    "libjemalloc2",
    "liblzf1",
    "libssl3t64",
    "libstdc++6",
    "libsystemd0",
    "libzstd1",
    "zlib1g",
];

/// The suite that the libraries come from.
const STABLE: &str = "trixie";

/// Debian's keys, where its package of keys has them; apt's own trusted keys are the other choice.
const KEYRINGS: [&str; 2] = [
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_the_main_archive() {
        let targets = "http://a/security/ bookworm-security Debian\n\
                       http://b/docker/ bookworm Docker\n\
                       http://c/debian/ bookworm-updates Debian\n\
                       http://d/debian/ bookworm Debian\n";
        assert_eq!(main_archive(targets).as_deref(), Some("http://d/debian/"));
        assert_eq!(main_archive("http://u/ubuntu/ noble Ubuntu\n"), None);
    }
}
