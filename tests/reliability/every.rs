//! Each sort of call, dropped after one poll, after two, and so on until it comes to its end: the next
//! call gets its own reply, and the call itself still works.

use std::time::Duration;

use alizarin::CacheConfig;
use alizarin::commands::{Script, get, incr, set};
use alizarin::prelude::*;
use alizarin::repository::Lock;
use alizarin_testkit::{Cluster, Server};

use crate::tier::{connect, give_up, report, together};

/// A model with a field of every kind of index.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, prefix = "thing", index)]
struct Thing {
    #[redis(id)]
    id: u32,
    #[redis(tag)]
    kind: String,
    #[redis(text)]
    words: String,
    #[redis(numeric, sortable)]
    count: i64,
    #[redis(vector(flat, l2))]
    at: Vector<f32, 2>,
    #[redis(version)]
    version: u64,
}

fn thing(id: u32) -> Thing {
    let at = [id as f32, 1.0].into();
    Thing { id, kind: "odd".into(), words: "red lamp".into(), count: 0, at, version: 0 }
}

static ECHO: Script = Script::new("return ARGV[1]");

/// What was dropped, and what came to its end.
#[derive(Default)]
struct Tally {
    dropped: u64,
    kinds: u64,
}

/// Drops futures that this makes, each a little later than the last, until one is ready.
async fn each<T>(
    tally: &mut Tally,
    client: &Client,
    name: &str,
    mut make: impl AsyncFnMut() -> T,
) -> T {
    let mut polls = 0;
    loop {
        let outcome = give_up(make(), polls).await;
        // Whoever comes next gets what it asked for.
        let mark = format!("{name} {polls}");
        let echo: String = client.command("ECHO").arg(&mark).await.unwrap();
        assert_eq!(echo, mark);
        match outcome {
            Some(outcome) => {
                tally.kinds += 1;
                return outcome;
            }
            None => tally.dropped += 1,
        }
        assert!(polls < 50_000_000, "{name} does not come to its end");
        polls += 1 + polls / 8;
    }
}

/// Calls by name; each must succeed once it comes to its end.
macro_rules! every {
    ($tally:ident, $client:expr, { $($name:literal: $call:expr,)* }) => {
        $(each($tally, $client, $name, async || $call.await).await
            .unwrap_or_else(|error| panic!("{}: {error}", $name));)*
    };
}

async fn core(client: &Client, tally: &mut Tally) {
    let key = "{every}k";
    let cache = client.cache(CacheConfig::new()).await.unwrap();
    every!(tally, client, {
        "get": client.get::<Option<String>>(key),
        "set": client.set(key, "v"),
        "incr": client.incr("{every}n"),
        "command": client.command::<u64>("STRLEN").key(key),
        "mget": client.mget::<Option<String>>([key, "{every}other"]),
        "pipeline": client.pipeline((set(key, "w"), get::<String>(key))),
        "transaction": client.transaction((set(key, "x"), get::<String>(key))),
        "transaction_with": client.transaction_with(key, async |tx| {
            let value: Option<String> = tx.run(get(key)).await?;
            Ok((set(key, value.unwrap_or_default()), get::<String>(key)))
        }),
        "confirmed_by": async {
            match client.set(key, "y").confirmed_by(0, Duration::from_millis(10)).await {
                Ok(_) => Ok(()),
                Err(error) if error.kind() == ErrorKind::Unconfirmed => Ok(()),
                Err(error) => Err(error),
            }
        },
        "exclusive": async {
            let mut held = client.exclusive_for(key).await?;
            held.run(incr("{every}n")).await?;
            held.transaction((incr("{every}n"), incr("{every}n"))).await
        },
        "BLPOP": async {
            client.rpush("{every}list", "x").await?;
            client.command::<Option<(String, String)>>("BLPOP").key("{every}list").arg(0.01).await
        },
        "scan": async {
            let mut cursor = 0;
            loop {
                let (next, _): (u64, Vec<String>) = client.scan(cursor, "{every}*", 100).await?;
                cursor = next;
                if cursor == 0 {
                    return Ok::<_, Error>(());
                }
            }
        },
        "held MULTI": async {
            let mut held = client.exclusive_for(key).await?;
            held.command::<()>("MULTI").exec().await?;
            held.command::<String>("INCR").key("{every}n").await?;
            held.command::<Vec<u64>>("EXEC").await
        },
        "held WATCH": async {
            let mut held = client.exclusive_for(key).await?;
            held.command::<()>("WATCH").key("{every}watched").exec().await?;
            held.transaction((incr("{every}n"), incr("{every}n"))).await
        },
        "held pipeline": async {
            let mut held = client.exclusive_for(key).await?;
            held.pipeline((set(key, "z"), get::<String>(key))).await
        },
        "script": ECHO.invoke::<String>().key(key).arg("x").run(client),
        "subscribe": client.subscribe(["every"]),
        "psubscribe": client.psubscribe(["ev*"]),
        "ssubscribe": client.ssubscribe(["every"]),
        "psubscribe_primaries": client.psubscribe_primaries(["ev*"]),
        "message": async {
            let mut news = client.subscribe(["every message"]).await?;
            client.publish("every message", "x").await?;
            news.next_message().await.transpose()
        },
        "cache": cache.get::<Option<String>>(key),
        "shared cache": cache.shared(get::<Option<String>>(key)),
        "publish": client.publish("every", "x"),
    });
}

