use alizarin::RedisModel;

#[derive(RedisModel)]
#[redis(
    hash,
    unique,
    unique = "team",
    unique(team, team),
    unique(team, absent),
    unique(team, number = 7),
    unique(email, tag),
    unique(tag, email)
)]
struct Struct {
    #[redis(id, unique)]
    id: u32,
    #[redis(version, unique)]
    version: u64,
    #[redis(skip, unique)]
    skipped: u32,
    #[redis(unique(a, b))]
    list: u32,
    #[redis(unique(a))]
    team: u32,
    #[redis(unique = "alone")]
    number: u32,
    #[redis(unique, unique)]
    email: String,
    #[redis(unique = "a:b")]
    tag: String,
    #[redis(unique = "a:b", unique = "a:b")]
    other: String,
    #[redis(unique, rename = "a:c")]
    renamed: String,
    #[redis(unique = "email", unique = 7)]
    like_a_field: String,
}

fn main() {}
