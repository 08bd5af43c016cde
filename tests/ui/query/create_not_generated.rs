use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Note {
    #[redis(id)]
    id: Ulid,
}

async fn note(notes: Repository<Note>) {
    let _ = notes.create(|id| Note { id }).await;
}

fn main() {}
