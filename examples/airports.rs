//! 3,376 airports: found by distance, by name, and by the box that Colorado is.
//!
//! `cargo run --release --example airports` needs no server: it starts one, or uses `REDIS_URL`.

use std::time::Instant;

use alizarin::prelude::*;
use alizarin_testkit::Server;

type Failure = Box<dyn std::error::Error>;

/// An airport: its position is indexed twice, for distances and for shapes.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "airport", index)]
struct Airport {
    #[redis(id)]
    iata: String,
    #[redis(text)]
    name: String,
    city: String,
    #[redis(tag)]
    state: String,
    #[redis(geo)]
    position: GeoPoint,
    #[redis(geoshape)]
    place: GeoShape,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let server = Server::start()?;
    let client = Client::connect(server.url().as_str()).await?;
    let airports: Repository<Airport> = client.repository().with_namespace(server.namespace());
    println!("Alizarin on Redis {}", server.version());

    let all = load()?;
    let started = Instant::now();
    airports.index().sync().await?;
    airports.save_all(&all).await?;
    airports.index().wait().await?;
    title(&format!("{} airports saved and indexed", all.len()), started);

    let seattle = airports.get(&"SEA".to_owned()).await?.ok_or("SEA is not in the data")?.position;
    let started = Instant::now();
    let near = airports.find(|a| a.position.within_radius(seattle, 40, Unit::Kilometers));
    let near = near.all().await?;
    title(&format!("{} airports within 40 km of Seattle-Tacoma", near.len()), started);
    table(near, seattle, 10);

    let started = Instant::now();
    let near = airports
        .find(|a| a.position.within_radius(seattle, 200, Unit::Miles))
        .and(|a| a.name.matches("intl") & a.state.ne("WA"))
        .all()
        .await?;
    title("International airports within 200 miles, outside Washington", started);
    table(near, seattle, 10);

    let denver = GeoPoint::new(-104.667, 39.858)?;
    let (west, east) = (-109.05, -102.05);
    let colorado = GeoShape::polygon([(west, 37.0), (east, 37.0), (east, 41.0), (west, 41.0)])?;
    let started = Instant::now();
    let inside = airports.find(|a| a.place.within(&colorado)).all().await?;
    let named = airports.find(|a| a.state.eq("CO")).count().await?;
    title(&format!("{} airports in Colorado's box, {named} that say so", inside.len()), started);
    table(inside, denver, 5);
    Ok(())
}

/// Rows of airports, the nearest to `center` first.
fn table(mut airports: Vec<Airport>, center: GeoPoint, rows: usize) {
    let far = |airport: &Airport| kilometers(center, airport.position);
    airports.sort_by(|a, b| far(a).total_cmp(&far(b)));
    for airport in airports.iter().take(rows) {
        let Airport { iata, name, city, state, .. } = airport;
        println!("  {iata:4} {name:38.38} {city:20.20} {state:2} {:7.1} km", far(airport));
    }
    if airports.len() > rows {
        println!("  … and {} more", airports.len() - rows);
    }
}

/// The distance on a sphere.
fn kilometers(a: GeoPoint, b: GeoPoint) -> f64 {
    let [la, lb] = [a, b].map(|point| point.latitude().to_radians());
    let (dlat, dlon) = (lb - la, (b.longitude() - a.longitude()).to_radians());
    let h = (dlat / 2.0).sin().powi(2) + la.cos() * lb.cos() * (dlon / 2.0).sin().powi(2);
    2.0 * 6_372.8 * h.sqrt().asin()
}

fn load() -> Result<Vec<Airport>, Failure> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data");
    let text = std::fs::read_to_string(format!("{folder}/airports.csv"))?;
    text.lines().skip(1).map(|line| airport(&cells(line))).collect()
}

fn airport(cells: &[String]) -> Result<Airport, Failure> {
    let [iata, name, city, state, _country, latitude, longitude] = cells else {
        return Err(format!("not seven cells: {cells:?}").into());
    };
    let position = GeoPoint::new(longitude.parse()?, latitude.parse()?)?;
    let place = GeoShape::point(position.longitude(), position.latitude())?;
    let [iata, name, city, state] = [iata, name, city, state].map(String::clone);
    Ok(Airport { iata, name, city, state, position, place })
}

/// A line's cells; what is quoted may hold commas.
fn cells(line: &str) -> Vec<String> {
    let quoted = line.split('"').enumerate();
    let marked: String = quoted
        .map(|(n, part)| if n % 2 == 1 { part.replace(',', "\0") } else { part.to_owned() })
        .collect();
    marked.split(',').map(|cell| cell.replace('\0', ",")).collect()
}

fn title(text: &str, started: Instant) {
    println!("\n{text}  ({:.1} ms)", started.elapsed().as_secs_f64() * 1e3);
}
