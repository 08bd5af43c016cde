use alizarin::{Ref, RedisModel, RedisNested, Result};

#[derive(RedisModel)]
#[redis(hash)]
struct Author {
    #[redis(id)]
    id: u32,
}

#[derive(RedisModel)]
#[redis(json, index)]
struct Book {
    #[redis(id, tag, on_delete = "cascade")]
    id: u32,
    #[redis(tag, on_delete)]
    bare: Ref<Author>,
    #[redis(tag, on_delete = cascade)]
    word: Ref<Author>,
    #[redis(tag, on_delete = "set_null")]
    unknown: Ref<Author>,
    #[redis(tag, on_delete = "cascade", on_delete = "unset")]
    twice: Option<Ref<Author>>,
    #[redis(tag, on_delete = "unset")]
    mandatory: Ref<Author>,
    #[redis(on_delete = "restrict")]
    not_indexed: Ref<Author>,
    #[redis(tag, sortable, no_index, on_delete = "restrict")]
    only_sorted: Ref<Author>,
    #[redis(text, on_delete = "restrict")]
    words: Ref<Author>,
    #[redis(tag, validate = "valid", on_delete = "unset")]
    validated: Option<Ref<Author>>,
    #[redis(skip, on_delete = "cascade")]
    skipped: Option<Ref<Author>>,
    #[redis(nested, on_delete = "cascade")]
    place: Place,
    #[redis(version, on_delete = "cascade")]
    version: u64,
}

fn valid(_: &Option<Ref<Author>>) -> Result<()> {
    Ok(())
}

#[derive(RedisModel)]
#[redis(json, index)]
struct Summed {
    #[redis(id)]
    id: u32,
    #[redis(tag, on_delete = "unset")]
    author: Option<Ref<Author>>,
    #[redis(computed = "Summed::sum")]
    sum: u32,
}

impl Summed {
    fn sum(&self) -> u32 {
        self.id
    }
}

#[derive(RedisNested)]
struct Place {
    #[redis(tag, on_delete = "cascade")]
    owner: Ref<Author>,
}

fn main() {}
