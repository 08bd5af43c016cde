use alizarin::prelude::*;

#[derive(RedisNested)]
struct Address {
    #[redis(tags)]
    city: String,
}

#[derive(RedisModel)]
#[redis(hash, index)]
struct Person {
    #[redis(id)]
    id: u32,
    #[redis(nested)]
    address: Option<Address>,
}

fn filter(people: &Repository<Person>) {
    let _ = people.find(|p| p.address.city.eq("Vienna"));
}

fn main() {}
