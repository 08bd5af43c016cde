//! Fields that are worked out, and fields of types that somebody else made.

use std::net::SocketAddr;

use alizarin::model::FieldCodec;
use alizarin::prelude::*;

use crate::common::{everywhere, somebody};

/// A socket's address as text, but not that of port 0.
struct AsText;

impl FieldCodec<SocketAddr> for AsText {
    type Stored = String;

    fn encode(address: &SocketAddr) -> Result<String> {
        match address.port() {
            0 => Err(Error::new(ErrorKind::Value, "port 0 is nobody's")),
            _ => Ok(address.to_string()),
        }
    }

    fn decode(text: String) -> Result<SocketAddr> {
        text.parse().map_err(|_| Error::new(ErrorKind::Decode, "no socket address"))
    }
}

macro_rules! orders {
    ($($name:ident $versioned:ident $storage:ident $computed:ident $coded:ident;)+) => {$(
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis($storage, prefix = "order", index)]
        struct $name {
            #[redis(id)]
            id: u32,
            cents: Vec<u32>,
            #[redis(computed = "Self::sum", numeric, sortable, default)]
            total: u32,
            #[redis(computed = $name::summary, tag, text)]
            about: String,
        }

        impl $name {
            fn sum(&self) -> u32 {
                self.cents.iter().sum()
            }

            fn summary(&self) -> String {
                format!("{} lines", self.cents.len())
            }
        }

        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis($storage, prefix = "host", index)]
        struct $versioned {
            #[redis(id)]
            id: u32,
            #[redis(tag, with = "AsText")]
            address: SocketAddr,
            #[redis(with = AsText, default = "nowhere")]
            other: SocketAddr,
            #[redis(version)]
            version: u64,
        }

        #[tokio::test]
        async fn $computed() {
            everywhere(async |orders: Repository<$name>| {
                orders.index().sync().await.unwrap();
                let order = |id, cents: &[u32]| $name {
                    id,
                    cents: cents.to_vec(),
                    total: 0,
                    about: "not this".into(),
                };
                orders.save(&order(1, &[200, 50])).await.unwrap();
                orders.insert(&order(2, &[])).await.unwrap();
                let read = orders.get(&1).await.unwrap().unwrap();
                assert_eq!((read.total, read.about.as_str()), (250, "2 lines"));
                orders.update(&2, |order| order.cents.push(7)).await.unwrap();
                orders.index().wait().await.unwrap();
                let dear = orders.find(|o| o.total.ge(250) & o.about.eq("2 lines"));
                assert_eq!(dear.ids().await.unwrap(), [1]);
                let all = orders.find(|o| o.about.matches("line")).sort_by(|o| o.total.asc());
                assert_eq!(all.ids().await.unwrap(), [2, 1]);
                // A single field could leave the sum wrong.
                let error = orders.set(&1, |o| o.cents.to_value(vec![1])).await.unwrap_err();
                assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("cents")));
                assert!(error.message().contains("`total`"), "{error}");
                assert_eq!(orders.get(&1).await.unwrap().unwrap().cents, [200, 50]);
            })
            .await;
        }

        #[tokio::test]
        async fn $coded() {
            everywhere(async |hosts: Repository<$versioned>| {
                hosts.index().sync().await.unwrap();
                let host = |id, port| $versioned {
                    id,
                    address: ([127, 0, 0, 1], port).into(),
                    other: ([10, 0, 0, 1], port).into(),
                    version: 0,
                };
                hosts.save(&host(1, 80)).await.unwrap();
                let want = $versioned { version: 1, ..host(1, 80) };
                assert_eq!(hosts.get(&1).await.unwrap(), Some(want));
                let error = hosts.save(&host(2, 0)).await.unwrap_err();
                assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("address")));
                assert!(!hosts.exists(&2).await.unwrap());
                hosts.index().wait().await.unwrap();
                let found = hosts.find(|h| h.address.eq("127.0.0.1:80")).one().await.unwrap();
                assert_eq!(found.id, 1);
                hosts.set(&1, |h| h.address.to("127.0.0.1:81")).await.unwrap();
                assert_eq!(hosts.get(&1).await.unwrap().unwrap().address.port(), 81);
                let key = hosts.key(&1);
                match stringify!($storage) {
                    "hash" => somebody(&["HDEL", &key, "other"]),
                    _ => somebody(&["JSON.DEL", &key, "$.other"]),
                };
                assert_eq!(hosts.get(&1).await.unwrap().unwrap().other, nowhere());
                match stringify!($storage) {
                    "hash" => somebody(&["HSET", &key, "address", "x"]),
                    _ => somebody(&["JSON.SET", &key, "$.address", "\"x\""]),
                };
                let error = hosts.get(&1).await.unwrap_err();
                assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("address")));
            })
            .await;
        }
    )+};
}

fn nowhere() -> SocketAddr {
    ([0, 0, 0, 0], 0).into()
}

orders! {
    OrderHash HostHash hash worked_out_fields_of_a_hash_follow_the_rest fields_with_a_codec_in_a_hash;
    OrderJson HostJson json worked_out_fields_of_json_follow_the_rest fields_with_a_codec_in_json;
}
