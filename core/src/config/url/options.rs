//! What comes behind the question mark of a URL: options, named as the methods of [`Config`] are.

use std::time::Duration;

use super::{decode, usage};
use crate::config::tls::TlsOptions;
use crate::config::{Config, Protocol, ReadFrom};
use crate::error::Result;
use crate::secret::Secret;

/// Sets every option; with `tls` those of encryption too.
///
/// # Errors
/// `Usage`, with the option's name.
pub(super) fn options(mut config: Config, query: &str, tls: bool) -> Result<Config> {
    let mut encryption = TlsOptions::default();
    for option in query.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match name {
            "protocol" => {
                config.protocol = match value {
                    "2" | "resp2" => Protocol::Resp2,
                    "3" | "resp3" => Protocol::Resp3,
                    _ => return Err(usage("option `protocol` is 2 or 3")),
                };
            }
            "client_name" => config.client_name = Some(decode(value, "option `client_name`")?),
            "connect_timeout" => config.connect_timeout = duration(value, name)?,
            "connections" => config = config.connections(count(value, name)?),
            "db" => config.database = number(value, "option `db`")?,
            "heartbeat" => config.heartbeat = duration_or_off(value, name)?,
            "keepalive" => config.tcp.keepalive = duration_or_off(value, name)?,
            "keepalive_count" => {
                config.tcp.keepalive_count = match number(value, "option `keepalive_count`")? {
                    0 => return Err(usage("option `keepalive_count` is 1 or more")),
                    count => count,
                };
            }
            "keepalive_interval" => config.tcp.keepalive_interval = duration(value, name)?,
            "nodelay" => config.tcp.nodelay = switch(value, name)?,
            "pool_check_after" => config.pool.check_after = duration(value, name)?,
            "pool_idle_timeout" => config.pool.idle_timeout = duration_or_off(value, name)?,
            "pool_lifetime" => config.pool.lifetime = duration_or_off(value, name)?,
            "pool_max" => config.pool.max = count(value, name)?,
            "pool_min_idle" => {
                config.pool.min_idle = number(value, "option `pool_min_idle`")? as usize;
            }
            "pool_wait" => config.pool.wait = duration(value, name)?,
            "password" => config.password = Some(Secret::new(decode(value, "option `password`")?)),
            "maintenance" => config.maintenance = switch(value, name)?,
            "max_in_flight" => config.max_in_flight = count(value, name)?,
            "max_pending_bytes" => config.max_pending_bytes = count(value, name)?,
            "max_redirects" => {
                config.max_redirects = number(value, "option `max_redirects`")?;
            }
            "read_from" => config.read_from = read_from(value)?,
            "relaxed_timeout" => config.relaxed_timeout = duration(value, name)?,
            "retries" => config.retries = number(value, "option `retries`")?,
            "fail_fast" => config.fail_fast = switch(value, name)?,
            "response_timeout" => config.response_timeout = duration(value, name)?,
            "topology_interval" => config = config.topology_interval(duration(value, name)?),
            "total_timeout" => config.total_timeout = duration(value, name)?,
            "user_timeout" => config.tcp.user_timeout = duration_or_off(value, name)?,
            name if name.starts_with("tls_") => {
                encryption.take(name, decode(value, &format!("option `{name}`"))?)?;
            }
            "user" => config.user = Some(decode(value, "option `user`")?),
            _ => return Err(usage(format!("unknown option `{name}` in the URL"))),
        }
    }
    config.tls = encryption.finish(tls)?;
    config.pool.check()?;
    if config.user.is_some() && config.password.is_none() {
        return Err(usage(
            "the URL has a user without a password; redis://:password@host logs in the default user",
        ));
    }
    Ok(config)
}

pub(super) fn number(text: &str, what: &str) -> Result<u32> {
    text.parse().map_err(|_| usage(format!("{what} is no number: {text:?}")))
}

fn count(text: &str, name: &str) -> Result<usize> {
    match text.parse() {
        Ok(0) | Err(_) => Err(usage(format!("option `{name}` is a number from 1: {text:?}"))),
        Ok(count) => Ok(count),
    }
}

fn read_from(text: &str) -> Result<ReadFrom> {
    Ok(match text {
        "primary" => ReadFrom::Primary,
        "replica" => ReadFrom::Replica,
        "random" => ReadFrom::Random,
        "any" => ReadFrom::Any,
        "nearest" => ReadFrom::Nearest,
        _ => match text.strip_prefix("zone:") {
            Some(zone) if !zone.is_empty() => ReadFrom::Zone(decode(zone, "option `read_from`")?),
            _ => {
                let text =
                    "option `read_from` is primary, replica, random, any, nearest or zone:name";
                return Err(usage(text));
            }
        },
    })
}

fn switch(text: &str, name: &str) -> Result<bool> {
    match text {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(usage(format!("option `{name}` is true or false: {text:?}"))),
    }
}

