//! Why one side refused the other, in words that say what to do.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, OtherError, PeerIncompatible};

use super::verify::SelfSigned;

/// The reason, if TLS itself is it: whoever connects again at once is refused again.
pub(super) fn explain(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match error {
        Error::InvalidCertificate(reason) => certificate(reason),
        Error::AlertReceived(alert) => alerted(*alert),
        Error::InvalidMessage(_) => {
            "the server speaks no TLS on this port; for redis:// it is another port, or \
             tls-port is not set"
                .to_owned()
        }
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => VERSION.to_owned(),
        Error::PeerIncompatible(reason) => {
            format!("the server's TLS and this client's have nothing in common: {reason:?}")
        }
        error => format!("the server broke the rules of TLS: {error}"),
    })
}

fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; is this machine's clock right?".to_owned()
        }
        CertificateError::NotValidForName => {
            "the server's certificate is for another name".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "the server's certificate is for another name: it is for [{}], not for {}",
            presented.iter().map(|name| bare(name)).collect::<Vec<_>>().join(", "),
            expected.to_str()
        ),
        CertificateError::UnknownIssuer => {
            "the server's certificate comes from an unknown authority; Tls::ca_file (option \
             tls_ca_file) names those to trust"
                .to_owned()
        }
        CertificateError::Other(OtherError(error)) if error.is::<SelfSigned>() => {
            "the server's certificate is self-signed; Tls::ca_file (option tls_ca_file) names \
             what to trust"
                .to_owned()
        }
        CertificateError::BadSignature => {
            "the server's certificate was not signed by the authority that it names".to_owned()
        }
        CertificateError::Revoked => "the server's certificate was revoked".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not one for servers".to_owned()
        }
        error => format!("the server's certificate cannot be accepted: {error}"),
    }
}

/// `DnsName("a.b")` is `a.b` to whoever reads the message.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"')
}

/// What the server said before it hung up.
fn alerted(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            "the server wants a client certificate, and none was given; \
             Tls::client_certificate_files (options tls_cert_file, tls_key_file) names it"
                .to_owned()
        }
        AlertDescription::UnknownCA
        | AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied => {
            format!("the server does not accept the client certificate ({alert:?})")
        }
        AlertDescription::ProtocolVersion => VERSION.to_owned(),
        AlertDescription::HandshakeFailure => {
            "the server refused the TLS handshake; it may want a client certificate, or ciphers \
             that are not safe enough"
                .to_owned()
        }
        AlertDescription::UnrecognisedName => {
            "the server knows no certificate for this name; Tls::server_name (option \
             tls_server_name) sets another"
                .to_owned()
        }
        alert => format!("the server refused the TLS connection ({alert:?})"),
    }
}

const VERSION: &str = "the server speaks no version of TLS that is allowed here: 1.2 or 1.3, or \
     only the newer one by Tls::minimum_version (option tls_min_version)";
