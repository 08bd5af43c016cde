use std::time::Duration;

use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Login {
    #[redis(id)]
    id: u32,
    name: String,
}

#[derive(RedisModel)]
#[redis(json)]
struct Page {
    #[redis(id)]
    id: u32,
    name: String,
}

async fn limit(logins: Repository<Login>, pages: Repository<Page>) -> Result<()> {
    logins.expire(&1, Duration::from_secs(1)).of(|l| l.name).await?;
    pages.expire(&1, Duration::from_secs(1)).of(|p| p.name).await?;
    Ok(())
}

fn main() {}
