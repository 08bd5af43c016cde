//! Commands that concern more than one node, and what becomes of their replies.
//!
//! After the request and response policies that the server declares for its commands.

use super::merge::Merge;
use crate::resp::Packed;

/// Where a command goes whose first key does not say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// Each key to its own slot's node: so many arguments a key, and at the end so many that all
    /// nodes get.
    Keys { step: usize, tail: usize, merge: Merge },
    /// To every primary.
    Primaries(Merge),
    /// To every node, replicas too.
    Nodes(Merge),
    /// From one primary to the next (`SCAN`).
    Sweep,
    /// To any node, whatever its arguments: the search module asks the other nodes itself. A
    /// cursor belongs to the node that made it: of commands with one the argument at this place
    /// names the index, which decides for all of them.
    Search(Option<usize>),
}

/// The policy of a command that is not simply sent where its first key is.
pub(super) fn policy(arguments: &[&[u8]]) -> Option<Policy> {
    let word = |at: usize| {
        let word = arguments.get(at).copied().unwrap_or_default();
        String::from_utf8_lossy(word).to_ascii_uppercase()
    };
    let keys = |step, tail, merge| Some(Policy::Keys { step, tail, merge });
    match word(0).as_str() {
        "DEL" | "UNLINK" | "EXISTS" | "TOUCH" => keys(1, 0, Merge::Sum),
        "MGET" => keys(1, 0, Merge::Elements),
        "MSET" => keys(2, 0, Merge::AllSucceeded),
        "JSON.MGET" => keys(1, 1, Merge::Elements),
        "JSON.MSET" => keys(3, 0, Merge::AllSucceeded),
        "DBSIZE" => Some(Policy::Primaries(Merge::Sum)),
        "KEYS" => Some(Policy::Primaries(Merge::Concatenated)),
        "RANDOMKEY" => Some(Policy::Primaries(Merge::One)),
        "FLUSHALL" | "FLUSHDB" => Some(Policy::Primaries(Merge::AllSucceeded)),
        "SCAN" => Some(Policy::Sweep),
        "SCRIPT" => match word(1).as_str() {
            "LOAD" => Some(Policy::Primaries(Merge::AllSucceeded)),
            "FLUSH" => Some(Policy::Nodes(Merge::AllSucceeded)),
            "EXISTS" => Some(Policy::Primaries(Merge::And)),
            "KILL" => Some(Policy::Primaries(Merge::OneSucceeded)),
            _ => None,
        },
        "FUNCTION" => match word(1).as_str() {
            "KILL" => Some(Policy::Primaries(Merge::OneSucceeded)),
            "LOAD" | "DELETE" | "FLUSH" | "RESTORE" => Some(Policy::Primaries(Merge::AllSucceeded)),
            _ => None,
        },
        "CONFIG" => match word(1).as_str() {
            "SET" | "RESETSTAT" | "REWRITE" => Some(Policy::Nodes(Merge::AllSucceeded)),
            _ => None,
        },
        "ACL" => match word(1).as_str() {
            "SETUSER" | "DELUSER" | "LOAD" | "SAVE" => Some(Policy::Nodes(Merge::AllSucceeded)),
            _ => None,
        },
        "SLOWLOG" => match word(1).as_str() {
            "LEN" => Some(Policy::Nodes(Merge::Sum)),
            "RESET" => Some(Policy::Nodes(Merge::AllSucceeded)),
            _ => None,
        },
        "LATENCY" if word(1) == "RESET" => Some(Policy::Nodes(Merge::Sum)),
        "MEMORY" if word(1) == "PURGE" => Some(Policy::Primaries(Merge::AllSucceeded)),
        "PUBSUB" => match word(1).as_str() {
            "CHANNELS" | "SHARDCHANNELS" => Some(Policy::Nodes(Merge::Union)),
            "NUMSUB" | "SHARDNUMSUB" => Some(Policy::Nodes(Merge::Counts)),
            "NUMPAT" => Some(Policy::Nodes(Merge::Sum)),
            _ => None,
        },
        "FT.AGGREGATE" | "FT.HYBRID" => Some(Policy::Search(Some(1))),
        "FT.CURSOR" => Some(Policy::Search(Some(2))),
        name if name.starts_with("FT.") => Some(Policy::Search(None)),
        _ => None,
    }
}

/// The keys of a command, as far as the client knows where they stand among its arguments; `None`
/// where it would concern several nodes of a cluster.
#[doc(hidden)]
pub fn known_keys(packed: &Packed) -> Option<Vec<Vec<u8>>> {
    let arguments: Vec<&[u8]> = packed.arguments().collect();
    match policy(&arguments) {
        Some(Policy::Keys { step, tail, .. }) => {
            let end = arguments.len().saturating_sub(tail);
            let keys = arguments.get(1..end).unwrap_or_default().iter().step_by(step);
            Some(keys.map(|key| key.to_vec()).collect())
        }
        Some(_) => None,
        None => Some(packed.first_key().map(<[u8]>::to_vec).into_iter().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_subcommands_in_any_case() {
        let of =
            |words: &[&str]| policy(&words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>());
        assert_eq!(of(&["dbsize"]), Some(Policy::Primaries(Merge::Sum)));
        assert_eq!(of(&["Script", "load", "x"]), Some(Policy::Primaries(Merge::AllSucceeded)));
        assert_eq!(of(&["ft.search", "i", "*"]), Some(Policy::Search(None)));
        assert_eq!(of(&["FT.CURSOR", "READ", "i", "7"]), Some(Policy::Search(Some(2))));
        assert_eq!(of(&["SCRIPT", "KILL"]), Some(Policy::Primaries(Merge::OneSucceeded)));
        assert_eq!(of(&["ACL", "SETUSER", "x"]), Some(Policy::Nodes(Merge::AllSucceeded)));
        assert_eq!(of(&["SLOWLOG", "GET"]), None);
        assert_eq!(of(&["GET", "k"]), None);
    }

    #[test]
    fn keys_are_found_where_they_stand() {
        let of = |words: &[&str], key: Option<&str>| {
            let mut packed = Packed::new();
            words.iter().for_each(|word| packed.push(word.as_bytes()));
            key.iter().for_each(|key| packed.push_key(key.as_bytes()));
            let text = |key| String::from_utf8(key).unwrap();
            known_keys(&packed).map(|keys| keys.into_iter().map(text).collect::<Vec<_>>())
        };
        let keys = [
            of(&["MSET", "a", "1", "b", "2"], None),
            of(&["JSON.MGET", "a", "b", "$"], None),
            of(&["GET"], Some("k")),
            of(&["PING"], None),
        ];
        let want = [vec!["a", "b"], vec!["a", "b"], vec!["k"], vec![]];
        assert!(
            keys.into_iter()
                .eq(want.map(|keys| Some(keys.into_iter().map(String::from).collect())))
        );
        assert_eq!(of(&["DBSIZE"], None), None);
    }
}
