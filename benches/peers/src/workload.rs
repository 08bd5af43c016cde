//! What is measured.

/// One kind of work, of which a client does units one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// `GET` into `String`.
    Get { size: usize, tasks: usize },
    /// `SET` by one task.
    Set { size: usize },
    /// `GET` and `SET` in turn.
    Mixed { size: usize, tasks: usize },
    /// One pipeline of `SET`.
    SetMany { count: usize },
    /// One pipeline of `GET`, into `Vec<String>`.
    GetMany { count: usize },
    /// `HGETALL` of 20 fields into a struct.
    Hash { tasks: usize },
    /// One pipeline of them.
    Hashes { count: usize },
    /// `GET` of a large value into bytes.
    Blob { size: usize },
    /// `SET` of a large value.
    SetBlob { size: usize },
    /// `LRANGE` of 10,000 into `Vec<String>`.
    List,
    /// `ZRANGE WITHSCORES` of 10,000 into pairs.
    Scores,
    /// `JSON.GET` of 2 KiB into a struct.
    Json,
    /// `FT.SEARCH` with 100 documents of 20 fields into structs.
    Search,
    /// `FT.SEARCH` for the 10 nearest of 2,000 vectors.
    Knn,
    /// Messages published by another connection, received.
    Messages { count: usize },
    /// `GET` into `String`, without a runtime.
    BlockingGet { size: usize },
    /// `HGETALL` of 20 fields into a struct, without a runtime.
    BlockingHash,
    /// One pipeline of `GET` into `Vec<String>`, without a runtime.
    BlockingGetMany { count: usize },
    /// `GET` of 100 B into `String`, over TLS.
    Encrypted { tasks: usize },
    /// A model of 20 fields, written.
    Save,
    /// `GET` into `String`, of a key on one of three primaries.
    Routed { tasks: usize },
    /// `GET` of 100 B by one task, while another gets 1 MiB values and a third sends pipelines of
    /// 1,000 `GET` over the same client; Alizarin's has so many connections.
    Beside { connections: usize },
}

use Workload::*;

/// Every workload of the table, with its name.
pub const ALL: &[(&str, Workload)] = &[
    ("get-16", Get { size: 16, tasks: 1 }),
    ("get", Get { size: 100, tasks: 1 }),
    ("get-4k", Get { size: 4 << 10, tasks: 1 }),
    ("set-16", Set { size: 16 }),
    ("set", Set { size: 100 }),
    ("set-4k", Set { size: 4 << 10 }),
    ("get-8", Get { size: 100, tasks: 8 }),
    ("get-64", Get { size: 100, tasks: 64 }),
    ("get-256", Get { size: 100, tasks: 256 }),
    ("get-1024", Get { size: 100, tasks: 1024 }),
    ("mixed-16-8", Mixed { size: 16, tasks: 8 }),
    ("mixed-16-64", Mixed { size: 16, tasks: 64 }),
    ("mixed-16-256", Mixed { size: 16, tasks: 256 }),
    ("mixed-16-1024", Mixed { size: 16, tasks: 1024 }),
    ("mixed-8", Mixed { size: 100, tasks: 8 }),
    ("mixed-64", Mixed { size: 100, tasks: 64 }),
    ("mixed-256", Mixed { size: 100, tasks: 256 }),
    ("mixed-1024", Mixed { size: 100, tasks: 1024 }),
    ("mixed-4k-8", Mixed { size: 4 << 10, tasks: 8 }),
    ("mixed-4k-64", Mixed { size: 4 << 10, tasks: 64 }),
    ("mixed-4k-256", Mixed { size: 4 << 10, tasks: 256 }),
    ("mixed-4k-1024", Mixed { size: 4 << 10, tasks: 1024 }),
    ("pipeline-set-100", SetMany { count: 100 }),
    ("pipeline-get-1000", GetMany { count: 1_000 }),
    ("hash", Hash { tasks: 1 }),
    ("hash-64", Hash { tasks: 64 }),
    ("pipeline-hash-1000", Hashes { count: 1_000 }),
    ("save", Save),
    ("blob-64k", Blob { size: 64 << 10 }),
    ("blob-1m", Blob { size: 1 << 20 }),
    ("blob-10m", Blob { size: 10 << 20 }),
    ("set-64k", SetBlob { size: 64 << 10 }),
    ("set-1m", SetBlob { size: 1 << 20 }),
    ("set-10m", SetBlob { size: 10 << 20 }),
    ("list-10000", List),
    ("scores-10000", Scores),
    ("json-2k", Json),
    ("search-100", Search),
    ("knn-10", Knn),
    ("messages-100000", Messages { count: 100_000 }),
    ("blocking-get", BlockingGet { size: 100 }),
    ("blocking-hash", BlockingHash),
    ("blocking-pipeline-get-1000", BlockingGetMany { count: 1_000 }),
    ("tls-get", Encrypted { tasks: 1 }),
    ("tls-get-64", Encrypted { tasks: 64 }),
    ("cluster-get", Routed { tasks: 1 }),
    ("cluster-get-64", Routed { tasks: 64 }),
    ("beside-large", Beside { connections: 1 }),
    ("beside-large-2", Beside { connections: 2 }),
];

