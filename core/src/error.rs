//! One error type for everything, grouped by whose fault it is.

use std::borrow::Cow;
use std::fmt;

use crate::secret::unquoted;

/// A `Result` whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, where, and whether the server may have acted on it.
///
/// One pointer wide. Match on [`Error::kind`]; ask [`Error::sent`] before repeating a write.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    sent: Sent,
    message: Cow<'static, str>,
    command: Option<Cow<'static, str>>,
    field: Option<String>,
    versions: Option<Versions>,
    holder: Option<String>,
    step: Option<FailedStep>,
    referrers: Option<Box<Referrers>>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Whose fault an [`Error`] is, and of what sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server refused the login: wrong password, unknown user, no login given.
    Auth,
    /// A connection could not be made.
    Connect,
    /// Client and server do not trust or understand each other's TLS: a wrong certificate, a
    /// missing one, no common version, or one side that speaks no TLS at all.
    Tls,
    /// The connection was lost; see [`Error::sent`] for what became of the request.
    Disconnected,
    /// No answer in time; see [`Error::sent`].
    Timeout,
    /// The server broke the protocol, or is not a Redis server.
    Protocol,
    /// The server answered with an error; the code says which.
    Server(ServerCode),
    /// The reply has another shape than the requested type.
    Decode,
    /// A value cannot be stored or sent: it would be lost, changed or misread.
    Value,
    /// The call cannot be right whatever the server says (a wrong option, a reserved name).
    Usage,
    /// The server lacks a capability: a module, a command, a protocol version.
    Unsupported,
    /// Another writer changed the document first.
    Conflict,
    /// The write was done, but fewer replicas than asked for have confirmed it in time.
    Unconfirmed,
    /// The document exists already.
    Exists,
    /// Another document has the value of a unique field; see [`Error::holder`].
    Taken,
    /// Other documents refer to it, in a field that says `restrict`; see [`Error::referrers`].
    Referred,
    /// The document does not exist.
    NotFound,
    /// The lock is held by somebody else, and waiting for it ended.
    Locked,
    /// The lock was lost before the write; nothing was written.
    LockLost,
    /// The index on the server differs from what the model needs, or does not exist.
    Index,
    /// More results than the caller allowed for.
    TooMany,
    /// None of a client's several databases is healthy, or too few of them are.
    NoDatabase,
    /// The client was closed, or the runtime that drove it has ended.
    Closed,
}

/// The versions of a document that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "these are all there are")]
pub struct Versions {
    /// The version that the caller expected.
    pub expected: u64,
    /// The version that is stored; `None` when the document has none, or no number.
    pub stored: Option<u64>,
}

/// The step of a transaction that failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "these are all there are")]
pub struct FailedStep {
    /// Its place in the transaction, counted from 1.
    pub number: usize,
    /// What it is: `save`, `delete`, the name of a command.
    pub name: String,
    /// The model of the document, where it is about one.
    pub model: Option<String>,
    /// Its key; of several the first.
    pub key: Option<String>,
    /// The steps that took place nevertheless, by their numbers: empty unless a command failed that
    /// could not be checked before it ran.
    pub done: Vec<usize>,
}

impl fmt::Display for FailedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}, {}", self.number, self.name)?;
        if let Some(model) = &self.model {
            write!(f, " of {model}")?;
        }
        if let Some(key) = &self.key {
            write!(f, " `{key}`")?;
        }
        Ok(())
    }
}

/// The documents that refer to one which was to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "these are all there are")]
pub struct Referrers {
    /// The name of their model.
    pub model: String,
    /// The stored name of the field.
    pub field: String,
    /// How many were found; the search for them ends soon after a thousand.
    pub count: usize,
    /// The keys of some of them, ten at most.
    pub keys: Vec<String>,
}

/// Whether a failed request reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sent {
    /// Not a byte of it left: it is safe to repeat.
    No,
    /// It was sent and the server's answer is known.
    Yes,
    /// It may have been executed.
    Unknown,
}

/// The first word of an error reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerCode {
    /// `ASK`
    Ask,
    /// `BUSY`
    Busy,
    /// `CLUSTERDOWN`
    ClusterDown,
    /// `CROSSSLOT`
    CrossSlot,
    /// `ERR`
    Err,
    /// `EXECABORT`
    ExecAbort,
    /// `LOADING`
    Loading,
    /// `MOVED`
    Moved,
    /// `NOAUTH`
    NoAuth,
    /// `NOPERM`
    NoPerm,
    /// `NOPROTO`
    NoProto,
    /// `NOSCRIPT`
    NoScript,
    /// `OOM`
    OutOfMemory,
    /// `READONLY`
    ReadOnly,
    /// `TRYAGAIN`
    TryAgain,
    /// `WRONGPASS`
    WrongPass,
    /// `WRONGTYPE`
    WrongType,
    /// Any other code, or none (modules often send bare text).
    Other,
}

