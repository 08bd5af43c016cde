//! TLS: whom to trust. All use the same rustls, with ring.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::Outcome;

/// A URL without the file of the authority, which only Alizarin reads out of a URL; and that file.
pub fn apart(url: &str) -> (&str, Option<&str>) {
    match url.split_once("?tls_ca_file=") {
        Some((url, file)) => (url, Some(file)),
        None => (url, None),
    }
}

/// Trusts that authority alone.
pub fn trusting(file: &str) -> Outcome<ClientConfig> {
    prepare();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file)?)?;
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

/// Has everybody use ring: rustis brings another one, too.
pub fn prepare() {
    // Once is enough.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
