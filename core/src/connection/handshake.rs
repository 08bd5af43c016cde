//! The first words on a new connection. No I/O: it says what to send and is told the answers.
//!
//! `HELLO 3` with login and name; where that is refused, `AUTH` in RESP2; then the database and
//! the client's names. Logging in is never pipelined with anything: servers exist that answer a
//! failed login there with nothing.

use crate::config::{Config, Protocol};
use crate::error::{Error, ErrorKind, Result, ServerCode};
use crate::resp::{Frame, Packed, Reader};
use crate::server::ServerInfo;

/// What to do next.
pub(crate) enum Step {
    /// Send these bytes, then give this many replies to [`Handshake::reply`], one by one.
    Send(Vec<u8>, usize),
    /// The connection can be used.
    Done(ServerInfo),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    Hello,
    Auth,
    Setup,
    Ready,
}

/// One of the pipelined requests after the login.
#[derive(Debug, Clone, Copy)]
enum Setup {
    Select,
    /// A refusal changes nothing that matters.
    Courtesy,
    Info,
    /// Without it the connection is of no use.
    Tracking,
}

pub(crate) struct Handshake<'c> {
    config: &'c Config,
    stage: Stage,
    protocol: Protocol,
    version: String,
    /// The number that the server has given this client.
    id: Option<i64>,
    setup: std::vec::IntoIter<Setup>,
}

