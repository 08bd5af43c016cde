//! The folder that fetched servers are kept in: one for a whole workspace.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The folders to look for servers in; the first that can be written takes a new one.
///
/// Test binaries, examples and doctests of one workspace all come to the same first folder: a
/// doctest's program runs from a temporary folder, so its working folder must lead there too.
pub(super) fn folders() -> Vec<PathBuf> {
    let (program, working) = (env::current_exe().ok(), env::current_dir().ok());
    candidates(|name| env::var_os(name), program.as_deref(), working.as_deref())
}

fn candidates(
    variable: impl Fn(&str) -> Option<OsString>,
    program: Option<&Path>,
    working: Option<&Path>,
) -> Vec<PathBuf> {
    if let Some(folder) = variable("ALIZARIN_SERVERS").filter(|name| !name.is_empty()) {
        return vec![folder.into()];
    }
    let package = variable("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let named = variable("CARGO_TARGET_DIR").map(PathBuf::from);
    let mut targets: Vec<PathBuf> = [
        // a relative one is relative to where cargo was called, and that is not known here
        named.filter(|folder| folder.is_absolute()),
        package.as_deref().and_then(workspace_target),
        working.and_then(workspace_target),
        program.and_then(target_around),
        // not the temporary folder: there another user could leave us a program to run
        variable("HOME").map(|home| Path::new(&home).join(".cache")),
    ]
    .into_iter()
    .flatten()
    .map(|target| target.join("alizarin-servers"))
    .collect();
    targets.dedup();
    targets
}

/// The `target` of the workspace around `folder`: the nearest `Cargo.lock` marks it.
fn workspace_target(folder: &Path) -> Option<PathBuf> {
    let root = folder.ancestors().find(|folder| folder.join("Cargo.lock").is_file())?;
    Some(root.join("target"))
}

/// The target folder that a built program lies in: cargo tags it as a cache.
fn target_around(program: &Path) -> Option<PathBuf> {
    let tagged = |folder: &&Path| {
        folder.join("CACHEDIR.TAG").is_file() || folder.file_name().is_some_and(|n| n == "target")
    };
    program.ancestors().skip(1).find(tagged).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn the_override_is_alone() {
        let set = |name: &str| (name == "ALIZARIN_SERVERS").then(|| OsString::from("/servers"));
        assert_eq!(candidates(set, None, Some(&here())), [PathBuf::from("/servers")]);
    }

    #[test]
    fn a_test_and_a_doctest_agree() {
        let unset = |_: &str| None;
        let program = env::current_exe().unwrap();
        let test = candidates(unset, Some(&program), Some(&here()));
        let doctest = candidates(unset, Some(Path::new("/nowhere/rustdoctest/a")), Some(&here()));
        assert_eq!(test.first(), doctest.first());
        assert!(test.first().unwrap().ends_with("target/alizarin-servers"));
    }

    #[test]
    fn a_program_alone_finds_its_target() {
        let program = Path::new("/w/target/debug/deps/a-1");
        assert_eq!(target_around(program), Some(PathBuf::from("/w/target")));
        assert_eq!(target_around(Path::new("/usr/bin/a")), None);
    }
}
