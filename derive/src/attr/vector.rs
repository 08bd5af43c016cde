//! The options of `vector(..)`.

use super::{Item, parsed, string};
use crate::ctxt::Ctxt;
use crate::symbol;

/// An index of vectors.
pub(crate) struct Vector {
    pub(crate) algorithm: Algorithm,
    /// The metric's variant.
    pub(crate) metric: &'static str,
}

/// How vectors are searched; each option as RediSearch names it.
pub(crate) enum Algorithm {
    Flat {
        block_size: Option<u64>,
        initial_cap: Option<u64>,
    },
    Hnsw {
        m: Option<u64>,
        ef_construction: Option<u64>,
        ef_runtime: Option<u64>,
        epsilon: Option<f64>,
        initial_cap: Option<u64>,
    },
    SvsVamana {
        graph_max_degree: Option<u64>,
        construction_window_size: Option<u64>,
        search_window_size: Option<u64>,
        epsilon: Option<f64>,
        compression: Option<String>,
        training_threshold: Option<u64>,
        reduce: Option<u64>,
    },
}

/// The options that only one algorithm, or two of them, take.
const OPTIONS: &[(&str, &[&str])] = &[
    ("block_size", &["flat"]),
    ("initial_cap", &["flat", "hnsw"]),
    ("m", &["hnsw"]),
    ("ef_construction", &["hnsw"]),
    ("ef_runtime", &["hnsw"]),
    ("epsilon", &["hnsw", "svs_vamana"]),
    ("graph_max_degree", &["svs_vamana"]),
    ("construction_window_size", &["svs_vamana"]),
    ("search_window_size", &["svs_vamana"]),
    ("compression", &["svs_vamana"]),
    ("training_threshold", &["svs_vamana"]),
    ("reduce", &["svs_vamana"]),
];

impl Vector {
    pub(crate) fn read(cx: &Ctxt, item: &Item, inside: &[Item]) -> Vector {
        let metric = chosen(cx, inside, &["cosine", "ip", "l2"]);
        let algorithm = chosen(cx, inside, &["hnsw", "flat", "svs_vamana"]);
        if metric.is_none() || algorithm.is_none() {
            cx.error(
                &item.name,
                "a vector index needs an algorithm and a metric: `vector(hnsw, cosine)`; there \
                 are `hnsw`, `flat`, `svs_vamana` and `cosine`, `ip`, `l2`",
            );
        }
        for (name, homes) in OPTIONS {
            let item = inside.iter().find(|item| item.is(name));
            if let (Some(item), Some(algorithm)) = (item, algorithm)
                && !homes.contains(&algorithm)
            {
                let homes = symbol::list(homes);
                cx.error(item, format!("`{name}` is an option of {homes}"));
            }
        }
        let metric = match metric {
            Some("ip") => "InnerProduct",
            Some("l2") => "Euclidean",
            _ => "Cosine",
        };
        Vector { algorithm: Algorithm::read(cx, algorithm, inside), metric }
    }
}

impl Algorithm {
    fn read(cx: &Ctxt, algorithm: Option<&str>, inside: &[Item]) -> Algorithm {
        let find = |name: &str| inside.iter().find(|item| item.is(name));
        let number = |name: &str| {
            let number = find(name).and_then(|item| parsed::<u64>(cx, item, 16));
            // RediSearch refuses it when the index is created.
            if let (Some(0), Some(item)) = (number, find(name)) {
                cx.error(item, format!("`{name}` is one or more"));
            }
            number
        };
        let epsilon = || find("epsilon").and_then(|item| parsed(cx, item, 0.01));
        match algorithm {
            Some("flat") => Algorithm::Flat {
                block_size: number("block_size"),
                initial_cap: number("initial_cap"),
            },
            Some("svs_vamana") => {
                let compression = find("compression").and_then(|item| compression(cx, item));
                if let (Some(item), false) = (
                    find("reduce"),
                    compression.as_ref().is_some_and(|name| name.starts_with("LeanVec")),
                ) {
                    cx.error(item, "`reduce` is an option of the LeanVec compressions");
                }
                if let (Some(item), None) = (find("training_threshold"), &compression) {
                    cx.error(item, "`training_threshold` needs `compression`");
                }
                Algorithm::SvsVamana {
                    graph_max_degree: number("graph_max_degree"),
                    construction_window_size: number("construction_window_size"),
                    search_window_size: number("search_window_size"),
                    epsilon: epsilon(),
                    compression,
                    training_threshold: number("training_threshold"),
                    reduce: number("reduce"),
                }
            }
            _ => Algorithm::Hnsw {
                m: number("m"),
                ef_construction: number("ef_construction"),
                ef_runtime: number("ef_runtime"),
                epsilon: epsilon(),
                initial_cap: number("initial_cap"),
            },
        }
    }
}

/// The one of `names` that is given; two exclude each other.
fn chosen<'n>(cx: &Ctxt, inside: &[Item], names: &[&'n str]) -> Option<&'n str> {
    let given = inside.iter().filter(|item| names.iter().any(|name| item.is(name)));
    let mut given = given.inspect(|item| {
        item.flag(cx);
    });
    let first = given.next();
    if let Some(first) = first
        && let Some(other) = given.find(|item| item.name != first.name)
    {
        let message = format!("`{}` and `{}` exclude each other", first.name, other.name);
        cx.error(other, message);
    }
    first.and_then(|first| names.iter().copied().find(|name| first.is(name)))
}

fn compression(cx: &Ctxt, item: &Item) -> Option<String> {
    let name = string(cx, item)?;
    if !symbol::COMPRESSION.contains(&name.as_str()) {
        let legal = symbol::list(symbol::COMPRESSION);
        cx.error(item, format!("there is no compression {name:?}; there are {legal}"));
        return None;
    }
    Some(name)
}
