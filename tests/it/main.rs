//! Integration tests: everything against real servers, one module a capability.

mod acceptance;
mod adversity;
mod aggregate;
mod blocking;
mod bulk;
mod common;
mod events;
mod films;
mod index;
mod insert_replace;
mod lock;
mod locked;
mod query_bytes;
mod query_geo;
mod query_numeric;
mod query_tag;
mod query_text;
mod query_vector;
mod roundtrip;
mod save_get;
mod series;
mod set;
mod ttl;
mod update;
mod vector_set;
mod whole;
