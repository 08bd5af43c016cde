//! Who logs in: fixed names and passwords, and those that change while connections live.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use futures_core::Stream;
use tokio::sync::watch;

use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::resp::{Frame, Packed, Reader};
use crate::secret::Secret;

/// A user's name and password, or token. Its `Debug` shows no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(crate) user: Option<String>,
    pub(crate) password: Secret,
}

impl Credentials {
    /// A user of the server's access control list.
    pub fn login(user: impl Into<String>, password: impl Into<String>) -> Credentials {
        Credentials { user: Some(user.into()), password: Secret::new(password) }
    }

    /// The default user.
    pub fn password(password: impl Into<String>) -> Credentials {
        Credentials { user: None, password: Secret::new(password) }
    }

    /// `AUTH`.
    pub(crate) fn command(&self) -> Packed {
        let mut packed = Packed::new();
        packed.push(b"AUTH");
        if let Some(user) = &self.user {
            packed.push(user.as_bytes());
        }
        packed.push(self.password.expose().as_bytes());
        packed
    }
}

/// What [`CredentialProvider::credentials`] gives.
pub type CredentialFuture<'p> = Pin<Box<dyn Future<Output = Result<Credentials>> + Send + 'p>>;

/// Says who logs in, each time that a connection is made: for passwords that change, and tokens
/// that expire.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = alizarin_testkit::Server::builder().password("hunter2").start()?;
/// # let address = server.url().rsplit('@').next().unwrap().to_owned();
/// # let url = format!("redis://{address}");
/// use alizarin_core::{Client, Config, CredentialFuture, CredentialProvider, Credentials};
///
/// struct FromVault;
///
/// impl CredentialProvider for FromVault {
///     fn credentials(&self) -> CredentialFuture<'_> {
///         // Here the vault would be asked.
///         Box::pin(async { Ok(Credentials::password("hunter2")) })
///     }
/// }
///
/// let config: Config = url.parse()?;
/// let client = Client::connect(config.credentials(FromVault)).await?;
/// client.set("k", "v").await?;
/// # Ok(()) }
/// ```
pub trait CredentialProvider: Send + Sync {
    /// The credentials that hold now. It is asked within the time that
    /// [`Config::connect_timeout`] gives to connecting; by a blocking client on the thread that
    /// connects.
    ///
    /// # Errors
    /// The attempt to connect fails with it. After an `Auth` error nothing is tried until somebody
    /// sends a command again; after any other, the client tries again by itself.
    fn credentials(&self) -> CredentialFuture<'_>;

    /// What announces other credentials: then every connection asks for them and logs in again, by
    /// `AUTH` where it is one caller's at a time or has subscriptions; one that is shared gives way to a
    /// new one, once what is in flight is answered. `None` unless overridden: then they are asked for by new connections alone.
    fn renewals(&self) -> Option<Renewals> {
        None
    }
}

impl CredentialProvider for Credentials {
    fn credentials(&self) -> CredentialFuture<'_> {
        Box::pin(async { Ok(self.clone()) })
    }
}

impl<P: CredentialProvider + ?Sized> CredentialProvider for Arc<P> {
    fn credentials(&self) -> CredentialFuture<'_> {
        P::credentials(self)
    }

    fn renewals(&self) -> Option<Renewals> {
        P::renewals(self)
    }
}

/// Announces that other credentials hold from now on. Clones announce to the same connections.
#[derive(Debug, Clone, Default)]
pub struct Renewals(watch::Sender<u64>);

impl Renewals {
    /// Nothing is announced yet.
    pub fn new() -> Renewals {
        Renewals::default()
    }

    /// Lets all connections log in again, with what the provider gives them now.
    ///
    /// An async client's shared connections do so at once, behind what is in flight, and
    /// subscriptions under RESP3 too; connections of a pool before their next use. A connection
    /// whose new login is refused is replaced.
    pub fn announce(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}

/// Credentials that the application replaces: every connection then logs in again.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = alizarin_testkit::Server::builder().password("first").start()?;
/// # let address = server.url().rsplit('@').next().unwrap().to_owned();
/// # let url = format!("redis://{address}");
/// use alizarin_core::{Client, Config, Credentials, RotatingCredentials};
///
/// let tokens = RotatingCredentials::new(Credentials::password("first"));
/// let config: Config = url.parse()?;
/// let client = Client::connect(config.credentials(tokens.clone())).await?;
/// // Later, when there is a new token:
/// tokens.replace(Credentials::password("second"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RotatingCredentials {
    now: Arc<Mutex<Credentials>>,
    renewals: Renewals,
}