impl<'c> Handshake<'c> {
    /// `protocol` is RESP2 at the second attempt with a peer that hung up at `HELLO`.
    pub(crate) fn new(config: &'c Config, protocol: Protocol) -> Handshake<'c> {
        let setup = Vec::new().into_iter();
        Handshake { config, stage: Stage::Start, protocol, version: String::new(), id: None, setup }
    }

    /// The number that the server has given this client, where it told it.
    pub(crate) fn id(&self) -> Option<i64> {
        self.id
    }

    /// Whether the peer's hanging up now may mean that it knows no `HELLO`.
    pub(crate) fn awaits_hello(&self) -> bool {
        self.stage == Stage::Hello
    }

    /// What to do once all replies to the last step have come.
    pub(crate) fn next(&mut self) -> Step {
        match self.stage {
            Stage::Start if self.protocol == Protocol::Resp3 => {
                self.stage = Stage::Hello;
                Step::Send(self.hello(), 1)
            }
            Stage::Start | Stage::Hello if self.config.password.is_some() && self.must_auth() => {
                self.stage = Stage::Auth;
                Step::Send(self.auth(), 1)
            }
            Stage::Start | Stage::Hello | Stage::Auth => {
                self.stage = Stage::Setup;
                let (bytes, setup) = self.setup();
                let count = setup.len();
                self.setup = setup.into_iter();
                Step::Send(bytes, count)
            }
            Stage::Setup | Stage::Ready => {
                self.stage = Stage::Ready;
                let version = std::mem::take(&mut self.version);
                Step::Done(ServerInfo::new(version, self.protocol))
            }
        }
    }

    /// Takes one reply.
    ///
    /// # Errors
    /// `Auth`, `Protocol`, `Unsupported` or `Server`: what refuses the connection.
    pub(crate) fn reply(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        match self.stage {
            Stage::Hello => self.on_hello(reader),
            Stage::Auth => match reader.next()? {
                Frame::Error(line) => Err(self.refused_login(line)),
                _ => Ok(()),
            },
            _ => self.on_setup(reader),
        }
    }

    /// After `HELLO` was understood the login is done.
    fn must_auth(&self) -> bool {
        self.protocol == Protocol::Resp2
    }

    fn on_hello(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let pairs = match reader.next()? {
            Frame::Error(line) => return self.on_refused_hello(line),
            Frame::Map(pairs) => pairs,
            Frame::Array(elements) => elements / 2,
            frame => {
                return Err(Error::new(
                    ErrorKind::Protocol,
                    format!(
                        "{} is no Redis server: it answers HELLO with a {}",
                        self.config.address(),
                        self.shown(&frame.describe())
                    ),
                ));
            }
        };
        for _ in 0..pairs {
            let (is_version, is_id) = match reader.next()? {
                Frame::Bulk(b"version") | Frame::Simple("version") => (true, false),
                Frame::Bulk(b"id") | Frame::Simple("id") => (false, true),
                _ => (false, false),
            };
            match reader.peek()? {
                Frame::Bulk(text) if is_version => {
                    self.version = String::from_utf8_lossy(text).into_owned();
                }
                Frame::Integer(id) if is_id => self.id = Some(id),
                _ => {}
            }
            reader.skip()?;
        }
        Ok(())
    }

    fn on_refused_hello(&mut self, line: &str) -> Result<()> {
        let lower = line.to_ascii_lowercase();
        // An old server quotes the request, in which any word may stand.
        let unknown = lower.starts_with("err unknown command");
        if is_login(line) || lower.contains("password") && !lower.contains("noproto") && !unknown {
            return Err(self.refused_login(line));
        }
        if ServerCode::parse(line) == ServerCode::NoPerm {
            return Err(self.no_permission(line));
        }
        let too_old = ServerCode::parse(line) == ServerCode::NoProto
            || [
                "unknown command",
                "syntax error",
                "wrong number of arguments",
                "unsupported",
                "unknown option",
            ]
            .iter()
            .any(|words| lower.contains(words));
        if !too_old {
            let kind = Error::server(line).kind();
            return Err(Error::new(kind, self.shown(line).to_owned()).with_command("HELLO"));
        }
        self.protocol = Protocol::Resp2;
        Ok(())
    }

    fn on_setup(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let kind = self.setup.next().unwrap_or(Setup::Courtesy);
        match (kind, reader.next()?) {
            (Setup::Tracking, _) if self.protocol == Protocol::Resp2 => {
                Err(self
                    .untracked("it is spoken to in RESP2, in which servers cannot tell of changes"))
            }
            (_, Frame::Error(line)) if is_login(line) => Err(self.refused_login(line)),
            (Setup::Select, Frame::Error(line)) => {
                let database = self.config.database;
                let kind = match ServerCode::parse(line) {
                    ServerCode::Loading => ErrorKind::Server(ServerCode::Loading),
                    _ => ErrorKind::Usage,
                };
                let line = self.shown(line);
                Err(Error::new(kind, format!("database {database} cannot be selected: {line}"))
                    .with_command("SELECT"))
            }
            (Setup::Tracking, Frame::Error(line)) => Err(self.untracked(self.shown(line))),
            (Setup::Info, Frame::Bulk(text) | Frame::Verbatim(_, text)) => {
                let text = String::from_utf8_lossy(text);
                let version = text.lines().find_map(|line| line.strip_prefix("redis_version:"));
                self.version = version.unwrap_or_default().trim().to_owned();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn hello(&self) -> Vec<u8> {
        let mut packed = words(&["HELLO", "3"]);
        if let Some(password) = &self.config.password {
            packed.push(b"AUTH");
            packed.push(self.config.user.as_deref().unwrap_or("default").as_bytes());
            packed.push(password.expose().as_bytes());
        }
        if let Some(name) = &self.config.client_name {
            packed.push(b"SETNAME");
            packed.push(name.as_bytes());
        }
        wire(&[packed])
    }

    fn auth(&self) -> Vec<u8> {
        let mut packed = words(&["AUTH"]);
        if let Some(user) = &self.config.user {
            packed.push(user.as_bytes());
        }
        if let Some(password) = &self.config.password {
            packed.push(password.expose().as_bytes());
        }
        wire(&[packed])
    }

    fn setup(&self) -> (Vec<u8>, Vec<Setup>) {
        let mut requests = Vec::new();
        let mut kinds = Vec::new();
        let mut add = |kind, packed| {
            kinds.push(kind);
            requests.push(packed);
        };
        if self.config.database != 0 {
            let mut packed = words(&["SELECT"]);
            packed.push_int(self.config.database);
            add(Setup::Select, packed);
        }
        if let Some(name) = self.config.client_name.as_deref()
            && self.protocol == Protocol::Resp2
        {
            add(Setup::Courtesy, words(&["CLIENT", "SETNAME", name]));
        }
        if let Some(tracking) = &self.config.tracking {
            let words: Vec<&str> = tracking.words().iter().map(String::as_str).collect();
            add(Setup::Tracking, self::words(&words));
        }
        if self.config.readonly {
            add(Setup::Courtesy, words(&["READONLY"]));
        }
        if self.config.maintenance && self.protocol == Protocol::Resp3 {
            let mut packed = words(&["CLIENT", "MAINT_NOTIFICATIONS", "ON"]);
            if let Some(kind) = self.config.endpoint.kind() {
                packed.push(b"moving-endpoint-type");
                packed.push(kind.as_bytes());
                add(Setup::Courtesy, packed);
            }
        }
        add(Setup::Courtesy, words(&["CLIENT", "SETINFO", "LIB-NAME", "alizarin"]));
        add(Setup::Courtesy, words(&["CLIENT", "SETINFO", "LIB-VER", env!("CARGO_PKG_VERSION")]));
        if self.version.is_empty() {
            add(Setup::Info, words(&["INFO", "server"]));
        }
        (wire(&requests), kinds)
    }

    fn refused_login(&self, line: &str) -> Error {
        let address = self.config.address();
        let text = if line.contains("without any password") || line.contains("no password is set") {
            format!("{address} has no password set, but one was given")
        } else if line.starts_with("NOAUTH") || self.config.password.is_none() {
            format!("{address} asks for a login, but none was given")
        } else if line.contains("wrong number of arguments") {
            format!("{address} knows no users: log in with a password alone")
        } else if line.starts_with("NOPERM") {
            return self.no_permission(line);
        } else {
            // The line itself is not repeated: a proxy might quote the request in it.
            let user = self.config.user.as_deref().unwrap_or("default");
            format!("{address} refused the login of user `{user}`: wrong password, or no such user")
        };
        Error::new(ErrorKind::Auth, text)
    }

    fn no_permission(&self, line: &str) -> Error {
        Error::new(ErrorKind::Auth, format!("the user may not connect: {}", self.shown(line)))
    }

    fn untracked(&self, reason: &str) -> Error {
        let address = self.config.address();
        let text = format!("{address} offers no client-side caching: {reason}");
        Error::new(ErrorKind::Unsupported, text).with_command("CLIENT TRACKING")
    }

    /// The peer's words, unless they quote the password.
    fn shown<'a>(&self, line: &'a str) -> &'a str {
        match &self.config.password {
            Some(password) if line.contains(password.expose()) => "(its answer quotes the login)",
            _ => line,
        }
    }
}

fn is_login(line: &str) -> bool {
    matches!(ServerCode::parse(line), ServerCode::NoAuth | ServerCode::WrongPass)
}

fn words(words: &[&str]) -> Packed {
    let mut packed = Packed::new();
    for word in words {
        packed.push(word.as_bytes());
    }
    packed
}

fn wire(requests: &[Packed]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for request in requests {
        request.write_to(&mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n8.6.3\r\n";

    /// Plays `answers`, one a request; gives the outcome and the names of the requests.
    fn play(config: &Config, answers: &[(&str, &str)]) -> (Result<ServerInfo>, Vec<String>) {
        let mut handshake = Handshake::new(config, config.protocol);
        let mut sent = Vec::new();
        loop {
            let (bytes, count) = match handshake.next() {
                Step::Done(info) => return (Ok(info), sent),
                Step::Send(bytes, count) => (bytes, count),
            };
            let mut requests = Reader::new(&bytes);
            for _ in 0..count {
                let request = <Vec<String> as crate::FromReply>::from_reply(&mut requests).unwrap();
                let request = request.join(" ");
                let answer = answers.iter().find(|(start, _)| request.starts_with(start));
                let answer = answer.map_or("+OK\r\n", |(_, answer)| answer);
                sent.push(request);
                if let Err(error) = handshake.reply(&mut Reader::new(answer.as_bytes())) {
                    return (Err(error), sent);
                }
            }
            assert!(requests.is_empty());
        }
    }

    #[test]
    fn resp3_with_everything() {
        let config = Config::new().login("u", "p").database(2).client_name("n");
        let (info, sent) = play(&config, &[("HELLO", HELLO), ("CLIENT", "-NOPERM no\r\n")]);
        let info = info.unwrap();
        assert_eq!((info.version(), info.protocol()), ("8.6.3", Protocol::Resp3));
        assert_eq!(sent[..2], ["HELLO 3 AUTH u p SETNAME n", "SELECT 2"]);
        assert_eq!(sent[2], "CLIENT MAINT_NOTIFICATIONS ON moving-endpoint-type internal-ip");
        assert_eq!(sent.len(), 5);
    }

    #[test]
    fn falls_back_to_resp2() {
        let config = Config::new().password("p").client_name("n");
        for refusal in
            ["-ERR unknown command 'HELLO'\r\n", "-NOPROTO sorry\r\n", "-ERR syntax error\r\n"]
        {
            let info = "$23\r\nredis_version:5.0.14\r\nx\r\n";
            let (done, sent) = play(&config, &[("HELLO", refusal), ("INFO", info)]);
            let done = done.unwrap();
            assert_eq!((done.version(), done.protocol()), ("5.0.14", Protocol::Resp2));
            assert_eq!(sent[1..3], ["AUTH p", "CLIENT SETNAME n"]);
        }
    }

    #[test]
    fn refusals_are_clear_and_hold_no_password() {
        let config = Config::new().login("u", "hunter2");
        let resp2 = config.clone().protocol(Protocol::Resp2);
        let open = Config::new();
        for (config, request, answer, kind, part) in [
            (
                &config,
                "HELLO",
                "-WRONGPASS invalid u hunter2\r\n",
                ErrorKind::Auth,
                "wrong password",
            ),
            (&resp2, "AUTH", "-WRONGPASS invalid\r\n", ErrorKind::Auth, "wrong password"),
            (
                &resp2,
                "AUTH",
                "-ERR AUTH <password> called without any password configured for the default user\r\n",
                ErrorKind::Auth,
                "no password set",
            ),
            (
                &resp2,
                "AUTH",
                "-ERR wrong number of arguments for 'auth' command\r\n",
                ErrorKind::Auth,
                "no users",
            ),
            (
                &open,
                "HELLO",
                "-NOAUTH HELLO must be called with the client already authenticated\r\n",
                ErrorKind::Auth,
                "asks for a login",
            ),
            (&open, "HELLO", "-NOPERM no hello\r\n", ErrorKind::Auth, "may not"),
            (&open, "HELLO", "-LOADING wait\r\n", ErrorKind::Server(ServerCode::Loading), "wait"),
            (&open, "HELLO", ":1\r\n", ErrorKind::Protocol, "no Redis server"),
        ] {
            let error = play(config, &[(request, answer)]).0.err().unwrap();
            assert_eq!(error.kind(), kind, "{answer}");
            assert!(error.to_string().contains(part), "{answer}: {error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let database = open.database(99);
        let error =
            play(&database, &[("HELLO", HELLO), ("SELECT", "-ERR DB index is out of range\r\n")]);
        assert_eq!(error.0.err().unwrap().kind(), ErrorKind::Usage);
    }

    #[test]
    fn an_old_server_that_quotes_the_request_is_an_old_server() {
        for secret in ["password1", "noauth"] {
            let config = Config::new().login("password", secret);
            let line = format!(
                "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `password`, `{secret}`, \r\n"
            );
            let (done, sent) = play(&config, &[("HELLO", &line)]);
            assert_eq!(done.unwrap().protocol(), Protocol::Resp2);
            assert_eq!(sent[1], format!("AUTH password {secret}"));
        }
    }

    #[test]
    fn no_refusal_repeats_the_password() {
        let config = Config::new().login("u", "hunter2").database(3);
        for (request, answer) in [
            ("HELLO", "-ERR bad request: HELLO 3 AUTH u hunter2\r\n"),
            ("HELLO", "-NOPERM u may not HELLO 3 AUTH u hunter2\r\n"),
            ("HELLO", "$7\r\nhunter2\r\n"),
            ("HELLO", "+hunter2\r\n"),
            ("SELECT", "-ERR after AUTH u hunter2\r\n"),
        ] {
            let error = play(
                &config,
                &[("HELLO", HELLO), (request, answer)]
                    .map(|pair| if pair.0 == request { (request, answer) } else { pair }),
            )
            .0
            .err()
            .unwrap();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{answer}: {error}");
        }
    }
}
