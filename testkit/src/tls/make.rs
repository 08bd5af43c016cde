//! Certificates made for one test.

use std::{fmt, io, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use super::Papers;
use crate::{error::Error, unique};

/// Certificates for a server that speaks TLS, and for its clients: those of an authority that is
/// made for the occasion, and that nobody else trusts.
///
/// Unless told otherwise the server's certificate is valid, for `localhost`, `127.0.0.1` and
/// `::1`, and clients need none. Clones share the authority.
///
/// # Examples
///
/// ```
/// use alizarin_testkit::{Server, Tls};
///
/// let tls = Tls::new()?.client_certificates();
/// let server = Server::builder().tls(&tls)?.start()?;
/// assert!(server.tls_url().unwrap().starts_with("rediss://127.0.0.1:"));
/// let (certificate, key) = tls.client_pem();
/// // connect your client with tls.ca_pem(), certificate and key
/// # Ok::<(), alizarin_testkit::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a server speaks TLS only when its builder is given this"]
pub struct Tls {
    authority: Arc<Authority>,
    names: Vec<String>,
    expired: bool,
    self_signed: bool,
    strict: bool,
    protocols: Option<String>,
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    client: String,
    client_key: String,
}

impl Tls {
    /// A new authority, and what it gives out.
    ///
    /// # Errors
    ///
    /// When the machine has no source of randomness.
    ///
    /// # Examples
    ///
    /// ```
    /// let tls = alizarin_testkit::Tls::new()?;
    /// assert!(tls.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn new() -> Result<Self, Error> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        let authority = Arc::new(Authority::new().map_err(failed)?);
        Ok(Self {
            authority,
            names,
            expired: false,
            self_signed: false,
            strict: false,
            protocols: None,
        })
    }

    /// The names and addresses that the server's certificate is for, instead of this machine's.
    ///
    /// # Examples
    ///
    /// ```
    /// # use alizarin_testkit::{Server, Tls};
    /// let other = Tls::new()?.names(["elsewhere.example"]);
    /// let server = Server::builder().tls(&other)?.start()?;
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// The server's certificate has expired long ago.
    pub fn expired(mut self) -> Self {
        self.expired = true;
        self
    }

    /// The server's certificate is signed by its own key, by no authority.
    pub fn self_signed(mut self) -> Self {
        self.self_signed = true;
        self
    }

    /// The server insists on a certificate of its clients (`tls-auth-clients yes`).
    pub fn client_certificates(mut self) -> Self {
        self.strict = true;
        self
    }

    /// The versions that the server speaks (`tls-protocols`), such as `"TLSv1.2"`; by default
    /// 1.2 and 1.3.
    pub fn protocols(mut self, protocols: &str) -> Self {
        self.protocols = Some(protocols.to_owned());
        self
    }

    /// The authority's certificate, in PEM form.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.authority.pem
    }

    /// A client's certificate and its key, in PEM form.
    #[must_use]
    pub fn client_pem(&self) -> (&str, &str) {
        (&self.authority.client, &self.authority.client_key)
    }

    pub(crate) fn papers(&self) -> Result<Papers, Error> {
        let (server, server_key) = self.server().map_err(failed)?;
        Ok(Papers {
            ca: self.authority.pem.clone(),
            server,
            server_key,
            client: self.authority.client.clone(),
            client_key: self.authority.client_key.clone(),
            strict: self.strict,
            protocols: self.protocols.clone(),
        })
    }

    fn server(&self) -> Result<(String, String), rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut wanted = CertificateParams::new(self.names.clone())?;
        wanted.distinguished_name.push(DnType::CommonName, "alizarin-testkit server");
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        wanted.not_before = date_time_ymd(2000, 1, 1);
        wanted.not_after = date_time_ymd(if self.expired { 2001 } else { 2100 }, 1, 1);
        let made = if self.self_signed {
            wanted.self_signed(&key)?
        } else {
            wanted.signed_by(&key, &self.authority.issuer)?
        };
        Ok((made.pem(), key.serialize_pem()))
    }
}

impl Authority {
    fn new() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut own = CertificateParams::new(Vec::<String>::new())?;
        // two authorities of one name would be taken for one
        own.distinguished_name.push(DnType::CommonName, unique::unique("alizarin-testkit CA"));
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        own.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        own.not_before = date_time_ymd(2000, 1, 1);
        own.not_after = date_time_ymd(2100, 1, 1);
        let pem = own.self_signed(&key)?.pem();
        let issuer = Issuer::new(own, key);
        let client_key = KeyPair::generate()?;
        let mut client = CertificateParams::new(Vec::<String>::new())?;
        client.distinguished_name.push(DnType::CommonName, "alizarin-testkit client");
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        client.not_before = date_time_ymd(2000, 1, 1);
        client.not_after = date_time_ymd(2100, 1, 1);
        let client = client.signed_by(&client_key, &issuer)?.pem();
        Ok(Self { issuer, pem, client, client_key: client_key.serialize_pem() })
    }
}

fn failed(error: rcgen::Error) -> Error {
    Error::file("making certificates", io::Error::other(error))
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { authority: _, names, expired, self_signed, strict, protocols } = self;
        f.debug_struct("Tls")
            .field("names", names)
            .field("expired", expired)
            .field("self_signed", self_signed)
            .field("client_certificates", strict)
            .field("protocols", protocols)
            .finish_non_exhaustive()
    }
}
