//! From options to what rustls works with.

use std::borrow::Cow;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};

use super::verify::{Anything, Careful};
use crate::config::{Config, Endpoint, Source, Tls, TlsVersion};
use crate::error::{Error, ErrorKind, Result};

const ALL: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
const NEWEST: &[&SupportedProtocolVersion] = &[&version::TLS13];

/// The options made ready, at the first call; it also keeps the sessions to be resumed.
///
/// # Errors
/// `Usage`: a file that cannot be read, PEM that holds no certificate, a key of another
/// certificate. The next call tries again.
pub(super) fn client(tls: &Tls) -> Result<Arc<ClientConfig>> {
    if let Some(client) = tls.ready.client.get() {
        return Ok(Arc::clone(client));
    }
    let made = Arc::new(make(tls)?);
    Ok(Arc::clone(tls.ready.client.get_or_init(|| made)))
}

/// The name that the certificate must be for.
///
/// # Errors
/// `Usage`: neither a host name nor an address.
pub(super) fn server_name(config: &Config, tls: &Tls) -> Result<ServerName<'static>> {
    let host = match (&tls.server_name, &config.endpoint) {
        (Some(name), _) => name.as_str(),
        (None, Endpoint::Tcp { host, .. }) => host.as_str(),
        (None, Endpoint::Unix(_) | Endpoint::Cluster(_) | Endpoint::Sentinel(_)) => "",
    };
    // A dot at the end belongs to DNS; certificates do not have it.
    let host = host.strip_suffix('.').unwrap_or(host);
    ServerName::try_from(host).map(|name| name.to_owned()).map_err(|_| {
        usage(format!("{host:?} is no host name or address that a certificate can be for"))
    })
}

fn make(tls: &Tls) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let versions = match tls.minimum {
        TlsVersion::Tls12 => ALL,
        TlsVersion::Tls13 => NEWEST,
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|error| wrong("option `tls_min_version`", &error))?
        .dangerous();
    let builder = if tls.verifies {
        let roots = roots(tls)?;
        let careful = Careful::new(roots, provider)
            .map_err(|error| wrong("the certificates of the authorities", &error))?;
        builder.with_custom_certificate_verifier(Arc::new(careful))
    } else {
        tracing::warn!(
            "danger_accept_invalid_certs: this client believes ANY server; whoever reaches into \
             the network can read and change everything, passwords included"
        );
        builder.with_custom_certificate_verifier(Arc::new(Anything::new(provider)))
    };
    match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(
                certificates(certificate, "the client certificate")?,
                private(key)?,
            )
            .map_err(|error| wrong("the client certificate and its key", &error)),
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn roots(tls: &Tls) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    for source in &tls.authorities {
        for certificate in certificates(source, "the CA's certificate")? {
            store
                .add(certificate)
                .map_err(|error| wrong(&name(source, "the CA's certificate"), &error))?;
        }
    }
    let by_default = tls.authorities.is_empty() && !tls.webpki_roots;
    if tls.platform_roots || by_default {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!(%error, "a certificate of the platform cannot be read");
        }
        // Stores of whole platforms hold certificates that no library reads.
        store.add_parsable_certificates(found.certs);
    }
    if tls.webpki_roots || store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(store)
}

fn certificates(source: &Source<Vec<u8>>, what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let text = match source {
        Source::File(path) => Cow::Owned(read(path)?),
        Source::Given(pem) => Cow::Borrowed(pem.as_slice()),
    };
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(wrong(&name(source, what), "there is no certificate in PEM form in it")),
        Err(error) => Err(wrong(&name(source, what), &error)),
    }
}

/// No message shows a part of the key.
fn private(source: &Source<crate::secret::Secret>) -> Result<PrivateKeyDer<'static>> {
    let read = match source {
        Source::File(path) => Cow::Owned(read(path)?),
        Source::Given(pem) => Cow::Borrowed(pem.expose().as_bytes()),
    };
    PrivateKeyDer::from_pem_slice(&read).map_err(|error| {
        let encrypted = read.windows(ENCRYPTED.len()).any(|part| part == ENCRYPTED);
        let reason = match error {
            _ if encrypted => "it is encrypted; decrypt it first",
            pem::Error::NoItemsFound => "there is no private key in PEM form in it",
            _ => "it is no valid PEM",
        };
        wrong(&name(source, "the client's key"), reason)
    })
}

/// `PKCS#8` and older tools' headers say it in this word.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        usage(format!("{} cannot be read: {error}", path.display())).with_source(error)
    })
}

fn name<T>(source: &Source<T>, what: &str) -> String {
    match source {
        Source::File(path) => format!("{what} in {}", path.display()),
        Source::Given(_) => what.to_owned(),
    }
}

fn wrong(what: &str, why: impl Display) -> Error {
    usage(format!("{what} cannot be used: {why}"))
}

fn usage(text: String) -> Error {
    Error::new(ErrorKind::Usage, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(tls: &Tls) -> String {
        let error = client(tls).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        error.to_string()
    }

    #[test]
    fn unusable_files_and_texts_are_named() {
        assert!(fails(&Tls::new().ca_file("/no/such.pem")).contains("/no/such.pem"));
        assert!(fails(&Tls::new().ca_pem("nothing")).contains("the CA's certificate"));
        let broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        assert!(fails(&Tls::new().ca_pem(broken)).contains("the CA's certificate"));
        for (key, part) in [
            ("hunter2", "no private key"),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\naHVudGVyMg==\n-----END ENCRYPTED PRIVATE KEY-----",
                "decrypt",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nhunter2?\n-----END PRIVATE KEY-----",
                "the client's key",
            ),
        ] {
            let text = fails(&Tls::new().webpki_roots().client_certificate_pem(broken, key));
            assert!(text.contains(part), "{text}");
            assert!(!text.contains("hunter2") && !text.contains("aHVu"), "{text}");
        }
    }

    #[test]
    fn names_and_addresses_are_told_apart() {
        for (host, is_address) in
            [("db.internal", false), ("db.internal.", false), ("10.0.0.1", true), ("::1", true)]
        {
            let name = server_name(&Config::new().tcp(host, 1), &Tls::new()).unwrap();
            assert_eq!(matches!(name, ServerName::IpAddress(_)), is_address, "{host}");
        }
        assert!(server_name(&Config::new().tcp("a b", 1), &Tls::new()).is_err());
        let named = server_name(&Config::new().tcp("a b", 1), &Tls::new().server_name("db"));
        assert_eq!(named.unwrap(), ServerName::try_from("db").unwrap());
    }

    #[test]
    fn it_is_made_once_for_all_clones_and_anew_after_a_change() {
        let tls = Tls::new().webpki_roots();
        let clone = tls.clone();
        let first = client(&tls).unwrap();
        assert!(Arc::ptr_eq(&first, &client(&clone).unwrap()));
        let changed = clone.minimum_version(TlsVersion::Tls13);
        assert!(!Arc::ptr_eq(&first, &client(&changed).unwrap()));
    }
}