async fn models(things: &Repository<Thing>, tally: &mut Tally) {
    let client = things.client();
    let one = thing(1);
    let several: Vec<Thing> = (10..40).map(thing).collect();
    every!(tally, client, {
        "save_all": things.save_all(&several),
        "save": things.save(&one),
        "get": things.get(&1),
        "replace": things.replace(&one),
        "get_many": things.get_many(&[1, 10, 2]),
        "exists": things.exists(&1),
        "set": things.set(&1, |t| t.count.add(1)),
        "set returning": things.set(&1, |t| t.count.add(1)).returning(|t| t.count),
        "update": things.update(&1, |thing| thing.count += 1),
        "upsert": things.upsert(&one, |t| t.words.to("blue lamp")),
        "locked": things.locked(&1, async |thing: &mut Thing| {
            thing.count += 1;
            Ok(())
        }).wait(Duration::from_secs(20)),
        "lock": async {
            let lock: Lock<Thing> = things.lock(&1).wait(Duration::from_secs(20)).await?;
            lock.release().await
        },
        "begin": async {
            let mut tx = client.begin();
            tx.push(things.save(&one));
            // Where the document is.
            tx.push(incr("{thing:1}n"));
            tx.commit().await
        },
        "transact": client.transact(async |tx| {
            tx.watch("{thing:1}n").await?;
            if let Some(thing) = tx.get(things, &1).await? {
                tx.push(things.set(&1, |t| t.count.to(thing.count + 1)));
            }
            Ok(())
        }),
        "expire": things.expire(&1, Duration::from_secs(600)),
        "ttl": things.ttl(&1),
        "persist": async {
            things.expire(&1, Duration::from_secs(600)).await?;
            things.persist(&1).await
        },
        "scan documents": async {
            let mut all = things.scan();
            while let Some(thing) = all.next().await {
                thing?;
            }
            Ok::<_, Error>(())
        },
        "scan ids": async {
            let mut all = things.scan_ids();
            while let Some(id) = all.next().await {
                id?;
            }
            Ok::<_, Error>(())
        },
        "set_many": things.set_many(&[10, 11], |t| t.count.to(5)),
        "delete_many": things.delete_many(&[12, 13]),
        "insert or not": async {
            match things.insert(&one).await {
                Ok(_) => Ok(()),
                Err(error) if error.kind() == ErrorKind::Exists => Ok(()),
                Err(error) => Err(error),
            }
        },
        "delete": things.delete(&1),
    });
}

/// What needs an index: on one server alone, since no search module here works on a cluster.
async fn searches(things: &Repository<Thing>, tally: &mut Tally) {
    let client = things.client();
    let several: Vec<Thing> = (10..40).map(thing).collect();
    things.save_all(&several).await.unwrap();
    every!(tally, client, {
        "index().sync": things.index().sync(),
        "index().plan": things.index().plan(),
        "index().check": things.index().check(),
        "find": things.find(|t| t.words.matches("lamp") & t.kind.eq("odd")).all(),
        "first": things.find(|t| t.kind.eq("odd")).first(),
        "ids": things.find(|t| t.kind.eq("odd")).ids(),
        "index().info": things.index().info(),
        "count": things.find(|t| t.count.ge(0)).count(),
        "page": things.find(|t| t.count.ge(0)).page(1, 5),
        "stream": async {
            let mut found = things.find(|t| t.kind.eq("odd")).stream()?;
            while let Some(thing) = found.next().await {
                thing?;
            }
            Ok::<_, Error>(())
        },
        "nearest": things.nearest(3, |t| t.at.to([1.0, 1.0])).all(),
        "set_where": things.set_where(|t| t.kind.eq("odd"), |t| t.count.to(7)),
        "delete_where": things.delete_where(|t| t.count.eq(7)),
        "index().drop": async {
            match things.index().drop().await {
                // An earlier one did it.
                Err(error) if error.to_string().contains("does not exist") => Ok(()),
                outcome => outcome,
            }
        },
    });
}

#[test]
fn every_sort_of_call_dropped_at_every_poll() {
    let (_turn, (server, cluster)) = together(|| {
        let server = Server::builder().private().start().unwrap();
        (server, Cluster::builder().modules(true).start().unwrap())
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut tally = Tally::default();
    runtime.block_on(async {
        let single = Client::connect(server.url().as_str()).await.unwrap();
        searches(&single.repository(), &mut tally).await;
        let clients = [single, connect(&cluster).await];
        for client in &clients {
            core(client, &mut tally).await;
            models(&client.repository(), &mut tally).await;
            let metrics = client.pool_metrics();
            assert_eq!((metrics.in_use, metrics.waiting), (0, 0));
        }
    });
    report(
        "R14 every sort of call",
        &format!(
            "{} sorts of calls of client and repository, on a server and a cluster, {} dropped after each \
             number of polls: every next call had its own reply; floor 0",
            tally.kinds, tally.dropped
        ),
    );
}
