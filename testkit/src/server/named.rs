//! A server that is not ours: the one at `REDIS_URL`.

use std::{
    env,
    time::{Duration, Instant},
};

use crate::{client::Client, endpoint::Endpoint, error::Error, resp::Reply};

/// The server at `REDIS_URL`, when it is set.
pub(super) fn named() -> Result<Option<Endpoint>, Error> {
    match env::var("REDIS_URL") {
        Ok(url) if !url.is_empty() => Endpoint::parse(&url).map(Some),
        _ => Ok(None),
    }
}

/// Removes the indexes and keys whose names start with `namespace`, as far as it gets in time.
pub(super) fn tidy(endpoint: &Endpoint, namespace: &str) -> Result<(), Error> {
    let deadline = Instant::now() + Duration::from_secs(2);
    let mut client = Client::connect(endpoint, Duration::from_secs(2))?;
    // a server without Search refuses, and then there are no indexes
    let indexes = client.call(&["FT._LIST"]).map(Reply::into_list).unwrap_or_default();
    for index in indexes.into_iter().map(Reply::into_text) {
        if index.starts_with(namespace) {
            client.call(&["FT.DROPINDEX", &index])?;
        }
    }
    let pattern = format!("{namespace}*");
    let mut cursor = "0".to_owned();
    while Instant::now() < deadline {
        let page = client.call(&["SCAN", &cursor, "MATCH", &pattern, "COUNT", "1000"])?;
        let mut page = page.into_list().into_iter();
        cursor = page.next().map(Reply::into_text).unwrap_or_default();
        for key in page.next().map(Reply::into_list).unwrap_or_default() {
            client.call(&["UNLINK", &key.into_text()])?;
        }
        if cursor == "0" {
            break;
        }
    }
    Ok(())
}
