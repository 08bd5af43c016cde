//! Commands as bytes.

use crate::data;
use crate::workload::Workload;

/// One command in RESP.
pub fn command(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The same, of text.
fn words(line: &str) -> Vec<u8> {
    command(&line.split(' ').map(str::as_bytes).collect::<Vec<_>>())
}

/// What one call after the other sends, and how many replies each gets.
pub fn requests(workload: Workload) -> (Vec<Vec<u8>>, usize) {
    let get = |size, n| command(&[b"GET", data::key(size, n).as_bytes()]);
    let set = |size, n| command(&[b"SET", data::key(size, n).as_bytes(), &data::value(size, 1)]);
    let hash = |n: usize| command(&[b"HGETALL", format!("profile:{n:04}").as_bytes()]);
    let one = |requests| (requests, 1);
    match workload {
        Workload::Get { size, .. } | Workload::Blob { size } | Workload::BlockingGet { size } => {
            one((0..data::keys(size)).map(|n| get(size, n)).collect())
        }
        Workload::Encrypted { .. } => one((0..data::KEYS).map(|n| get(100, n)).collect()),
        Workload::Mixed { size, .. } => {
            let either = |n| if n % 2 == 0 { get(size, n) } else { set(size, n) };
            one((0..data::keys(size)).map(either).collect())
        }
        Workload::Set { size } | Workload::SetBlob { size } => {
            one((0..data::keys(size)).map(|n| set(size, n)).collect())
        }
        Workload::SetMany { count } => {
            (vec![(0..count).flat_map(|n| set(100, n)).collect()], count)
        }
        Workload::GetMany { count } | Workload::BlockingGetMany { count } => {
            (vec![(0..count).flat_map(|n| get(100, n)).collect()], count)
        }
        Workload::Hash { .. } | Workload::BlockingHash => {
            one((0..data::PROFILES).map(hash).collect())
        }
        Workload::Hashes { count } => (vec![(0..count).flat_map(hash).collect()], count),
        Workload::List => one(vec![words("LRANGE list 0 -1")]),
        Workload::Scores => one(vec![words("ZRANGE scores 0 -1 WITHSCORES")]),
        Workload::Json => one(vec![words("JSON.GET order:1")]),
        Workload::Search => {
            let head: &[&[u8]] = &[b"FT.SEARCH", b"profiles", b"@age:[20 59]", b"LIMIT"];
            one(vec![command(&[head, &[b"0", b"100", b"DIALECT", b"2"]].concat())])
        }
        Workload::Knn => {
            let vector = data::bytes(&data::vector(7));
            let head: &[&[u8]] = &[b"FT.SEARCH", b"vectors", b"*=>[KNN 10 @v $q AS d]"];
            let middle: &[&[u8]] = &[b"RETURN", b"1", b"d", b"LIMIT", b"0", b"10"];
            let tail: &[&[u8]] = &[b"PARAMS", b"2", b"q", &vector, b"DIALECT", b"2"];
            one(vec![command(&[head, middle, tail].concat())])
        }
        Workload::Save => {
            let one = |n| {
                let model = data::profile(n);
                let key = format!("profile:{}", model.id);
                let fields = data::fields(&model);
                let pairs =
                    fields.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
                command(
                    &[b"HSET".as_slice(), key.as_bytes()]
                        .into_iter()
                        .chain(pairs)
                        .collect::<Vec<_>>(),
                )
            };
            ((0..data::PROFILES).map(one).collect(), 1)
        }
        // They have no floor.
        Workload::Routed { .. } | Workload::Beside { .. } => one(Vec::new()),
        Workload::Messages { .. } => one(vec![words("SUBSCRIBE news")]),
    }
}
