use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, prefix = "trip")]
struct Trip {
    #[redis(id)]
    id: u32,
    stops: Vec<String>,
    done: bool,
}

async fn push(trips: Repository<Trip>) -> Result<()> {
    trips.set(&1, |t| t.stops.push("Ulm")).await?;
    trips.set(&1, |t| t.done.add(1)).await?;
    Ok(())
}

fn main() {}
