//! A vector set.

use alizarin::prelude::*;

use crate::Outcome;

/// What is kept beside the vector of a poster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, RedisAttributes)]
pub struct Facts {
    /// When it was printed.
    pub year: i32,
    /// Its kind.
    pub style: String,
    /// Of the paper it is on.
    pub sizes: Vec<String>,
}

impl Facts {
    /// Of a poster in one size.
    pub fn new(year: i32, style: &str, size: &str) -> Facts {
        Facts { year, style: style.to_owned(), sizes: vec![size.to_owned()] }
    }
}

/// Runs an example with three posters by their colors (red, green, blue):
///
/// | id | vector | year | style | sizes |
/// |---|---|---|---|---|
/// | 1 | 0.9, 0.1, 0.0 | 1894 | art nouveau | A1 |
/// | 2 | 0.8, 0.2, 0.1 | 1923 | bauhaus | A2 |
/// | 3 | 0.0, 0.3, 0.9 | 1968 | pop | A1 |
pub fn posters(example: impl AsyncFnOnce(VectorSet<u32, Facts>) -> Outcome) {
    crate::client(async |client, namespace| {
        let posters = client.vector_set::<u32, Facts>(format!("{namespace}posters"));
        let all = [
            (1, [0.9, 0.1, 0.0], Facts::new(1894, "art nouveau", "A1")),
            (2, [0.8, 0.2, 0.1], Facts::new(1923, "bauhaus", "A2")),
            (3, [0.0, 0.3, 0.9], Facts::new(1968, "pop", "A1")),
        ];
        for (id, color, facts) in all {
            posters.add(&id, &color).attributes(&facts).await?;
        }
        example(posters).await
    });
}
