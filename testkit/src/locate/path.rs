//! Programs on the `PATH`.

use std::{env, path::PathBuf};

use super::binary::{Binary, OLDEST, modules_in};

/// A `redis-server` on the `PATH` that is new enough and has its modules installed beside it.
pub(super) fn find() -> Option<Binary> {
    let server = program("redis-server")?;
    let real = server.canonicalize().unwrap_or_else(|_| server.clone());
    let modules = [&server, &real]
        .into_iter()
        .filter_map(|file| file.parent()?.parent())
        .find_map(|prefix| modules_in(&prefix.join("lib/redis/modules")))?;
    let binary = Binary { server, loader: None, modules };
    binary.version().filter(|version| *version >= OLDEST)?;
    Some(binary)
}

/// The first file called `name` in the folders of `PATH`.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
