//! What most programs use: `use alizarin::prelude::*;`
//!
//! To derive `Serialize` and `Deserialize`, a program needs `serde` itself among its dependencies.

pub use crate::events::Change;
pub use crate::model::{GeoPoint, GeoShape, RedisModel, RedisValue, Ref, Vector};
pub use crate::query::{Direction, Scored, Unit, count};
pub use crate::repository::{Patch, Repositories, Repository, Transactions};
pub use crate::series::{Series, SeriesSource, TimeSeriesModel};
pub use crate::vectors::{VectorSet, VectorSetSource};
pub use alizarin_core::{Client, Error, ErrorKind, Result};
pub use alizarin_derive::{
    RedisAttributes, RedisModel, RedisNested, RedisPatch, RedisProjection, RedisRow,
    RedisTimeSeries, RedisValue,
};
pub use serde::{Deserialize, Serialize};
#[cfg(feature = "ulid")]
pub use ulid::Ulid;
#[cfg(feature = "uuid")]
pub use uuid::Uuid;
