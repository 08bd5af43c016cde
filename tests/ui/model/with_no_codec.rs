use alizarin::prelude::*;

struct Codec;

#[derive(RedisModel)]
#[redis(hash)]
struct Host {
    #[redis(id)]
    id: u32,
    #[redis(with = Codec)]
    address: std::net::SocketAddr,
}

fn main() {}
