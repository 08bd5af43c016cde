//! A Redis process of our own: its folder, its port, its watchdog.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::{
    endpoint::{Address, Endpoint},
    error::Error,
    tls,
};

mod command;
mod folder;
mod port;
mod ready;
mod watchdog;

pub(crate) use command::Plan;
use command::Words;
pub(crate) use folder::last_lines;
use watchdog::Watchdog;

/// A Redis process of our own; dropping it ends the process and removes its folder.
#[derive(Debug)]
pub(crate) struct Process {
    watchdog: Watchdog,
    folder: PathBuf,
    /// `None` for a container: its socket would be in another file system.
    socket: Option<PathBuf>,
    endpoint: Endpoint,
    tls_port: Option<u16>,
}

impl Process {
    /// Starts a server and waits until it answers.
    pub(crate) fn start(plan: &Plan, password: Option<&str>) -> Result<Self, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::start_once(plan, password) {
                Err(error) if error.is_port_taken() && tries < 10 => {}
                other => return other,
            }
        }
    }

    pub(crate) fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// Its TCP address.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Where it speaks TLS.
    pub(crate) fn tls_port(&self) -> Option<u16> {
        self.tls_port
    }

    /// The certificates that it was given.
    pub(crate) fn tls_folder(&self) -> Option<PathBuf> {
        self.tls_port.map(|_| tls::folder(&self.folder))
    }

    /// Kills the server; its port, folder and files stay.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        self.watchdog.stop()
    }

    /// Kills the server if it runs, and starts it again where it was.
    pub(crate) fn restart(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            self.stop()?;
            for stale in ["redis.log", "output"] {
                // they may not be there; what the server says now must not mix with its past
                let _ = fs::remove_file(self.folder.join(stale));
            }
            match self.run() {
                // somebody has our port for a moment
                Err(error) if error.is_port_taken() && Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(50));
                }
                other => return other,
            }
        }
    }

    pub(crate) fn pause(&mut self) -> Result<(), Error> {
        self.watchdog.pause()
    }

    pub(crate) fn resume(&mut self) -> Result<(), Error> {
        self.watchdog.resume()
    }

    fn start_once(plan: &Plan, password: Option<&str>) -> Result<Self, Error> {
        let port = port::free()?;
        let tls_port = plan.papers.as_ref().map(|_| port::free()).transpose()?;
        let folder = folder::create()?;
        let (watchdog, words) = Self::prepare(plan, &folder, port, tls_port).inspect_err(|_| {
            let _ = fs::remove_dir_all(&folder);
        })?;
        let socket = words.container.is_none().then(|| folder.join(command::SOCKET));
        let address = Address::Tcp { host: "127.0.0.1".to_owned(), port };
        let endpoint = Endpoint::new(address, password.map(str::to_owned));
        let mut process = Self { watchdog, folder, socket, endpoint, tls_port };
        process.run()?;
        Ok(process)
    }

    fn prepare(
        plan: &Plan,
        folder: &Path,
        port: u16,
        tls_port: Option<u16>,
    ) -> Result<(Watchdog, Words), Error> {
        if plan.sentinel {
            fs::write(folder.join(command::SENTINEL), "")
                .map_err(|error| Error::start(format!("its folder: {error}"), ""))?;
        }
        let mut words = plan.words(folder, port);
        if let (Some(papers), Some(port)) = (&plan.papers, tls_port) {
            if words.container.is_some() {
                return Err(Error::unavailable("a server in a container gets no certificates"));
            }
            words.command.extend(papers.place(folder, port)?);
        }
        Ok((Watchdog::spawn(folder, &words)?, words))
    }

    fn run(&mut self) -> Result<(), Error> {
        let pid = self.watchdog.start()?;
        let mut endpoint = self.endpoint.clone();
        if let Some(socket) = &self.socket {
            // the socket is ours for certain; a redis that cannot have its TCP port never opens it
            endpoint.address = Address::Unix(socket.clone());
        }
        ready::wait(&endpoint, pid, &self.folder)
    }
}
