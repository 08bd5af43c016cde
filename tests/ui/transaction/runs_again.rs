use alizarin::prelude::*;

async fn count(client: &Client) -> Result<u32> {
    let mut attempts = 0;
    client
        .transact(async |_tx| {
            attempts += 1;
            Ok(())
        })
        .await?;
    Ok(attempts)
}

fn main() {}
