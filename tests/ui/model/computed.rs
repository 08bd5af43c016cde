use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Wrong {
    #[redis(id, computed = "Wrong::one")]
    id: u32,
    #[redis(computed)]
    total: u32,
    #[redis(skip, computed = "Wrong::one")]
    skipped: u32,
}

impl Wrong {
    fn one(&self) -> u32 {
        1
    }
}

#[derive(RedisModel)]
#[redis(hash)]
struct Text {
    #[redis(id)]
    id: u32,
    #[redis(computed = "Text::text")]
    total: u32,
}

impl Text {
    fn text(&self) -> String {
        String::new()
    }
}

fn main() {}
