//! What is sent, word for word, as the server itself hears it.

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use alizarin::prelude::*;
use alizarin_testkit::Server;

use super::both_storages;
use crate::common::on;

/// A connection that is told of every command.
struct Monitor(BufReader<TcpStream>);

impl Monitor {
    fn new(server: &Server) -> Monitor {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port().unwrap())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(b"MONITOR\r\n").unwrap();
        let mut monitor = Monitor(BufReader::new(stream));
        assert_eq!(monitor.line(), "+OK");
        monitor
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// All that was sent until now but `CLIENT`s and `HELLO`s: the words of each command, as the
    /// server quotes them.
    fn heard(&mut self, server: &Server) -> Vec<String> {
        server.command(&["PING", "that is all"]).unwrap();
        let mut heard = Vec::new();
        loop {
            let line = self.line();
            // `+time [database address] "NAME" "argument" …`
            let (_, words) = line.split_once("] ").unwrap();
            let words = words.replace('"', "");
            if words == "PING that is all" {
                return heard;
            }
            if !["CLIENT", "HELLO", "COMMAND"].iter().any(|name| words.starts_with(name)) {
                heard.push(words);
            }
        }
    }
}

both_storages! {
    async fn each_search_is_one_command_and_a_count_asks_for_no_documents() {
        let server = Server::builder().private().start().unwrap();
        for protocol in [2, 3] {
            let members: Repository<Member> = on(&server, protocol).await;
            members.index().sync().await.unwrap();
            members.save_all(&several(3, |number, member| member.age = number)).await.unwrap();
            members.index().wait().await.unwrap();
            let mut monitor = Monitor::new(&server);
            let start = format!("FT.SEARCH {}member_idx", members.namespace());
            let end = "PARAMS 2 p0 1 DIALECT 2";

            assert_eq!(members.find(|m| m.age.ge(1)).count().await.unwrap(), 2);
            let want = format!("{start} (@age:[$p0 +inf]) NOCONTENT LIMIT 0 0 {end}");
            assert_eq!(monitor.heard(&server), [want]);

            let found = members.find(|m| m.age.ge(1)).sort_by(|m| m.name.desc()).page(3, 7);
            found.await.unwrap();
            let want = format!("{start} (@age:[$p0 +inf]) SORTBY name DESC LIMIT 21 7 {end}");
            assert_eq!(monitor.heard(&server), [want]);

            assert!(members.find(|m| m.age.ge(1)).first().await.unwrap().is_some());
            let want = format!("{start} (@age:[$p0 +inf]) LIMIT 0 1 {end}");
            assert_eq!(monitor.heard(&server), [want]);

            let ids = members.find(|m| m.age.ge(1)).sort_by(|m| m.age.asc()).offset(1).limit(5);
            assert_eq!(ids.ids().await.unwrap(), [2]);
            let want =
                format!("{start} (@age:[$p0 +inf]) NOCONTENT SORTBY age ASC LIMIT 1 5 {end}");
            assert_eq!(monitor.heard(&server), [want]);

            assert_eq!(members.find(|m| m.home.city.is_in(["a", "b"])).all().await.unwrap(), []);
            let want = format!(
                "{start} (@home_city:{{$p0|$p1}}) LIMIT 0 10000 PARAMS 4 p0 a p1 b DIALECT 2"
            );
            assert_eq!(monitor.heard(&server), [want]);
        }
    }

    async fn the_index_is_made_as_the_struct_says_and_only_once() {
        let server = Server::builder().private().start().unwrap();
        let members: Repository<Member> = on(&server, 3).await;
        let mut monitor = Monitor::new(&server);
        members.index().sync().await.unwrap();
        let space = members.namespace();
        let path = |path: &str| match (STORAGE, path.strip_suffix("[*]")) {
            ("json", _) => format!("$.{path}"),
            (_, list) => list.unwrap_or(path).to_owned(),
        };
        let mut want = format!(
            "FT.CREATE {space}member_idx:v1 ON {} PREFIX 1 {space}member: SCHEMA",
            STORAGE.to_uppercase()
        );
        let separator = r"\x1f";
        let address = |name: &str| {
            [
                (format!("{name}.city"), format!("TAG SEPARATOR {separator}")),
                (format!("{name}.zip"), "NUMERIC SORTABLE".to_owned()),
                (format!("{name}.note.description"), "TEXT WEIGHT 1".to_owned()),
                (
                    format!("{name}.note.mood"),
                    "VECTOR FLAT 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2".to_owned(),
                ),
            ]
        };
        let tag = format!("TAG SEPARATOR {separator}");
        let fields = [
            ("number", "NUMERIC SORTABLE"),
            ("name", &format!("{tag} SORTABLE")),
            ("age", "NUMERIC SORTABLE"),
            ("bio", "TEXT WEIGHT 1"),
            ("group", "TAG SEPARATOR |"),
            ("hobbies[*]", "TAG SEPARATOR ,"),
            ("active", &tag),
            ("nick", &format!("{tag} INDEXEMPTY INDEXMISSING")),
            ("rank", &tag),
            ("ranks[*]", &tag),
            ("badge", &tag),
            ("points", "NUMERIC"),
            ("place", "GEO"),
        ];
        let fields = fields.map(|(field, kind)| (field.to_owned(), kind.to_owned()));
        for (field, kind) in fields.into_iter().chain(address("home")).chain(address("work")) {
            let alias = field.trim_end_matches("[*]").replace('.', "_");
            want = format!("{want} {} AS {alias} {kind}", path(&field));
        }
        let heard = monitor.heard(&server);
        assert_eq!(heard.iter().filter(|line| line.starts_with("FT.CREATE")).collect::<Vec<_>>(), [&want]);
        members.index().wait().await.unwrap();
        members.index().sync().await.unwrap();
        let heard = monitor.heard(&server);
        let reads = ["FT.INFO", "FT._LIST", "HGETALL"];
        let only_reads = heard.iter().all(|line| reads.iter().any(|read| line.starts_with(read)));
        assert!(only_reads, "{heard:?}");
    }
}
