//! URLs: `redis://[user[:password]@]host[:port][/database]?option=value&…`; `rediss://` for TLS.

mod options;

use options::{number, options};

use super::{Config, Endpoint};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// Reads a URL. No message repeats the URL, which may hold a password.
pub(super) fn parse(url: &str) -> Result<Config> {
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| usage("a URL begins with its scheme, as in redis://localhost:6379"))?;
    match scheme {
        "redis" => tcp(rest, false),
        "rediss" if cfg!(feature = "tls") => tcp(rest, true),
        "rediss" => Err(unsupported("rediss:// needs the feature `tls` of this crate")),
        "redis+unix" | "unix" => unix(rest),
        "redis+cluster" => cluster(rest, false),
        "rediss+cluster" if cfg!(feature = "tls") => cluster(rest, true),
        "rediss+cluster" => {
            Err(unsupported("rediss+cluster:// needs the feature `tls` of this crate"))
        }
        "redis+sentinel" => sentinel(rest, false),
        "rediss+sentinel" if cfg!(feature = "tls") => sentinel(rest, true),
        "rediss+sentinel" => {
            Err(unsupported("rediss+sentinel:// needs the feature `tls` of this crate"))
        }
        _ => Err(usage(
            "unknown scheme in the URL; there are redis, rediss, redis+cluster, rediss+cluster, \
             redis+sentinel, rediss+sentinel, redis+unix and unix",
        )),
    }
}

/// `[user[:password]@]host[:port],host[:port],…/name[/database][?option=value&…]`
fn sentinel(rest: &str, tls: bool) -> Result<Config> {
    let (login, hosts, path) = hosts(rest)?;
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut parts = path.trim_matches('/').splitn(2, '/');
    let name = decode(parts.next().unwrap_or_default(), "the primary's name")?;
    if name.is_empty() {
        return Err(usage("after the sentinels comes the primary's name, as in /mymaster"));
    }
    let database = parts.next().unwrap_or_default();
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for option in query.split('&').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some(("sentinel_user" | "sentinel_password" | "min_other_sentinels", _)) => {
                own.push(option);
            }
            _ => others.push(option),
        }
    }
    let hosts: Vec<(String, u16)> =
        hosts.into_iter().map(|(host, port)| (host, port.unwrap_or(26_379))).collect();
    let all = format!("{login}127.0.0.1/{database}?{}", others.join("&"));
    let mut config = tcp(&all, tls)?.sentinels(hosts, name);
    let Endpoint::Sentinel(sentinels) = &mut config.endpoint else { return Ok(config) };
    for option in own {
        match option.split_once('=') {
            Some(("sentinel_user", value)) => {
                sentinels.user = Some(decode(value, "option `sentinel_user`")?);
            }
            Some(("sentinel_password", value)) => {
                let password = decode(value, "option `sentinel_password`")?;
                sentinels.password = Some(Secret::new(password));
            }
            Some((_, value)) => {
                sentinels.others = number(value, "option `min_other_sentinels`")?;
            }
            None => {}
        }
    }
    Ok(config)
}

/// A login with its `@`, hosts with their ports, and what comes after them.
type Hosts<'u> = (&'u str, Vec<(String, Option<u16>)>, &'u str);

fn hosts(rest: &str) -> Result<Hosts<'_>> {
    let start = rest.rfind('@').map_or(0, |at| at + 1);
    let end = rest.get(start..).and_then(|rest| rest.find(['/', '?']));
    let end = end.map_or(rest.len(), |at| start + at);
    let (before, after) = rest.split_at(end);
    let (login, hosts) = before.split_at(start);
    let hosts = hosts.split(',').map(host_and_port).collect::<Result<_>>()?;
    Ok((login, hosts, after))
}

/// `[user[:password]@]host[:port],host[:port],…[?option=value&…]`
fn cluster(rest: &str, tls: bool) -> Result<Config> {
    let (login, hosts, path) = hosts(rest)?;
    let nodes = hosts.into_iter().map(|(host, port)| (host, port.unwrap_or(6_379)));
    // All but the hosts is as for one server.
    Ok(tcp(&format!("{login}127.0.0.1{path}"), tls)?.cluster(nodes))
}

