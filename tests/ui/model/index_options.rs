use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(
    hash,
    index,
    score = 1.5,
    score_field = "rating",
    language_field = "lang",
    filter = " ",
    prefixes = "",
    temporary = "1500ms",
    upgrade_from = "OldFilm",
    no_offsets = true
)]
struct Film {
    #[redis(id)]
    id: u32,
    #[redis(text)]
    title: String,
}

#[derive(RedisModel)]
#[redis(hash, filter = "@year > 1900", max_text_fields)]
struct Book {
    #[redis(id)]
    id: u32,
}

fn main() {}