impl Workload {
    /// By its name.
    pub fn named(name: &str) -> Option<Workload> {
        ALL.iter().find(|(known, _)| *known == name).map(|(_, workload)| *workload)
    }

    /// How many tasks work at once, on one connection.
    pub fn tasks(self) -> usize {
        match self {
            Get { tasks, .. } | Mixed { tasks, .. } => tasks,
            Hash { tasks } | Routed { tasks } | Encrypted { tasks } => tasks,
            _ => 1,
        }
    }

    /// What one unit is, and how many of them one call does.
    pub fn unit(self) -> (&'static str, usize) {
        match self {
            Get { .. } | Set { .. } | Mixed { .. } | BlockingGet { .. } => ("command", 1),
            Encrypted { .. } | Routed { .. } | Beside { .. } => ("command", 1),
            Save => ("model", 1),
            SetMany { count } | GetMany { count } | BlockingGetMany { count } => ("command", count),
            Hash { .. } | BlockingHash => ("hash", 1),
            Hashes { count } => ("hash", count),
            Blob { .. } | SetBlob { .. } => ("value", 1),
            List => ("element", crate::data::ELEMENTS),
            Scores => ("pair", crate::data::ELEMENTS),
            Json => ("document", 1),
            Search => ("hit", 100),
            Knn => ("search", 1),
            Messages { count } => ("message", count),
        }
    }

    /// Whether it is also measured on a runtime of two workers.
    pub fn threads(self) -> bool {
        matches!(self, Get { tasks: 8.., .. } | Mixed { tasks: 64.., .. } | Beside { .. })
    }

    /// Whether it needs a cluster.
    pub fn is_routed(self) -> bool {
        matches!(self, Routed { .. })
    }

    /// Whether it goes over TLS.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Encrypted { .. })
    }

    /// Whether it needs a client without a runtime.
    pub fn is_blocking(self) -> bool {
        matches!(self, BlockingGet { .. } | BlockingHash | BlockingGetMany { .. })
    }

    /// Whether other work goes on meanwhile, so that only a call's time says something.
    pub fn is_beside(self) -> bool {
        matches!(self, Beside { .. })
    }

    /// How many calls are enough to count something that hardly changes from call to call; each
    /// task does as many as any other.
    pub fn few_calls(self) -> usize {
        let calls = match self {
            Blob { size } | SetBlob { size } => ((4 << 20) / size).max(2),
            Messages { .. } => 1,
            _ => match self.unit().1 {
                1 => 2_000 * self.tasks().min(4),
                100 => 100,
                _ => 8,
            },
        };
        calls.next_multiple_of(self.tasks())
    }
}
