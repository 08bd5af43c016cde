//! What an encrypted connection trusts, and what it shows.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// How a connection is encrypted, whom it trusts, and what it shows of the client.
///
/// Unless told otherwise it trusts the authorities of the platform (those of Mozilla where the
/// platform has none), wants a certificate for the host that it connects to, and speaks TLS 1.2
/// or 1.3. There is no way back to a connection without encryption. A `rediss://` URL has the
/// same options; see [`Config::tls`](crate::Config::tls).
///
/// Files are read at the first connection; the sessions of earlier connections are resumed by
/// later ones of the same [`Config`](crate::Config) and its clones.
///
/// ```
/// # let papers = alizarin_testkit::Tls::new()?.client_certificates();
/// # let server = alizarin_testkit::Server::builder().modules(false).tls(&papers)?.start()?;
/// # let (folder, port) = (server.tls_folder().unwrap(), server.tls_port().unwrap());
/// use alizarin_core::{Client, Config, Run, Tls, TlsVersion};
///
/// let tls = Tls::new()
///     .ca_file(folder.join("ca.pem"))
///     .client_certificate_files(folder.join("client.pem"), folder.join("client.key"))
///     .minimum_version(TlsVersion::Tls13);
/// let client = Client::connect_blocking(Config::new().tcp("localhost", port).tls(tls))?;
/// client.set("k", "v").run()?;
///
/// // The same by URL.
/// # let folder = folder.display();
/// let url = format!(
///     "rediss://localhost:{port}?tls_min_version=1.3&tls_ca_file={folder}/ca.pem\
///      &tls_cert_file={folder}/client.pem&tls_key_file={folder}/client.key"
/// );
/// assert_eq!(Client::connect_blocking(url)?.get::<String>("k").run()?, "v");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | URL option | builder |
/// |---|---|
/// | `tls_ca_file` | [`Tls::ca_file`] |
/// | `tls_roots`: `platform`, `webpki` | [`Tls::platform_roots`], [`Tls::webpki_roots`] |
/// | `tls_cert_file`, `tls_key_file` | [`Tls::client_certificate_files`] |
/// | `tls_server_name` | [`Tls::server_name`] |
/// | `tls_min_version`: `1.2`, `1.3` | [`Tls::minimum_version`] |
#[derive(Clone)]
pub struct Tls {
    pub(crate) platform_roots: bool,
    pub(crate) webpki_roots: bool,
    pub(crate) authorities: Vec<Source<Vec<u8>>>,
    pub(crate) certificate: Option<Source<Vec<u8>>>,
    pub(crate) key: Option<Source<Secret>>,
    pub(crate) server_name: Option<String>,
    pub(crate) minimum: TlsVersion,
    pub(crate) verifies: bool,
    pub(crate) ready: Ready,
}

/// What the options were made into: by the first connection, for all clones.
#[derive(Clone, Default)]
pub(crate) struct Ready {
    #[cfg(feature = "tls")]
    pub(crate) client: std::sync::Arc<std::sync::OnceLock<std::sync::Arc<rustls::ClientConfig>>>,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2, of 2008.
    Tls12,
    /// TLS 1.3, of 2018.
    Tls13,
}

/// Where PEM text comes from.
#[derive(Clone)]
pub(crate) enum Source<T> {
    File(PathBuf),
    Given(T),
}

impl Tls {
    /// The platform's authorities, the name of the host, TLS 1.2 or newer.
    pub fn new() -> Tls {
        Tls {
            platform_roots: false,
            webpki_roots: false,
            authorities: Vec::new(),
            certificate: None,
            key: None,
            server_name: None,
            minimum: TlsVersion::Tls12,
            verifies: true,
            ready: Ready::default(),
        }
    }

    /// Trusts the authorities in a PEM file, and no others unless they are named too. Can be
    /// called several times.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Tls {
        self.authorities.push(Source::File(path.into()));
        self.changed()
    }

    /// Trusts the authorities in PEM text, as [`Tls::ca_file`].
    #[must_use]
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Tls {
        self.authorities.push(Source::Given(pem.into()));
        self.changed()
    }

    /// Trusts the platform's authorities: by default, and with this call beside others too.
    #[must_use]
    pub fn platform_roots(mut self) -> Tls {
        self.platform_roots = true;
        self.changed()
    }

    /// Trusts the authorities that Mozilla trusts, as they were when this program was built,
    /// instead of the platform's.
    #[must_use]
    pub fn webpki_roots(mut self) -> Tls {
        self.webpki_roots = true;
        self.changed()
    }

    /// Shows a client certificate, for servers that ask for one (`tls-auth-clients`): PEM files
    /// of the certificate, its chain behind it, and of its private key, which may be one file.
    #[must_use]
    pub fn client_certificate_files(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Tls {
        self.certificate = Some(Source::File(certificate.into()));
        self.key = Some(Source::File(key.into()));
        self.changed()
    }

    /// Shows a client certificate given as PEM text, as [`Tls::client_certificate_files`]. The
    /// key appears in no output.
    #[must_use]
    pub fn client_certificate_pem(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<String>,
    ) -> Tls {
        self.certificate = Some(Source::Given(certificate.into()));
        self.key = Some(Source::Given(Secret::new(key)));
        self.changed()
    }

    /// The name or address that the server's certificate must be for, instead of the host of
    /// the connection; it is also sent to the server (SNI).
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Tls {
        self.server_name = Some(name.into());
        self.changed()
    }

    /// The oldest version to speak: [`TlsVersion::Tls12`] unless set.
    #[must_use]
    pub fn minimum_version(mut self, version: TlsVersion) -> Tls {
        self.minimum = version;
        self.changed()
    }

    /// **Dangerous.** Accepts any certificate, for any name, from anybody: whoever can reach into
    /// the network reads and changes everything, passwords included. For experiments alone; to
    /// trust one certificate that no authority signed, name it with [`Tls::ca_file`].
    ///
    /// Each client that does so says so in a warning of its log. No URL can ask for this.
    #[must_use]
    pub fn danger_accept_invalid_certs(mut self) -> Tls {
        self.verifies = false;
        self.changed()
    }

    /// What was made ready before the change must not be used after it.
    fn changed(mut self) -> Tls {
        self.ready = Ready::default();
        self
    }
}