fn tcp(rest: &str, tls: bool) -> Result<Config> {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    // The last `@`: passwords written without percent-encoding may hold one.
    let (login, host_port) = match authority.rsplit_once('@') {
        Some((login, host_port)) => (Some(login), host_port),
        None => (None, authority),
    };
    let (host, port) = host_and_port(host_port)?;
    let port = port.unwrap_or(6_379);
    let mut config = Config::new();
    config.endpoint = Endpoint::Tcp { host, port };
    if let Some(login) = login {
        set_login(&mut config, login)?;
    }
    let path = path.trim_end_matches('/');
    let database = match path {
        "" => Ok(0),
        path => number(path, "the database in the URL's path"),
    };
    let read = database.and_then(|database| options(config.database(database), query, tls));
    match read {
        // What seems to be the path or an option may be the rest of a password.
        Err(_) if path.contains('@') || query.contains('@') => Err(usage(
            "what follows the host in the URL cannot be read; in a password, / is written %2F, ? is \
             written %3F, @ is written %40",
        )),
        read => read,
    }
}

fn unix(rest: &str) -> Result<Config> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut config = Config::new();
    // Before the first / there is nothing, or a login.
    let slash = path.find('/').unwrap_or(path.len());
    let (before, after) = path.split_at(slash);
    let path = match before.strip_suffix('@') {
        Some(login) => {
            set_login(&mut config, login)?;
            after
        }
        None => path,
    };
    if path.is_empty() {
        return Err(usage("the URL of a Unix socket needs its path, as in unix:///run/redis.sock"));
    }
    if path.starts_with(':') {
        return Err(usage("a login in the URL of a Unix socket ends in @, then comes the path"));
    }
    config.endpoint = Endpoint::Unix(decode(path, "the socket's path")?.into());
    options(config, query, false)
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>)> {
    if text.contains('#') {
        return Err(usage("the URL of a server has no part that begins with #"));
    }
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest
            .split_once(']')
            .ok_or_else(|| usage("an IPv6 host in a URL stands between [ and ]"))?;
        match after {
            "" => (host, None),
            _ => match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None => return Err(usage("after the ] of an IPv6 host comes :port or nothing")),
            },
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let host = if host.is_empty() { "127.0.0.1".to_owned() } else { decode(host, "the host")? };
    match port {
        None | Some("") => Ok((host, None)),
        Some(port) => match port.parse() {
            Ok(port) if port != 0 => Ok((host, Some(port))),
            // The text is not repeated: a stray `@` can make a part of the password the port.
            _ => Err(usage("the port in the URL is no number from 1 to 65535")),
        },
    }
}

fn set_login(config: &mut Config, login: &str) -> Result<()> {
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (login, None),
    };
    if !user.is_empty() {
        config.user = Some(decode(user, "the user")?);
    }
    match password {
        Some(password) if !password.is_empty() => {
            config.password = Some(Secret::new(decode(password, "the password")?));
        }
        _ => {}
    }
    Ok(())
}

/// Undoes percent-encoding.
fn decode(text: &str, what: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let pair = after.split_at_checked(2).and_then(|(hex, after)| {
            rest = after;
            let digit = |byte: u8| char::from(byte).to_digit(16);
            match *hex {
                [high, low] => Some((digit(high)? * 16 + digit(low)?) as u8),
                _ => None,
            }
        });
        bytes.push(pair.ok_or_else(|| {
            usage(format!("{what} has a % without two hex digits (a % itself is %25)"))
        })?);
    }
    String::from_utf8(bytes).map_err(|_| usage(format!("{what} is no UTF-8 once decoded")))
}

fn usage(text: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Usage, text)
}