impl RotatingCredentials {
    /// The credentials that hold first.
    pub fn new(first: Credentials) -> RotatingCredentials {
        RotatingCredentials { now: Arc::new(Mutex::new(first)), renewals: Renewals::new() }
    }

    /// Other credentials hold from now on; all connections log in with them.
    pub fn replace(&self, credentials: Credentials) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = credentials;
        self.renewals.announce();
    }

    /// Takes each item of a stream as new credentials, up to the stream's end; to be spawned.
    ///
    /// # Cancel safety
    /// The credentials that came last stay.
    pub async fn follow(self, credentials: impl Stream<Item = Credentials>) {
        let mut credentials = pin!(credentials);
        poll_fn(|cx| {
            loop {
                match credentials.as_mut().poll_next(cx) {
                    Poll::Ready(Some(next)) => self.replace(next),
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }
}

impl CredentialProvider for RotatingCredentials {
    fn credentials(&self) -> CredentialFuture<'_> {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async { Ok(now) })
    }

    fn renewals(&self) -> Option<Renewals> {
        Some(self.renewals.clone())
    }
}

impl fmt::Debug for RotatingCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotatingCredentials").finish_non_exhaustive()
    }
}

/// The provider that a configuration has.
#[derive(Clone)]
pub(crate) struct Keyring {
    provider: Arc<dyn CredentialProvider>,
    renewals: Option<Renewals>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<provider>")
    }
}

impl Config {
    /// Who logs in, asked anew for each connection; instead of [`Config::login`] and
    /// [`Config::password`].
    #[must_use]
    pub fn credentials(mut self, provider: impl CredentialProvider + 'static) -> Config {
        let renewals = provider.renewals();
        self.credentials = Some(Keyring { provider: Arc::new(provider), renewals });
        self
    }

    /// How often other credentials were announced.
    pub(crate) fn login_epoch(&self) -> u64 {
        let renewals = self.credentials.as_ref().and_then(|keyring| keyring.renewals.as_ref());
        renewals.map_or(0, |renewals| *renewals.0.borrow())
    }

    /// Whether a connection that logged in at this epoch has nothing newer to log in with.
    #[inline]
    pub(crate) fn login_holds(&self, epoch: u64) -> bool {
        self.credentials.is_none() || self.login_epoch() == epoch
    }

    /// What tells of other credentials, where there is anything.
    pub(crate) fn renewals(&self) -> Option<watch::Receiver<u64>> {
        self.credentials.as_ref()?.renewals.as_ref().map(|renewals| renewals.0.subscribe())
    }

    /// The same with the login of now.
    ///
    /// # Errors
    /// The provider's.
    pub(crate) async fn with_login(&self) -> Result<Cow<'_, Config>> {
        let Some(keyring) = &self.credentials else { return Ok(Cow::Borrowed(self)) };
        let credentials = keyring.provider.credentials().await?;
        let mut config = self.clone();
        config.user = credentials.user;
        config.password = Some(credentials.password);
        Ok(Cow::Owned(config))
    }

    /// `AUTH` with the login of now.
    ///
    /// # Errors
    /// The provider's.
    pub(crate) async fn login_command(&self) -> Result<Packed> {
        match &self.credentials {
            Some(keyring) => Ok(keyring.provider.credentials().await?.command()),
            None => Err(Error::new(ErrorKind::Usage, "nobody provides credentials")),
        }
    }
}

/// Reads the answer to `AUTH`.
///
/// # Errors
/// `Auth` for a refusal; the words of it are not repeated, which might quote the password.
pub(crate) fn answer_to_login(answer: &[u8]) -> Result<()> {
    match Reader::new(answer).next()? {
        Frame::Error(line) => {
            let code = line.split(' ').next().unwrap_or_default();
            let code = if code.len() < 16 { code } else { "an error" };
            let text = format!("the server refused the new login: {code}");
            Err(Error::new(ErrorKind::Auth, text))
        }
        _ => Ok(()),
    }
}