/// `250ms`, `5s`, `2m`; a bare number is seconds.
fn duration(text: &str, name: &str) -> Result<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let millis = digits.parse::<u64>().ok().and_then(|n| match unit {
        "ms" => Some(n),
        "" | "s" => n.checked_mul(1_000),
        "m" => n.checked_mul(60_000),
        _ => None,
    });
    match millis {
        Some(millis) if millis > 0 => Ok(Duration::from_millis(millis)),
        _ => Err(usage(format!("option `{name}` is no time like 250ms, 5s or 2m: {text:?}"))),
    }
}

/// As [`duration`], or `off`.
fn duration_or_off(text: &str, name: &str) -> Result<Option<Duration>> {
    match text {
        "off" => Ok(None),
        _ => duration(text, name).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Config> {
        options(Config::new(), query, false)
    }

    /// An option of each name, and how the configuration then shows itself.
    const READ: &[(&str, &str)] = &[
        ("client_name=a%20b", "client_name: Some(\"a b\")"),
        ("connect_timeout=2", "connect_timeout: 2s"),
        ("connections=4", "connections: 4"),
        ("db=3", "database: 3"),
        ("fail_fast=true", "fail_fast: true"),
        ("heartbeat=off", "heartbeat: None"),
        ("keepalive=1m", "keepalive: Some(60s)"),
        ("keepalive_count=9", "keepalive_count: 9"),
        ("keepalive_interval=2", "keepalive_interval: 2s"),
        ("maintenance=false", "maintenance: false"),
        ("max_in_flight=7", "max_in_flight: 7"),
        ("max_pending_bytes=8", "max_pending_bytes: 8"),
        ("max_redirects=9", "max_redirects: 9"),
        ("nodelay=no", "nodelay: false"),
        ("password=x", "password: Some(<secret>)"),
        ("pool_check_after=7s", "check_after: 7s"),
        ("pool_idle_timeout=off", "idle_timeout: None"),
        ("pool_lifetime=7m", "lifetime: Some(420s)"),
        ("pool_max=7", "max: 7"),
        ("pool_min_idle=2", "min_idle: 2"),
        ("pool_wait=7s", "wait: 7s"),
        ("protocol=2", "protocol: Resp2"),
        ("read_from=any", "read_from: Any"),
        ("read_from=nearest", "read_from: Nearest"),
        ("read_from=random", "read_from: Random"),
        ("read_from=replica", "read_from: Replica"),
        ("read_from=zone:eu%2Da", "read_from: Zone(\"eu-a\")"),
        ("relaxed_timeout=3s", "relaxed_timeout: 3s"),
        ("response_timeout=250ms", "response_timeout: 250ms"),
        ("retries=4", "retries: 4"),
        ("topology_interval=7s", "topology_interval: 7s"),
        ("total_timeout=6s", "total_timeout: 6s"),
        ("user=app&password=x", "user: Some(\"app\")"),
        ("user_timeout=off", "user_timeout: None"),
    ];

    #[test]
    fn every_option_is_read() {
        for (option, shown) in READ {
            let config = read(option).unwrap();
            let text = format!("{config:?}");
            assert!(text.contains(shown), "{option}: {text}");
            assert_ne!(text, format!("{:?}", Config::new()), "{option} is what it is without");
            let name = option.split('=').next().unwrap();
            let docs = concat!(include_str!("../mod.rs"), include_str!("../pool.rs"));
            assert!(docs.contains(&format!("`{name}`")), "{name}: no docs");
        }
    }

    #[test]
    fn no_option_is_missing_above() {
        let arms = include_str!("options.rs").split("unknown option").next().unwrap();
        let name = |line: &'static str| {
            let (name, _) = line.trim().strip_prefix('"')?.split_once("\" =>")?;
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_').then_some(name)
        };
        let names: Vec<&str> = arms.lines().filter_map(name).collect();
        assert!(names.len() >= 30, "{names:?}");
        for name in names {
            let is_read = |(option, _): &(&str, &str)| {
                option.split('&').any(|option| option.split('=').next() == Some(name))
            };
            assert!(READ.iter().any(is_read), "`{name}`");
        }
    }

    #[test]
    fn mistakes_name_their_option() {
        for option in [
            "connect_timeout=0",
            "connections=0",
            "db=x",
            "fail_fast=maybe",
            "heartbeat=never",
            "keepalive=x",
            "keepalive_count=0",
            "keepalive_interval=off",
            "maintenance=2",
            "max_in_flight=0",
            "max_pending_bytes=x",
            "max_redirects=-1",
            "nodelay=maybe",
            "nope=1",
            "password=%zz",
            "pool_check_after=x",
            "pool_idle_timeout=x",
            "pool_lifetime=0s",
            "pool_max=0",
            "pool_max=many",
            "pool_min_idle=99&pool_max=2",
            "pool_wait=off",
            "protocol=4",
            "read_from=zone:",
            "read_from=others",
            "relaxed_timeout=off",
            "response_timeout=fast",
            "retries=x",
            "topology_interval=x",
            "total_timeout=off",
            "user_timeout=1h",
        ] {
            let error = read(option).unwrap_err();
            let name = option.split('=').next().unwrap();
            assert!(error.to_string().contains(&format!("`{name}`")), "{option}: {error}");
        }
    }
}
