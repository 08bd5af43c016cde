use alizarin::prelude::*;

#[derive(RedisPatch)]
struct Nobodys {
    cents: Patch<i64>,
}

#[derive(RedisPatch)]
#[redis(of = "Account", all)]
struct Text {
    #[redis(at = "cents", rename = "c")]
    cents: Patch<i64>,
}

#[derive(RedisPatch)]
enum Choice {
    One,
}

fn main() {}
