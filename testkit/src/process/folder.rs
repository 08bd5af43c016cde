//! The folder a server runs in: its Unix socket, its log, its dumps.

use std::{
    env, fs,
    io::ErrorKind,
    os::unix::{ffi::OsStrExt, fs::DirBuilderExt},
    path::{Path, PathBuf},
};

use crate::{error::Error, unique};

/// Makes an empty private folder whose path is short enough for a Unix socket in it.
pub(crate) fn create() -> Result<PathBuf, Error> {
    let mut parent = env::temp_dir();
    if parent.as_os_str().as_bytes().len() > LONGEST {
        parent = PathBuf::from("/tmp");
    }
    loop {
        let folder = parent.join(format!("alz-{}", unique::token(10)));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::file(format!("making {}", folder.display()), error)),
        }
    }
}

/// The last lines of what the server said.
pub(crate) fn log(folder: &Path) -> String {
    let said: String = ["redis.log", "output"]
        .iter()
        .filter_map(|name| fs::read(folder.join(name)).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    last_lines(&said, 12)
}

/// The last `count` lines that are not blank.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.iter().skip(lines.len().saturating_sub(count)).copied().collect::<Vec<_>>().join("\n")
}

/// A socket's path may have 107 bytes (103 on macOS); this leaves room for our names.
const LONGEST: usize = 70;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_private_and_short() {
        use std::os::unix::fs::PermissionsExt;

        let folder = create().unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(folder.join("redis.sock").as_os_str().len() <= 100);
        fs::remove_dir(folder).unwrap();
    }

    #[test]
    fn keeps_the_end() {
        assert_eq!(last_lines("a\n\nb\nc\n", 2), "b\nc");
    }
}
