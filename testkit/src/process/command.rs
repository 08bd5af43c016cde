//! The command line of one server.

use std::{ffi::OsString, path::Path};

use crate::{
    locate::{Binary, Engine, Source},
    tls::Papers,
    unique,
};

/// What a server is to be, before it has a port and a folder.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) source: Source,
    pub(crate) modules: bool,
    /// Whether it watches over servers instead of being one.
    pub(crate) sentinel: bool,
    /// Words for the server's command line, after our own: the last setting of a name wins.
    pub(crate) arguments: Vec<String>,
    /// With these the server speaks TLS too.
    pub(crate) papers: Option<Papers>,
}

/// A command line, and the container that it makes.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) command: Vec<OsString>,
    pub(crate) container: Option<Container>,
}

#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) engine: OsString,
    pub(crate) name: String,
}

impl Plan {
    pub(crate) fn words(&self, folder: &Path, port: u16) -> Words {
        match &self.source {
            Source::Binary(binary) => self.local(binary, folder, port),
            Source::Engine(engine) => self.contained(engine, port),
        }
    }

    fn local(&self, binary: &Binary, folder: &Path, port: u16) -> Words {
        let mut command = binary.command();
        if self.sentinel {
            command.extend([folder.join(SENTINEL).into(), "--sentinel".into()]);
        }
        command.extend(["--port".into(), port.to_string().into()]);
        command.extend(["--bind", "127.0.0.1", "--daemonize", "no", "--dir"].map(OsString::from));
        command.extend([folder.into(), "--unixsocket".into(), folder.join(SOCKET).into()]);
        command.extend(["--logfile".into(), folder.join("redis.log").into()]);
        if !self.sentinel {
            command.extend(COMMON.map(OsString::from));
        }
        if self.modules {
            for module in &binary.modules {
                command.extend(["--loadmodule".into(), module.into()]);
            }
        }
        command.extend(self.arguments.iter().map(OsString::from));
        Words { command, container: None }
    }

    fn contained(&self, engine: &Engine, port: u16) -> Words {
        let name = unique::unique("alizarin-test");
        let publish = format!("127.0.0.1:{port}:6379");
        let mut command = vec![OsString::from(&engine.program)];
        command.extend(["run", "--rm", "--name", &name, "--publish", &publish].map(OsString::from));
        // the image's own entry point is what loads the modules
        let run: &[&str] = if self.modules {
            &[Engine::IMAGE, "redis-server"]
        } else {
            &["--entrypoint", "redis-server", Engine::IMAGE]
        };
        command.extend(run.iter().map(OsString::from));
        command.extend(["--port", "6379", "--protected-mode", "no"].map(OsString::from));
        command.extend(COMMON.map(OsString::from));
        command.extend(self.arguments.iter().map(OsString::from));
        let container = Container { engine: engine.program.clone().into(), name };
        Words { command, container: Some(container) }
    }
}

/// The name of a server's Unix socket in its folder.
pub(crate) const SOCKET: &str = "redis.sock";

/// The file that a sentinel writes down in what it learns.
pub(crate) const SENTINEL: &str = "sentinel.conf";

const COMMON: [&str; 10] = [
    "--save",
    "",
    "--appendonly",
    "no",
    "--loglevel",
    "warning",
    "--enable-debug-command",
    "yes",
    "--enable-module-command",
    "yes",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &Words) -> String {
        let command: Vec<_> = words.command.iter().map(|word| word.to_string_lossy()).collect();
        command.join(" ")
    }

    #[test]
    fn settings_of_the_caller_come_last() {
        let modules = vec!["/m/rejson.so".into()];
        let binary = Binary { server: "/b/redis-server".into(), loader: None, modules };
        let arguments = vec!["--maxmemory".to_owned(), "1mb".to_owned()];
        let source = Source::Binary(binary);
        let mut plan = Plan { source, modules: true, sentinel: false, arguments, papers: None };
        let line = text(&plan.words(Path::new("/run/alz"), 7001));
        assert!(line.starts_with("/b/redis-server --port 7001 "), "{line}");
        assert!(line.contains("--unixsocket /run/alz/redis.sock"), "{line}");
        assert!(line.ends_with("--loadmodule /m/rejson.so --maxmemory 1mb"), "{line}");
        plan.modules = false;
        assert!(!text(&plan.words(Path::new("/run/alz"), 7001)).contains("--loadmodule"));
    }

    #[test]
    fn a_container_publishes_its_port_here_only() {
        let source = Source::Engine(Engine { program: "podman".into() });
        let plan =
            Plan { source, modules: true, sentinel: false, arguments: Vec::new(), papers: None };
        let words = plan.words(Path::new("/run/alz"), 7001);
        let name = &words.container.as_ref().unwrap().name;
        let line = text(&words);
        let start = format!("podman run --rm --name {name} --publish 127.0.0.1:7001:6379 redis:8 ");
        assert!(line.starts_with(&start), "{line}");
    }
}
