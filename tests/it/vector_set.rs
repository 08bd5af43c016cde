//! Vector sets against a real server, on both protocols.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use alizarin::vectors::{Quantization, VectorSet, VectorSetSource, attribute};
use alizarin::{Client, Config, ErrorKind, RedisAttributes};
use alizarin_testkit::Server;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, RedisAttributes)]
struct Facts {
    title: String,
    #[serde(rename = "released")]
    year: u32,
    rating: Option<f32>,
    seen: bool,
    tags: Vec<String>,
    genre: Genre,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Genre {
    Drama,
    #[serde(rename = "Rock 'n' Roll")]
    Rock,
}

fn facts(title: &str, year: u32) -> Facts {
    let odd = year % 2 == 1;
    Facts {
        title: title.into(),
        year,
        rating: odd.then_some(7.1),
        seen: odd,
        tags: vec!["film".into(), format!("y{year}")],
        genre: if odd { Genre::Rock } else { Genre::Drama },
    }
}

async fn on_both<F: AsyncFn(Client)>(test: F) {
    for protocol in ["2", "3"] {
        let server = Server::builder().private().start().unwrap();
        let url = format!("{}?protocol={protocol}", server.url());
        let config: Config = url.as_str().try_into().unwrap();
        test(Client::connect(config).await.unwrap()).await;
    }
}

#[tokio::test]
async fn elements_come_and_go() {
    on_both(async |client| {
        let set: VectorSet<u32, Facts> = client.vector_set("films");
        assert_eq!(set.len().await.unwrap(), 0);
        assert!(set.is_empty().await.unwrap());
        assert_eq!(set.dimension().await.unwrap(), None);
        assert_eq!(set.get(&1).await.unwrap(), None);
        assert_eq!(set.similar_to(&[1.0, 0.0]).await.unwrap(), []);

        let alien = facts("Alien", 1979);
        let add =
            set.add(&1, &[3.0, 0.5, -4.0]).attributes(&alien).quantization(Quantization::None);
        assert!(add.ef(100).m(8).cas().await.unwrap());
        assert!(set.add(&2, &[1.0, 0.0, 0.0]).quantization(Quantization::None).m(8).await.unwrap());
        let found = set.get(&1).await.unwrap().unwrap();
        let error: f32 =
            found.vector.iter().zip([3.0, 0.5, -4.0]).map(|(a, b)| (a - b).abs()).sum();
        assert!(error < 1e-5, "{:?}", found.vector);
        assert_eq!(found.attributes, Some(alien.clone()));
        assert_eq!(set.get(&2).await.unwrap().unwrap().attributes, None);
        assert_eq!(set.dimension().await.unwrap(), Some(3));
        assert!(set.contains(&2).await.unwrap());
        assert!(!set.contains(&3).await.unwrap());

        // A new vector keeps the attributes.
        let again = set.add(&1, &[1.0, 1.0, 1.0]).quantization(Quantization::None).m(8);
        assert!(!again.await.unwrap());
        assert_eq!(set.attributes(&1).await.unwrap(), Some(alien));
        set.set_attributes(&2, &facts("Brazil", 1985)).await.unwrap();
        assert_eq!(set.attributes(&2).await.unwrap().unwrap().year, 1985);
        set.clear_attributes(&2).await.unwrap();
        assert_eq!(set.attributes(&2).await.unwrap(), None);
        let missing = set.set_attributes(&9, &facts("x", 1)).await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        assert_eq!(set.similar(&9).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert!(set.remove(&2).await.unwrap());
        assert!(!set.remove(&2).await.unwrap());
        assert_eq!(set.len().await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_first_element_decides() {
    on_both(async |client| {
        let set: VectorSet<String> = client.vector_set("v");
        set.add(&"a".into(), &[1.0, 0.0]).await.unwrap();
        let kind = async |add: alizarin::vectors::AddVector<'_, ()>| add.await.unwrap_err().kind();
        assert_eq!(kind(set.add(&"b".into(), &[1.0, 0.0, 0.0])).await, ErrorKind::Value);
        assert_eq!(kind(set.add(&"b".into(), &[1.0, f32::NAN])).await, ErrorKind::Value);
        assert_eq!(kind(set.add(&"b".into(), &[0.0_f32; 0])).await, ErrorKind::Value);
        let binary = set.add(&"b".into(), &[1.0, 0.0]).quantization(Quantization::Bin);
        assert_eq!(kind(binary).await, ErrorKind::Usage);
        assert_eq!(kind(set.add(&"b".into(), &[1.0, 0.0]).reduce(1)).await, ErrorKind::Usage);
        assert_eq!(set.similar_to(&[1.0]).await.unwrap_err().kind(), ErrorKind::Value);
        let checked = set.clone().of_dimension(3);
        assert_eq!(checked.similar_to(&[1.0, 2.0]).await.unwrap_err().kind(), ErrorKind::Value);

        let reduced: VectorSet<u8> = client.vector_set("r");
        reduced
            .add(&1, &[1.0, 2.0, 3.0, 4.0])
            .reduce(2)
            .quantization(Quantization::Bin)
            .await
            .unwrap();
        assert_eq!(reduced.dimension().await.unwrap(), Some(2));
        client.command("SET").key("text").arg("x").exec().await.unwrap();
        assert!(client.vector_set::<u8, ()>("text").add(&1, &[1.0]).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn similar_elements() {
    on_both(async |client| {
        let set: VectorSet<u32, Facts> = client.vector_set("films");
        for n in 0..20_u32 {
            let add = set.add(&n, &[1.0, n as f32 * 0.1]).quantization(Quantization::None);
            add.attributes(&facts(&format!("film {n}"), 1980 + n)).await.unwrap();
        }
        set.add(&99, &[1.0, 0.15]).quantization(Quantization::None).await.unwrap();

        let near = set.similar_to(&[1.0, 0.0]).count(3).await.unwrap();
        let ids: Vec<_> = near.iter().map(|hit| hit.id).collect();
        assert_eq!(ids, [0, 1, 99]);
        assert!(near[0].score > 0.999 && near[0].score >= near[1].score);
        assert_eq!(near[0].attributes, None);
        let near = set.similar(&1).count(3).with_attributes().await.unwrap();
        assert_eq!(near[0].id, 1);
        assert_eq!(near[0].attributes.as_ref().unwrap().title, "film 1");
        assert_eq!(near.iter().find(|hit| hit.id == 99).unwrap().attributes, None);
        assert_eq!(set.similar(&1).count(0).await.unwrap(), []);
        assert!(set.similar_to(&[1.0, 0.0]).count(100).epsilon(0.01).await.unwrap().len() < 10);

        let years = set
            .similar_to(&[1.0, 0.0])
            .filter(|a| a.year.ge(1985) & a.year.lt(1990) & !a.title.eq("film 7"))
            .filter(|a| a.tags.has("film"))
            .ef(100)
            .filter_ef(10_000)
            .exact()
            .await
            .unwrap();
        let mut ids: Vec<_> = years.iter().map(|hit| hit.id).collect();
        ids.sort_unstable();
        assert_eq!(ids, [5, 6, 8, 9]);

        let count = async |filter| {
            set.similar_to(&[1.0, 0.0])
                .count(100)
                .filter_ef(10_000)
                .matching(filter)
                .await
                .unwrap()
                .len()
        };
        let a = FactsFields::default();
        assert_eq!(count(a.seen.eq(true)).await, 10);
        assert_eq!(count(a.rating.eq(7.1_f32)).await, 10);
        assert_eq!(count(a.rating.lt(9)).await, 10, "null is not less than 9");
        assert_eq!(count(a.rating.is_null()).await, 10);
        assert_eq!(count(a.genre.is(&Genre::Rock)).await, 10);
        assert_eq!(count(a.title.contains("lm 1")).await, 11);
        assert_eq!(count(a.year.is_in([1980, 1981, 5])).await, 2);
        assert_eq!(count(a.year.is_in([0; 0])).await, 0);
        assert_eq!(count(((a.year - 1980) % 5).eq(0)).await, 4);
        assert_eq!(count(a.year.ne(1980) | a.seen.eq(true)).await, 19);
        assert_eq!(count(attribute::<i32>("no_such").ne(1) | a.year.gt(0)).await, 0);
    })
    .await;
}

/// Whatever text an element's attribute holds: a filter for it finds that element alone, or is
/// refused. It never means something else.
#[tokio::test]
async fn text_never_changes_a_filters_meaning() {
    let texts = [
        "plain",
        "",
        "it's",
        "say \"hi\"",
        "both ' and \"",
        "back\\slash",
        "ends in \\",
        "two \\\\",
        "\\'",
        "\\\"",
        "x\\\"",
        "x\\'",
        "a\nb",
        "a\tb",
        "a\rb",
        "a\x08b",
        "a\x01b",
        "é😀",
        "\" or 1 or \"",
        "' or 1 or '",
        "\\\" or 1 or \\\"",
        ") or (1",
        ".title",
        "null",
        "1",
        "1.0",
        "[1]",
        "true",
        "\x7f",
    ];
    on_both(async |client| {
        let set: VectorSet<u32, Facts> = client.vector_set("films");
        for (n, text) in texts.iter().enumerate() {
            let add = set.add(&(n as u32), &[1.0, n as f32 * 0.01]);
            add.attributes(&facts(text, 2000)).await.unwrap();
        }
        let mut refused = Vec::new();
        for (n, text) in texts.iter().enumerate() {
            let search = |list: bool| {
                let a = FactsFields::default();
                let filter = if list { a.title.is_in([*text]) } else { a.title.eq(*text) };
                set.similar_to(&[1.0, 0.0]).count(100).filter_ef(10_000).matching(filter)
            };
            match (search(false).await, search(true).await) {
                (Ok(found), Ok(listed)) => {
                    let ids: Vec<_> = found.iter().map(|hit| hit.id).collect();
                    assert_eq!(ids, [n as u32], "{text:?}");
                    assert_eq!(found, listed, "{text:?}");
                }
                (Err(error), Err(_)) => {
                    assert_eq!(error.kind(), ErrorKind::Value, "{text:?}: {error}");
                    refused.push(*text);
                }
                _ => panic!("{text:?} is refused in one form only"),
            }
        }
        assert_eq!(refused, ["both ' and \"", "ends in \\", "a\x08b", "a\x01b"]);
    })
    .await;
}

/// A door to `server` behind which no command that begins with `V` is known, as before Redis 8.0:
/// later ones cannot be started without vector sets.
fn before_vector_sets(server: &Server) -> String {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = door.local_addr().unwrap();
    let inner = ("127.0.0.1", server.port().unwrap());
    thread::spawn(move || {
        for outside in door.incoming() {
            let (mut outside, mut inside) = (outside.unwrap(), TcpStream::connect(inner).unwrap());
            let (mut replies, mut back) =
                (inside.try_clone().unwrap(), outside.try_clone().unwrap());
            thread::spawn(move || io::copy(&mut replies, &mut back));
            thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = outside.read(&mut bytes) {
                    // `\r\nVCARD\r\n`: no argument of the test is such a word.
                    for at in 2..count {
                        let word = bytes[at..count].split(|byte| *byte == b'\r').next().unwrap();
                        if word.len() > 3
                            && bytes[at - 2..].starts_with(b"\r\nV")
                            && word.iter().all(u8::is_ascii_uppercase)
                        {
                            bytes[at] = b'?';
                        }
                    }
                    inside.write_all(&bytes[..count]).unwrap();
                }
            });
        }
    });
    format!("redis://{address}")
}

#[tokio::test]
async fn a_server_without_vector_sets_says_so() {
    let server = Server::builder().modules(false).start().unwrap();
    let url = before_vector_sets(&server);
    for protocol in [2, 3] {
        let client = Client::connect(format!("{url}?protocol={protocol}").as_str()).await.unwrap();
        let set: VectorSet<u32, Facts> = client.vector_set("films");
        let errors = [
            set.add(&1, &[1.0, 0.0]).await.unwrap_err(),
            set.add(&1, &[1.0, 0.0]).attributes(&facts("Alien", 1979)).await.unwrap_err(),
            set.get(&1).await.unwrap_err(),
            set.attributes(&1).await.unwrap_err(),
            set.set_attributes(&1, &facts("Alien", 1979)).await.unwrap_err(),
            set.clear_attributes(&1).await.unwrap_err(),
            set.contains(&1).await.unwrap_err(),
            set.remove(&1).await.unwrap_err(),
            set.len().await.unwrap_err(),
            set.dimension().await.unwrap_err(),
            set.similar_to(&[1.0, 0.0]).await.unwrap_err(),
            set.similar(&1).filter(|a| a.year.gt(1970)).await.unwrap_err(),
        ];
        for (at, error) in errors.iter().enumerate() {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{at}: {error}");
            assert!(error.message().contains("vector sets need Redis 8.0"), "{at}: {error}");
        }
        client.command::<String>("PING").await.unwrap();
    }
}
