use alizarin::prelude::*;

struct Movie;

fn repository(client: &Client) {
    let _: Repository<Movie> = client.repository();
}

fn main() {}
