use alizarin::prelude::*;

fn at_once(client: &Client) {
    let mut tx = client.begin();
    tx.push(client.incr("n"));
}

fn main() {}
