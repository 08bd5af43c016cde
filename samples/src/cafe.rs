//! A model with places and nested structs, as JSON.

use alizarin::prelude::*;

use crate::Outcome;

/// A café.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, prefix = "cafe", index)]
pub struct Cafe {
    /// Its name in web addresses.
    #[redis(id)]
    pub id: String,
    /// On its sign.
    #[redis(text)]
    pub name: String,
    /// Where it is.
    #[redis(geo, sortable)]
    pub place: GeoPoint,
    /// Where it delivers to.
    #[redis(geoshape, index_missing)]
    pub delivers: Option<GeoShape>,
    /// How many can sit.
    #[redis(numeric, sortable)]
    pub seats: u32,
    /// In words.
    #[redis(nested)]
    pub address: Address,
}

/// Where a café is, in words.
#[derive(Debug, Clone, PartialEq, RedisNested)]
pub struct Address {
    /// The street and the number.
    pub street: String,
    /// The city.
    #[redis(tag, sortable)]
    pub city: String,
}

fn all() -> Result<[Cafe; 3]> {
    let cafe = |id: &str, name: &str, place: GeoPoint, seats: u32, street: &str, city: &str| Cafe {
        id: id.to_owned(),
        name: name.to_owned(),
        place,
        delivers: None,
        seats,
        address: Address { street: street.to_owned(), city: city.to_owned() },
    };
    let center = [(16.35, 48.20), (16.38, 48.20), (16.38, 48.22), (16.35, 48.22)];
    let (sacher, central) = (GeoPoint::new(16.369, 48.204)?, GeoPoint::new(16.365, 48.210)?);
    Ok([
        cafe("sacher", "Café Sacher", sacher, 120, "Philharmonikerstr. 4", "Vienna"),
        Cafe {
            delivers: Some(GeoShape::polygon(center)?),
            ..cafe("central", "Café Central", central, 200, "Herrengasse 14", "Vienna")
        },
        cafe("slavia", "Café Slavia", GeoPoint::new(14.414, 50.081)?, 150, "Národní 1", "Prague"),
    ])
}

/// Runs an example with three cafés, in an index that knows them all:
///
/// | id | name | longitude | latitude | seats | city | delivers |
/// |---|---|---|---|---|---|---|
/// | sacher | Café Sacher | 16.369 | 48.204 | 120 | Vienna | |
/// | central | Café Central | 16.365 | 48.210 | 200 | Vienna | from 16.35 to 16.38 E, 48.20 to 48.22 N |
/// | slavia | Café Slavia | 14.414 | 50.081 | 150 | Prague | |
pub fn cafes(example: impl AsyncFnOnce(Repository<Cafe>) -> Outcome) {
    crate::client(async |client, namespace| {
        let cafes = client.repository::<Cafe>().with_namespace(namespace);
        cafes.save_all(&all()?).await?;
        cafes.index().sync().await?;
        cafes.index().wait().await?;
        example(cafes).await
    });
}
