//! Starting a server, or meeting the one that `REDIS_URL` names.

use super::{Owner, PATIENCE, Server, ServerBuilder, named};
use crate::{
    client::Client,
    error::Error,
    locate::Source,
    process::{Plan, Process},
    resp::Reply,
    unique,
};

impl Server {
    pub(super) fn start_with(builder: &ServerBuilder) -> Result<Self, Error> {
        let ServerBuilder { arguments, modules, password, private, sentinel, papers } = builder;
        let named = if *private { None } else { named::named()? };
        if let Some(endpoint) = named {
            let namespace = format!("{}:", unique::unique("alizarin-test"));
            return Self::greet(Owner::Other(endpoint), namespace);
        }
        let mut arguments = arguments.clone();
        if let Some(password) = password {
            arguments.extend(["--requirepass".to_owned(), password.clone()]);
        }
        let (source, modules, sentinel) = (Source::find()?, *modules, *sentinel);
        let plan = Plan { source, modules, sentinel, arguments, papers: papers.clone() };
        let process = Process::start(&plan, password.as_deref())?;
        Self::greet(Owner::Us(process), String::new())
    }

    /// Asks a server that answers what it is.
    fn greet(owner: Owner, namespace: String) -> Result<Self, Error> {
        let mut client = Client::connect(owner.endpoint(), PATIENCE)?;
        let facts = client.call(&["INFO", "server"])?.into_text();
        let version = facts
            .lines()
            .find_map(|line| line.strip_prefix("redis_version:"))
            .ok_or_else(|| Error::start("INFO names no redis_version", ""))?
            .trim()
            .parse()?;
        // a user without the right to ask sees no modules
        let modules = client.call(&["MODULE", "LIST"]).map(Reply::into_list).unwrap_or_default();
        let modules = modules.into_iter().filter_map(|module| {
            // ["name", NAME, "ver", VERSION, ...]
            Some(everyday_name(&module.into_list().into_iter().nth(1)?.into_text()))
        });
        Ok(Self { namespace, version, modules: modules.collect(), owner })
    }
}

/// A module's name as we compare it: its everyday name, in lower case.
pub(super) fn everyday_name(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "rejson" => "json".to_owned(),
        "bf" => "bloom".to_owned(),
        other => other.to_owned(),
    }
}
