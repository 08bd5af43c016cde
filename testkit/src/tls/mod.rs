//! What a server needs to speak TLS, as files and words of its command line.

#[cfg(feature = "tls")]
mod make;

use std::{
    ffi::OsString,
    fmt, fs,
    path::{Path, PathBuf},
};

use crate::error::Error;
#[cfg(feature = "tls")]
pub use make::Tls;

/// The PEM texts of one server, and how strict it is.
#[derive(Clone)]
pub(crate) struct Papers {
    pub(crate) ca: String,
    pub(crate) server: String,
    pub(crate) server_key: String,
    pub(crate) client: String,
    pub(crate) client_key: String,
    /// Clients must show a certificate.
    pub(crate) strict: bool,
    pub(crate) protocols: Option<String>,
}

/// The folder of the files, in the server's folder.
pub(crate) fn folder(server: &Path) -> PathBuf {
    server.join("tls")
}

impl Papers {
    /// Writes the files; gives the words that make the server use them, on that port.
    pub(crate) fn place(&self, server: &Path, port: u16) -> Result<Vec<OsString>, Error> {
        let folder = folder(server);
        let fail = |source| Error::file(format!("writing to {}", folder.display()), source);
        fs::create_dir_all(&folder).map_err(fail)?;
        for (name, text) in [
            ("ca.pem", &self.ca),
            ("server.pem", &self.server),
            ("server.key", &self.server_key),
            ("client.pem", &self.client),
            ("client.key", &self.client_key),
        ] {
            fs::write(folder.join(name), text).map_err(fail)?;
        }
        let mut words: Vec<OsString> = vec!["--tls-port".into(), port.to_string().into()];
        for (setting, name) in [
            ("--tls-ca-cert-file", "ca.pem"),
            ("--tls-cert-file", "server.pem"),
            ("--tls-key-file", "server.key"),
        ] {
            words.extend([setting.into(), folder.join(name).into()]);
        }
        let strict = if self.strict { "yes" } else { "no" };
        words.extend(["--tls-auth-clients", strict].map(OsString::from));
        if let Some(protocols) = &self.protocols {
            words.extend(["--tls-protocols".into(), protocols.into()]);
            // what is forbidden by default is asked for here: old versions
            words.extend(["--tls-ciphers", "DEFAULT:@SECLEVEL=0"].map(OsString::from));
        }
        Ok(words)
    }
}

impl fmt::Debug for Papers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Papers")
            .field("strict", &self.strict)
            .field("protocols", &self.protocols)
            .finish_non_exhaustive()
    }
}
