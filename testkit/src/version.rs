//! A server's version.

use std::{fmt, str::FromStr};

use crate::error::{Error, Kind};

/// A server's version: `major.minor.patch`, ordered.
///
/// # Examples
///
/// ```
/// use alizarin_testkit::{Server, Version};
///
/// if Server::shared()?.version() < Version::new(8, 4, 0) {
///     eprintln!("skipped: FT.HYBRID is newer than this server");
/// }
/// assert_eq!("8.6.3".parse::<Version>()?, Version::new(8, 6, 3));
/// # Ok::<(), alizarin_testkit::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Version {
    /// 8 in 8.6.3.
    pub major: u32,
    /// 6 in 8.6.3.
    pub minor: u32,
    /// 3 in 8.6.3.
    pub patch: u32,
}

impl Version {
    /// The version `major.minor.patch`.
    ///
    /// # Examples
    ///
    /// ```
    /// use alizarin_testkit::Version;
    ///
    /// assert!(Version::new(8, 10, 0) > Version::new(8, 6, 3));
    /// ```
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.split('.').map(str::parse);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => {
                Ok(Self { major, minor, patch })
            }
            _ => Err(Kind::Reply(format!("{text:?} is not a version")).into()),
        }
    }
}
