use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(json, unique(team, number))]
struct Player {
    #[redis(id)]
    id: u32,
    #[redis(unique)]
    email: String,
    team: String,
    number: u32,
}

async fn find(players: Repository<Player>) -> Result<()> {
    players.by(|p| p.team, "red").await?;
    players.by(|p| p.email, 7).await?;
    players.by(|p| (p.team, p.number), ("red", "seven")).await?;
    players.by(|p| (p.team, p.number), "red").await?;
    Ok(())
}

fn main() {}
