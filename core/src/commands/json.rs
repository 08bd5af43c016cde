//! JSON documents (needs the server's JSON module).

use super::commands;
use crate::command::named;
use crate::resp::ToArgs;

commands! {
    /// The values at paths of a document, as JSON text (`JSON.GET`): for one path in `$` syntax a
    /// list of matches, for several an object of such lists; `None` when there is no such key.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.json_set("doc", "$", r#"{"year":1979}"#).await?;
    /// let years: Option<String> = client.json_get("doc", "$.year").await?;
    /// assert_eq!(years.as_deref(), Some("[1979]"));
    /// # });
    /// ```
    fn json_get<R>(key: impl ToArgs, paths: impl ToArgs) -> R {
        named!("JSON.GET", key key, arg paths)
    }

    /// Sets the value at a path to JSON text; a new document needs the path `$`. `false` when the path
    /// matches nothing (`JSON.SET`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// assert!(client.json_set("doc", "$", r#"{"tags":[]}"#).await?);
    /// assert!(!client.json_set("doc", "$.no.such", "1").await?);
    /// # });
    /// ```
    fn json_set(key: impl ToArgs, path: &str, json: impl ToArgs) -> bool {
        named!("JSON.SET", key key, arg path, arg json)
    }

    /// Deletes the values at a path; gives how many there were (`JSON.DEL`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// client.json_set("doc", "$", r#"{"year":1979}"#).await?;
    /// assert_eq!(client.json_del("doc", "$.year").await?, 1);
    /// # });
    /// ```
    fn json_del(key: impl ToArgs, path: &str) -> u64 {
        named!("JSON.DEL", key key, arg path)
    }
}
