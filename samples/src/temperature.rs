//! A time series.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alizarin::prelude::*;

use crate::Outcome;

/// A measured temperature; there is a series for each city and height.
#[derive(Debug, Clone, PartialEq, RedisTimeSeries)]
#[redis(prefix = "temperature", duplicate = "last")]
pub struct Temperature {
    /// Where it was measured.
    #[redis(label)]
    pub city: String,
    /// In meters above the ground.
    #[redis(label)]
    pub height: u32,
    /// When it was measured.
    #[redis(timestamp)]
    pub at: SystemTime,
    /// In degrees Celsius.
    #[redis(value)]
    pub celsius: f64,
}

impl Temperature {
    /// One measured at 2 meters above the ground, `hour` hours after 1970 began.
    pub fn new(city: &str, hour: u64, celsius: f64) -> Temperature {
        let at = UNIX_EPOCH + Duration::from_secs(3600 * hour);
        Temperature { city: city.to_owned(), height: 2, at, celsius }
    }
}

/// Runs an example with two series of four hours each: Lisbon with 14, 15, 17 and 18 degrees, Oslo
/// with 1, 2, 4 and 3.
pub fn temperatures(example: impl AsyncFnOnce(Series<Temperature>) -> Outcome) {
    crate::client(async |client, namespace| {
        let series = client.series::<Temperature>().with_namespace(namespace);
        let mut all = Vec::new();
        for (city, measured) in [("Lisbon", [14, 15, 17, 18]), ("Oslo", [1, 2, 4, 3])] {
            let measured = (0..).zip(measured);
            all.extend(
                measured.map(|(hour, celsius)| Temperature::new(city, hour, celsius.into())),
            );
        }
        series.add_many(&all).await?.all()?;
        example(series).await
    });
}