impl ServerCode {
    /// The code of an error line.
    pub(crate) fn parse(line: &str) -> ServerCode {
        match line.split(' ').next().unwrap_or("") {
            "ASK" => ServerCode::Ask,
            "BUSY" => ServerCode::Busy,
            "CLUSTERDOWN" => ServerCode::ClusterDown,
            "CROSSSLOT" => ServerCode::CrossSlot,
            "ERR" => ServerCode::Err,
            "EXECABORT" => ServerCode::ExecAbort,
            "LOADING" => ServerCode::Loading,
            "MOVED" => ServerCode::Moved,
            "NOAUTH" => ServerCode::NoAuth,
            "NOPERM" => ServerCode::NoPerm,
            "NOPROTO" => ServerCode::NoProto,
            "NOSCRIPT" => ServerCode::NoScript,
            "OOM" => ServerCode::OutOfMemory,
            "READONLY" => ServerCode::ReadOnly,
            "TRYAGAIN" => ServerCode::TryAgain,
            "WRONGPASS" => ServerCode::WrongPass,
            "WRONGTYPE" => ServerCode::WrongType,
            _ => ServerCode::Other,
        }
    }
}

impl Error {
    /// A new error. `Sent` is [`Sent::No`] until [`Error::with_sent`] says otherwise.
    ///
    /// ```
    /// use alizarin_core::{Error, ErrorKind};
    /// let error = Error::new(ErrorKind::Value, "a latitude is at most 85.05");
    /// assert_eq!(error.kind(), ErrorKind::Value);
    /// ```
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Error {
        Error(Box::new(Inner {
            kind,
            sent: Sent::No,
            message: message.into(),
            command: None,
            field: None,
            versions: None,
            holder: None,
            step: None,
            referrers: None,
            source: None,
        }))
    }

    /// The error that an error reply stands for; `line` is without its leading `-`. Arguments that
    /// the server quotes are left out where they may be passwords.
    pub fn server(line: &str) -> Error {
        let code = ServerCode::parse(line);
        let kind = match code {
            ServerCode::NoAuth | ServerCode::WrongPass => ErrorKind::Auth,
            _ if line.to_ascii_lowercase().starts_with("err unknown command") => {
                ErrorKind::Unsupported
            }
            code => ErrorKind::Server(code),
        };
        Error::new(kind, unquoted(line).into_owned()).with_sent(Sent::Yes)
    }

    /// A decode error: what was expected and what came.
    pub fn decode(expected: &str, came: &str) -> Error {
        Error::new(ErrorKind::Decode, format!("expected {expected}, got {came}"))
            .with_sent(Sent::Yes)
    }

    /// A copy for each of several callers that share one failure (the source is not copied).
    pub(crate) fn duplicate(&self) -> Error {
        let mut copy = Error::new(self.0.kind, self.0.message.clone()).with_sent(self.0.sent);
        copy.0.command.clone_from(&self.0.command);
        copy.0.field.clone_from(&self.0.field);
        copy.0.versions = self.0.versions;
        copy.0.holder.clone_from(&self.0.holder);
        copy.0.step.clone_from(&self.0.step);
        copy.0.referrers.clone_from(&self.0.referrers);
        copy
    }

    /// The same error, as the last one of so many attempts.
    pub(crate) fn after(mut self, attempts: u32) -> Error {
        let message = format!("{} (the last of {attempts} attempts)", self.0.message);
        self.0.message = message.into();
        self
    }

    /// The same error with another answer to "was it sent?".
    #[must_use]
    pub fn with_sent(mut self, sent: Sent) -> Error {
        self.0.sent = sent;
        self
    }

    /// The same error, naming the command that failed (the first name given stays).
    #[must_use]
    pub fn with_command(mut self, command: impl Into<Cow<'static, str>>) -> Error {
        self.0.command.get_or_insert_with(|| command.into());
        self
    }

    /// The same error, naming the field it concerns; an outer name is put before an inner one.
    #[must_use]
    pub fn with_field(mut self, field: &str) -> Error {
        self.0.field = Some(match self.0.field.take() {
            Some(inner) => format!("{field}.{inner}"),
            None => field.to_owned(),
        });
        self
    }

    /// The same error, saying which version of a document was expected and which one is stored.
    #[must_use]
    pub fn with_versions(mut self, versions: Versions) -> Error {
        self.0.versions = Some(versions);
        self
    }

    /// The same error, naming the key of the document that has the value of a unique field.
    #[must_use]
    pub fn with_holder(mut self, key: impl Into<String>) -> Error {
        self.0.holder = Some(key.into());
        self
    }

    /// The same error, naming the step of a transaction that it is about.
    #[must_use]
    pub fn with_step(mut self, step: FailedStep) -> Error {
        self.0.step = Some(step);
        self
    }

