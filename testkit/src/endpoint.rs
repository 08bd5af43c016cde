//! Where a server listens and how to log in to it: a parsed `redis://` URL.

use std::{fmt, path::PathBuf};

use crate::error::{Error, Kind};

/// Where a server listens, and the login it wants.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) address: Address,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

impl Endpoint {
    pub(crate) fn new(address: Address, password: Option<String>) -> Self {
        Self { address, user: None, password, database: None }
    }

    /// Parses `redis://[[user]:password@]host[:port][/database]` or `redis+unix:///path`.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let fail = |reason: &str| Error::from(Kind::Url(reason.to_owned()));
        let (scheme, rest) = url.split_once("://").ok_or_else(|| fail("it has no `scheme://`"))?;
        let rest = rest.split(['?', '#']).next().unwrap_or(rest);
        let (login, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let mut endpoint = Self {
            address: Address::Unix(PathBuf::from(decode(place))),
            user: Some(decode(user)).filter(|user| !user.is_empty()),
            password: Some(decode(password)).filter(|password| !password.is_empty()),
            database: None,
        };
        match scheme {
            "redis+unix" | "unix" => Ok(endpoint),
            "redis" => {
                let (place, database) = place.split_once('/').unwrap_or((place, ""));
                endpoint.address = tcp(place).ok_or_else(|| fail("its port is not a number"))?;
                if !database.is_empty() {
                    let number = database.parse();
                    endpoint.database = Some(number.map_err(|_| fail("its database is none"))?);
                }
                Ok(endpoint)
            }
            "rediss" => Err(fail("the testkit itself speaks no TLS; give it a `redis://` URL")),
            _ => Err(fail("its scheme is none of redis, redis+unix, unix")),
        }
    }

    /// The URL a client connects to, login included.
    pub(crate) fn url(&self) -> String {
        let login = match (&self.user, &self.password) {
            (None, None) => String::new(),
            (user, password) => {
                let [user, password] =
                    [user, password].map(|part| encode(part.as_deref().unwrap_or_default()));
                format!("{user}:{password}@")
            }
        };
        match &self.address {
            Address::Tcp { host, port } => {
                let database = self.database.map(|number| format!("/{number}")).unwrap_or_default();
                format!("redis://{login}{host}:{port}{database}")
            }
            Address::Unix(path) => format!("redis+unix://{login}{}", path.display()),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, user, password: _, database } = self;
        f.debug_struct("Endpoint")
            .field("address", address)
            .field("user", user)
            .field("database", database)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// `host`, `host:port` or `[v6]:port`; the host keeps its brackets.
fn tcp(place: &str) -> Option<Address> {
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (place, 6379),
    };
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    Some(Address::Tcp { host: host.to_owned(), port })
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = tail.get(..2).filter(|_| first == b'%');
        let byte = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_it_prints() {
        for url in [
            "redis://127.0.0.1:7001",
            "redis://:se%40cret@localhost:6379/3",
            "redis://ann:x%3Ay@[::1]:7001",
            "redis+unix:///run/redis.sock",
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().url(), url);
        }
    }

    #[test]
    fn fills_in_the_port() {
        let endpoint = Endpoint::parse("redis://cache").unwrap();
        assert_eq!(endpoint.address, Address::Tcp { host: "cache".into(), port: 6379 });
    }

    #[test]
    fn refuses_what_it_cannot_use() {
        for url in ["localhost:6379", "rediss://x", "http://x", "redis://x:y", "redis://x/y"] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn debug_hides_the_password() {
        let endpoint = Endpoint::parse("redis://:hunter2@localhost").unwrap();
        assert!(!format!("{endpoint:?}").contains("hunter2"));
    }
}
