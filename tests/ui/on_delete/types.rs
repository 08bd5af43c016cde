use alizarin::{Ref, RedisModel};

#[derive(RedisModel)]
#[redis(hash)]
struct Author {
    #[redis(id)]
    id: u32,
}

type Writer = Ref<Author>;

#[derive(RedisModel)]
#[redis(json, index)]
struct Book {
    #[redis(id)]
    id: u32,
    #[redis(tag, on_delete = "cascade")]
    no_reference: String,
    #[redis(tag, on_delete = "unset")]
    hidden: Writer,
    #[redis(tag, on_delete = "restrict")]
    fine: Option<Writer>,
}

fn main() {}
