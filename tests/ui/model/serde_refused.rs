use alizarin::prelude::*;

#[derive(Serialize, RedisModel)]
#[serde(tag = "kind")]
#[redis(json)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[serde(flatten)]
    extra: std::collections::BTreeMap<String, String>,
    #[serde(serialize_with = "hex")]
    color: u32,
    #[serde(skip_serializing)]
    secret: String,
}

fn hex<S: serde::Serializer>(color: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{color:x}"))
}

fn main() {}