    /// The same error, saying which documents refer to the one that was to be deleted.
    #[must_use]
    pub fn with_referrers(mut self, referrers: Referrers) -> Error {
        self.0.referrers = Some(Box::new(referrers));
        self
    }

    /// The same error with the failure that caused it.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the request reached the server.
    pub fn sent(&self) -> Sent {
        self.0.sent
    }

    /// The text of the failure, without command and field.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The command that failed, where one did.
    pub fn command(&self) -> Option<&str> {
        self.0.command.as_deref()
    }

    /// The model's field this concerns, dotted for nested ones.
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// The versions that differ, of a [`Conflict`](ErrorKind::Conflict) between versions.
    ///
    /// ```
    /// use alizarin_core::{Error, ErrorKind, Versions};
    /// let versions = Versions { expected: 3, stored: Some(4) };
    /// let error = Error::new(ErrorKind::Conflict, "changed").with_versions(versions);
    /// assert_eq!(error.versions(), Some(versions));
    /// ```
    pub fn versions(&self) -> Option<Versions> {
        self.0.versions
    }

    /// The key of the document that has the value already, where the kind is
    /// [`Taken`](ErrorKind::Taken).
    ///
    /// ```
    /// use alizarin_core::{Error, ErrorKind};
    /// let error = Error::new(ErrorKind::Taken, "somebody has it").with_holder("member:1");
    /// assert_eq!(error.holder(), Some("member:1"));
    /// ```
    pub fn holder(&self) -> Option<&str> {
        self.0.holder.as_deref()
    }

    /// The step of a transaction that failed.
    ///
    /// ```
    /// use alizarin_core::{Error, ErrorKind, FailedStep};
    /// let step = FailedStep {
    ///     number: 2,
    ///     name: "insert".into(),
    ///     model: Some("Account".into()),
    ///     key: Some("account:2".into()),
    ///     done: Vec::new(),
    /// };
    /// let error = Error::new(ErrorKind::Exists, "it exists already").with_step(step);
    /// assert_eq!(error.to_string(), "step 2, insert of Account `account:2`: it exists already");
    /// assert_eq!(error.step().and_then(|step| step.key.as_deref()), Some("account:2"));
    /// ```
    pub fn step(&self) -> Option<&FailedStep> {
        self.0.step.as_ref()
    }

    /// The documents that refer to the one which was to be deleted, where the kind is
    /// [`Referred`](ErrorKind::Referred).
    ///
    /// ```
    /// use alizarin_core::{Error, ErrorKind, Referrers};
    /// let (model, field) = ("Book".to_owned(), "author".to_owned());
    /// let books = Referrers { model, field, count: 1, keys: vec!["book:1".to_owned()] };
    /// let error = Error::new(ErrorKind::Referred, "it has books").with_referrers(books.clone());
    /// assert_eq!(error.referrers(), Some(&books));
    /// ```
    pub fn referrers(&self) -> Option<&Referrers> {
        self.0.referrers.as_deref()
    }

    /// The server's error code, where the server answered with an error.
    pub fn server_code(&self) -> Option<ServerCode> {
        match self.0.kind {
            ErrorKind::Server(code) => Some(code),
            _ => None,
        }
    }

    /// Whether the same call may be repeated without risk of doing something twice, with a
    /// chance of success.
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::Connect | ErrorKind::Disconnected | ErrorKind::Timeout => {
                self.0.sent == Sent::No
            }
            ErrorKind::NoDatabase => self.0.sent == Sent::No,
            ErrorKind::Conflict | ErrorKind::Locked | ErrorKind::LockLost => true,
            ErrorKind::Server(code) => matches!(
                code,
                ServerCode::TryAgain
                    | ServerCode::Loading
                    | ServerCode::ClusterDown
                    | ServerCode::Busy
            ),
            _ => false,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("sent", &self.0.sent)
            .field("message", &self.0.message)
            .field("command", &self.0.command)
            .field("field", &self.0.field)
            .field("step", &self.0.step)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(step) = &self.0.step {
            write!(f, "{step}: ")?;
        }
        if let Some(command) = &self.0.command {
            write!(f, "{command}: ")?;
        }
        if let Some(field) = &self.0.field {
            write!(f, "field `{field}`: ")?;
        }
        f.write_str(&self.0.message)?;
        if let Some([first, rest @ ..]) = self.0.step.as_ref().map(|step| &*step.done) {
            let more = rest.iter().map(|number| format!(", {number}")).collect::<String>();
            write!(f, " (these steps took place: {first}{more})")?;
        }
        if self.0.sent == Sent::Unknown {
            f.write_str(" (the server may have executed it)")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

/// What cannot fail has no error to convert: lets a finished value stand where a fallible
/// conversion is asked for.
impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Error {
        match never {}
    }
}
