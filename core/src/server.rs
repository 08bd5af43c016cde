//! What the server said of itself when the client connected.

use crate::config::Protocol;

/// The server's version and the protocol it is spoken to in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    version: String,
    protocol: Protocol,
}

impl ServerInfo {
    pub(crate) fn new(version: String, protocol: Protocol) -> ServerInfo {
        ServerInfo { version, protocol }
    }

    /// The version as the server writes it (`8.6.3`); empty when it did not say.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The protocol of the connection.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Whether the server is of this version or a newer one; `false` when its version is unknown.
    ///
    /// ```no_run
    /// # async fn example(client: alizarin_core::Client) {
    /// if client.server().at_least(8, 0) {
    ///     // hash fields with a time to live, vector sets, ...
    /// }
    /// # }
    /// ```
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        let mut parts = self.version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let info = ServerInfo::new("10.2.1".into(), Protocol::Resp3);
        assert!(info.at_least(8, 4) && info.at_least(10, 2) && !info.at_least(10, 3));
        assert!(!ServerInfo::new(String::new(), Protocol::Resp2).at_least(1, 0));
    }
}