fn unsupported(text: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Protocol;

    #[test]
    fn every_part_is_read() {
        let config = parse("redis://us%40er:p%3Ass@h:7000/3?protocol=2&client_name=a%20b&response_timeout=250ms&connect_timeout=2").unwrap();
        assert_eq!(config.address(), "h:7000");
        assert_eq!(config.user.as_deref(), Some("us@er"));
        assert_eq!(config.password.as_ref().map(Secret::expose), Some("p:ss"));
        assert_eq!(config.database, 3);
        assert_eq!(config.protocol, Protocol::Resp2);
        assert_eq!(config.client_name.as_deref(), Some("a b"));
        assert_eq!(config.response_timeout, Duration::from_millis(250));
        assert_eq!(config.connect_timeout, Duration::from_secs(2));
    }

    #[test]
    fn hosts_and_sockets() {
        for (url, address) in [
            ("redis://", "127.0.0.1:6379"),
            ("redis://h", "h:6379"),
            ("redis://[::1]:1/", "[::1]:1"),
            ("redis://[::1]", "[::1]:6379"),
            ("unix:///run/r.sock?db=2", "/run/r.sock"),
            ("redis+unix:///run/r%20s.sock", "/run/r s.sock"),
            ("redis://:a@b@h", "h:6379"),
        ] {
            assert_eq!(parse(url).unwrap().address(), address, "{url}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (url, part) in [
            ("localhost", "scheme"),
            ("http://h", "scheme"),
            ("redis://h:0", "port"),
            ("redis://h:port", "port"),
            ("redis://h/x", "database"),
            ("redis://h?nope=1", "`nope`"),
            ("redis://%zz:p@h", "user"),
            ("redis://[::1", "IPv6"),
            ("unix://", "path"),
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{url}");
            assert!(error.to_string().contains(part), "{url}: {error}");
        }
    }

    #[test]
    #[cfg(feature = "tls")]
    fn encryption_has_options() {
        assert!(parse("redis://h").unwrap().tls.is_none());
        let plain = parse("rediss://h").unwrap();
        assert_eq!((plain.address().as_str(), plain.tls.is_some()), ("h:6379", true));
        assert!(parse("rediss+cluster://h,i:7?tls_roots=webpki").unwrap().tls.is_some());
        let config = parse("rediss://h?tls_ca_file=/a%20b.pem&tls_cert_file=/c&tls_key_file=/k&tls_server_name=n&tls_min_version=1.3&tls_roots=webpki").unwrap();
        let shown = format!("{:?}", config.tls.unwrap());
        for part in ["/a b.pem", "/c", "/k", "\"n\"", "Tls13", "webpki_roots: true"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        for (url, part) in [
            ("redis://h?tls_ca_file=/a", "`tls_ca_file`"),
            ("redis+cluster://h,i?tls_ca_file=/a", "`tls_ca_file`"),
            ("unix:///s?tls_roots=webpki", "`tls_roots`"),
            ("rediss://h?tls_cert_file=/c", "`tls_key_file`"),
            ("rediss://h?tls_key_file=/k", "`tls_cert_file`"),
            ("rediss://h?tls_min_version=1.1", "`tls_min_version`"),
            ("rediss://h?tls_roots=mine", "`tls_roots`"),
            ("rediss://h?tls_insecure=1", "danger_accept_invalid_certs"),
            ("rediss://h?tls_ca_file=", "`tls_ca_file` is empty"),
            ("rediss://h?tls_nope=1", "`tls_nope`"),
            ("rediss://h#insecure", "#"),
            ("rediss://h/1#insecure", "#"),
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{url}");
            assert!(error.to_string().contains(part), "{url}: {error}");
        }
    }

    #[test]
    fn passwords_appear_nowhere() {
        let config = parse("redis://u:hunter2@h").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        // Not encoded as they should be: parts of them land where something else is expected.
        for url in [
            "redis://u:hunter2@h@x:1:2",
            "redis://:12/hunter2@h",
            "redis://:12?hunter2@h",
            "redis://:12/3?hunter2@h",
            "redis://:12/hunter2?x@h",
            "redis://:12?connect_timeout=hunter2@h",
            "redis://:12?x&hunter2&y@h",
            "redis://:a@1/hunter2@h",
            "redis://u:12%hunter2@h",
            "unix://:hunter2/@/run/r.sock",
        ] {
            if let Err(error) = parse(url) {
                assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error}");
            } else {
                panic!("{url} was accepted");
            }
        }
    }

    #[test]
    fn sockets_may_have_a_login() {
        let config = parse("unix://app:hunter2@/run/r.sock?db=3").unwrap();
        assert_eq!(config.address(), "/run/r.sock");
        assert_eq!(config.user.as_deref(), Some("app"));
        assert_eq!(config.password.as_ref().map(Secret::expose), Some("hunter2"));
        assert_eq!(parse("unix://run/r@1.sock").unwrap().address(), "run/r@1.sock");
    }

    #[test]
    fn user_and_password_belong_together_wherever_they_stand() {
        let config = parse("redis://app@h?password=p%40ss").unwrap();
        assert_eq!(config.user.as_deref(), Some("app"));
        assert_eq!(config.password.as_ref().map(Secret::expose), Some("p@ss"));
        for url in ["redis://app@h", "redis://h?user=app", "unix:///r.sock?user=app"] {
            assert!(parse(url).unwrap_err().to_string().contains("without a password"), "{url}");
        }
    }

    #[test]
    fn percent_encoding_is_two_hex_digits() {
        assert_eq!(decode("%e2%82%AC%25", "x").unwrap(), "€%");
        for wrong in ["%+1", "%-1", "%1", "%", "%g0", "%ff"] {
            assert!(decode(wrong, "x").is_err(), "{wrong}");
        }
    }
}