impl Default for Tls {
    fn default() -> Tls {
        Tls::new()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Taken apart completely, so that a new field forces a decision about its secrecy.
        let Tls {
            platform_roots,
            webpki_roots,
            authorities,
            certificate,
            key,
            server_name,
            minimum,
            verifies,
            ready: _,
        } = self;
        f.debug_struct("Tls")
            .field("platform_roots", platform_roots)
            .field("webpki_roots", webpki_roots)
            .field("authorities", authorities)
            .field("certificate", certificate)
            .field("key", key)
            .field("server_name", server_name)
            .field("minimum", minimum)
            .field("danger_accept_invalid_certs", &!verifies)
            .finish()
    }
}

impl<T> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => fmt::Debug::fmt(path, f),
            Source::Given(_) => f.write_str("<PEM>"),
        }
    }
}

/// The options of a `rediss://` URL, as far as they have come.
#[derive(Debug, Default)]
pub(super) struct TlsOptions {
    tls: Option<Tls>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    /// The last option that was named.
    named: Option<String>,
}

impl TlsOptions {
    /// Takes an option whose name begins with `tls_`.
    pub(super) fn take(&mut self, name: &str, value: String) -> Result<()> {
        let tls = self.tls.take().unwrap_or_default();
        self.named = Some(name.to_owned());
        if value.is_empty() {
            return Err(usage(format!("option `{name}` is empty")));
        }
        self.tls = Some(match (name, value.as_str()) {
            ("tls_ca_file", _) => tls.ca_file(value),
            ("tls_roots", "platform") => tls.platform_roots(),
            ("tls_roots", "webpki") => tls.webpki_roots(),
            ("tls_roots", _) => return Err(usage("option `tls_roots` is platform or webpki")),
            ("tls_server_name", _) => tls.server_name(value),
            ("tls_min_version", "1.2") => tls.minimum_version(TlsVersion::Tls12),
            ("tls_min_version", "1.3") => tls.minimum_version(TlsVersion::Tls13),
            ("tls_min_version", _) => return Err(usage("option `tls_min_version` is 1.2 or 1.3")),
            ("tls_cert_file", _) => {
                self.certificate = Some(value.into());
                tls
            }
            ("tls_key_file", _) => {
                self.key = Some(value.into());
                tls
            }
            ("tls_insecure", _) => {
                return Err(usage(
                    "option `tls_insecure`: no URL turns verification off; in code, \
                     Tls::danger_accept_invalid_certs does",
                ));
            }
            _ => return Err(usage(format!("unknown option `{name}` in the URL"))),
        });
        Ok(())
    }

    /// All options were taken; `wanted` says whether the URL asks for TLS.
    pub(super) fn finish(self, wanted: bool) -> Result<Option<Tls>> {
        match (wanted, self.named) {
            (false, None) => return Ok(None),
            (false, Some(name)) => {
                return Err(usage(format!("option `{name}` is for rediss:// URLs alone")));
            }
            (true, _) => {}
        }
        let tls = self.tls.unwrap_or_default();
        match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => {
                Ok(Some(tls.client_certificate_files(certificate, key)))
            }
            (None, None) => Ok(Some(tls)),
            (Some(_), None) => Err(usage("option `tls_cert_file` needs `tls_key_file` too")),
            (None, Some(_)) => Err(usage("option `tls_key_file` needs `tls_cert_file` too")),
        }
    }
}

fn usage(text: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Usage, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_key() {
        let tls = Tls::new().client_certificate_pem("PUBLIC", "hunter2").ca_file("/etc/ca.pem");
        let text = format!("{tls:?}");
        assert!(text.contains("/etc/ca.pem") && !text.contains("hunter2"), "{text}");
        assert!(text.contains("danger_accept_invalid_certs: false"), "{text}");
    }
}
