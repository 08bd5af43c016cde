//! Every option holds on every topology and on every connection of a client, async and blocking.
#![cfg(feature = "tls")]

use std::time::{Duration, Instant};

use alizarin_core::commands::{get, incr, set};
use alizarin_core::{
    CacheConfig, Client, Config, ErrorKind, PoolConfig, Protocol, ReadFrom, Result, Run as _, Sent,
    Tls,
};
use alizarin_testkit::{Cluster, Sentinel, Server, ServerBuilder, Tls as Papers};
use tokio::runtime::Runtime;

/// Nothing takes longer.
const LONG: Duration = Duration::from_secs(30);

/// What there is to connect to.
enum Place {
    One(Server),
    Cluster(Cluster),
    Sentinel(Sentinel),
}

/// A deployment, and how it is reached.
struct Topology {
    name: &'static str,
    place: Place,
    config: Config,
}

impl Topology {
    fn servers(&self) -> Vec<&Server> {
        match &self.place {
            Place::One(server) => vec![server],
            Place::Cluster(cluster) => (0..cluster.len()).map(|at| cluster.node(at)).collect(),
            Place::Sentinel(all) => (0..all.servers()).map(|at| all.server(at)).collect(),
        }
    }

    fn is_cluster(&self) -> bool {
        matches!(self.place, Place::Cluster(_))
    }

    /// Lets all servers hang.
    fn pause(&mut self) {
        self.each(|server| server.pause().unwrap());
    }

    fn resume(&mut self) {
        self.each(|server| server.resume().unwrap());
    }

    fn stop(&mut self) {
        self.each(|server| server.stop().unwrap());
    }

    fn each(&mut self, mut change: impl FnMut(&mut Server)) {
        match &mut self.place {
            Place::One(server) => change(server),
            Place::Cluster(cluster) => {
                (0..cluster.len()).for_each(|at| change(cluster.node_mut(at)));
            }
            Place::Sentinel(all) => (0..all.servers()).for_each(|at| change(all.server_mut(at))),
        }
    }
}

/// One server.
fn one() -> ServerBuilder {
    Server::builder().private().modules(false).user("app", "hunter2")
}

fn parse(url: &str) -> Config {
    url.parse().unwrap()
}

/// Certificates, and who trusts them.
fn papers() -> (Papers, Tls) {
    let papers = Papers::new().unwrap();
    let tls = Tls::new().ca_pem(papers.ca_pem());
    (papers, tls)
}

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(LONG, future.into_future()).await.expect("hangs")
}

/// Both clients, whose methods are the same; each connects when it is its turn.
fn clients(runtime: &Runtime, config: &Config) -> impl Iterator<Item = Client> {
    [false, true].into_iter().map(move |blocking| match blocking {
        false => runtime.block_on(within(Client::connect(config))).unwrap(),
        true => Client::connect_blocking(config).unwrap(),
    })
}

/// Runs on either client.
fn run<T>(
    runtime: &Runtime,
    client: &Client,
    future: impl IntoFuture<Output = Result<T>>,
) -> Result<T> {
    match client.is_blocking() {
        true => future.run(),
        false => runtime.block_on(within(future)),
    }
}

/// Looks again and again.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

/// What a server says of each connection of ours.
fn connections(server: &Server) -> Vec<String> {
    let list = server.command(&["CLIENT", "LIST"]).unwrap();
    let ours = list.lines().filter(|line| line.contains("lib-name=alizarin"));
    ours.map(|line| format!("{line} ")).collect()
}

/// Every option, where this is what there is to connect to.
fn every_option_holds(name: &'static str, place: Place, config: Config) {
    let runtime = Runtime::new().unwrap();
    let mut topology = Topology { name, place, config };
    who_logs_in(&runtime, &topology);
    a_wrong_password(&runtime, &topology);
    signs_of_life(&runtime, &topology);
    several_connections(&runtime, &topology);
    #[cfg(target_os = "linux")]
    keepalive(&runtime, &topology);
    a_server_that_hangs(&runtime, &mut topology);
    no_end(&runtime, &topology);
    failing_in_time(&runtime, topology);
}

#[test]
fn every_option_holds_by_tcp() {
    let server = one().start().unwrap();
    let config = parse(&server.url());
    every_option_holds("TCP", Place::One(server), config);
}

#[test]
fn every_option_holds_by_a_unix_socket() {
    let server = one().start().unwrap();
    let config = parse(&server.unix_url().unwrap());
    every_option_holds("Unix socket", Place::One(server), config);
}

#[test]
fn every_option_holds_by_tls() {
    let (papers, tls) = papers();
    let server = one().tls(&papers).unwrap().start().unwrap();
    let config = parse(&server.tls_url().unwrap()).tls(tls);
    every_option_holds("TLS", Place::One(server), config);
}

#[test]
fn every_option_holds_in_a_cluster() {
    let cluster = Cluster::builder().user("app", "hunter2").start().unwrap();
    let config = parse(&cluster.url());
    every_option_holds("cluster", Place::Cluster(cluster), config);
}

#[test]
fn every_option_holds_in_a_cluster_by_tls() {
    let (papers, tls) = papers();
    let cluster = Cluster::builder().user("app", "hunter2").tls(&papers).unwrap();
    let cluster = cluster.start().unwrap();
    let config = parse(&cluster.url()).tls(tls);
    every_option_holds("cluster by TLS", Place::Cluster(cluster), config);
}

#[test]
fn every_option_holds_under_sentinels() {
    let deployment = Sentinel::builder().user("app", "hunter2").start().unwrap();
    let config = parse(&deployment.url());
    every_option_holds("sentinels", Place::Sentinel(deployment), config);
}

#[test]
fn every_option_holds_under_sentinels_by_tls() {
    let (papers, tls) = papers();
    let deployment = Sentinel::builder().user("app", "hunter2").tls(&papers).unwrap();
    let deployment = deployment.start().unwrap();
    let config = parse(&deployment.url()).tls(tls);
    every_option_holds("sentinels by TLS", Place::Sentinel(deployment), config);
}

/// User, name, protocol and database, on whatever connection.
fn who_logs_in(runtime: &Runtime, topology: &Topology) {
    for (protocol, number) in [(Protocol::Resp2, "resp=2"), (Protocol::Resp3, "resp=3")] {
        let database = if topology.is_cluster() { 0 } else { 3 };
        let config = topology.config.clone().login("app", "hunter2").client_name("billing");
        let config = config.protocol(protocol).database(database).read_from(ReadFrom::Replica);
        for client in clients(runtime, &config) {
            for n in 0..20 {
                run(runtime, &client, client.set(format!("key:{n}"), n)).unwrap();
                let _: Option<u32> = run(runtime, &client, client.get(format!("key:{n}"))).unwrap();
            }
            let news = run(runtime, &client, client.subscribe(["news"])).unwrap();
            let list = client.command::<Option<(String, String)>>("BLPOP").key("list").arg(0.05);
            assert_eq!(run(runtime, &client, list).unwrap(), None);
            let cache = client.cache(CacheConfig::new());
            let cached =
                protocol == Protocol::Resp3 && !(client.is_blocking() && topology.is_cluster());
            let cache = cached.then(|| run(runtime, &client, cache).unwrap());
            let wanted = [
                "name=billing ".into(),
                "user=app ".into(),
                number.into(),
                format!("db={database} "),
            ];
            let mut seen = 0;
            for server in topology.servers() {
                for line in connections(server) {
                    seen += 1;
                    for part in &wanted {
                        assert!(line.contains(part), "{}: {part} not in {line}", topology.name);
                    }
                }
            }
            assert!(seen >= 2 + usize::from(cached), "{}: {seen}", topology.name);
            drop((news, cache));
            run(runtime, &client, async {
                client.close().await;
                Ok(())
            })
            .unwrap();
            drop(client);
            until("all is closed", || {
                topology.servers().iter().all(|server| connections(server).is_empty())
            });
        }
    }
}

fn a_wrong_password(runtime: &Runtime, topology: &Topology) {
    let config = topology.config.clone().login("app", "hunter3");
    for error in [
        runtime.block_on(within(Client::connect(&config))).unwrap_err(),
        Client::connect_blocking(&config).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Auth, "{}: {error}", topology.name);
        assert!(!format!("{error} {error:?}").contains("hunter"), "{error:?}");
    }
}

/// The heartbeat of idle connections; a blocking client reads nothing while nobody calls.
fn signs_of_life(runtime: &Runtime, topology: &Topology) {
    let config = topology.config.clone().heartbeat(Duration::from_millis(100));
    let client = runtime.block_on(within(Client::connect(config))).unwrap();
    for n in 0..20 {
        run(runtime, &client, client.set(format!("key:{n}"), n)).unwrap();
    }
    let primaries = if topology.is_cluster() { 3 } else { 1 };
    until("every idle connection is asked", || {
        let servers = topology.servers();
        let asked =
            |server: &&&Server| connections(server).iter().any(|one| one.contains("cmd=ping"));
        servers.iter().filter(asked).count() == primaries
    });
    runtime.block_on(within(async { client.close().await }));
}

/// Commands go by all of them in turn, and all end with the client.
fn several_connections(runtime: &Runtime, topology: &Topology) {
    let config = topology.config.clone().connections(3).client_name("lane");
    let client = runtime.block_on(within(Client::connect(config))).unwrap();
    let tasks: Vec<_> = (0..60)
        .map(|n| {
            let client = client.clone();
            runtime.spawn(async move {
                for round in 0..20 {
                    let (key, value) = (format!("key:{n}"), format!("{n} {round}"));
                    client.set(&key, &value).await.unwrap();
                    assert_eq!(client.get::<String>(&key).await.unwrap(), value);
                    let both = (get::<String>(&key), incr("{lane}"));
                    assert_eq!(client.pipeline(both).await.unwrap().0, value);
                }
            })
        })
        .collect();
    for task in tasks {
        runtime.block_on(within(task)).unwrap();
    }
    let counted: u32 = run(runtime, &client, client.get("{lane}")).unwrap();
    assert_eq!(counted, 1_200);
    run(runtime, &client, client.del(["{lane}"])).map(drop).unwrap();
    // Each was used: the login is six commands at most.
    let busy = |server: &&&Server| {
        let used = |line: &&String| {
            let commands = line.split(' ').find_map(|word| word.strip_prefix("tot-cmds="));
            commands.is_some_and(|count| count.parse::<u32>().unwrap() > 20)
        };
        connections(server).iter().filter(used).count() == 3
    };
    let primaries = if topology.is_cluster() { 3 } else { 1 };
    let servers = topology.servers();
    assert_eq!(servers.iter().filter(busy).count(), primaries, "{}", topology.name);
    runtime.block_on(within(async { client.close().await }));
    until("all is closed", || {
        topology.servers().iter().all(|server| connections(server).is_empty())
    });
}

/// The keepalive timers of this process's sockets to these ports: `true` where one runs.
#[cfg(target_os = "linux")]
fn timers(ports: &[u16]) -> Vec<bool> {
    let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let links = links.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let ours: Vec<String> = links.map(|link| link.to_string_lossy().into_owned()).collect();
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let mut found = Vec::new();
    for line in table.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, _, remote, state, _, timer, _, _, _, inode, ..] = words[..] else { continue };
        let port = remote.split(':').nth(1).and_then(|hex| u16::from_str_radix(hex, 16).ok());
        if state == "01"
            && port.is_some_and(|port| ports.contains(&port))
            && ours.contains(&format!("socket:[{inode}]"))
        {
            found.push(timer.starts_with("02"));
        }
    }
    found
}

#[cfg(target_os = "linux")]
fn keepalive(runtime: &Runtime, topology: &Topology) {
    if topology.name == "Unix socket" {
        return;
    }
    let ports: Vec<u16> = topology
        .servers()
        .iter()
        .flat_map(|server| [server.port(), server.tls_port()])
        .flatten()
        .collect();
    for (idle, runs) in [(Some(Duration::from_secs(60)), true), (None, false)] {
        let config = topology.config.clone().keepalive(idle).heartbeat(None);
        for client in clients(runtime, &config) {
            for n in 0..20 {
                run(runtime, &client, client.set(format!("key:{n}"), n)).unwrap();
            }
            let news = run(runtime, &client, client.subscribe(["news"])).unwrap();
            // What was just sent has a timer of its own until it is acknowledged.
            until("the timers are as they were asked for", || {
                let timers = timers(&ports);
                timers.len() >= 2 && timers.iter().all(|timer| *timer == runs)
            });
            drop(news);
            run(runtime, &client, async {
                client.close().await;
                Ok(())
            })
            .unwrap();
            drop(client);
            until("all is closed", || timers(&ports).is_empty());
        }
    }
}

fn a_server_that_hangs(runtime: &Runtime, topology: &mut Topology) {
    let config = topology.config.clone().response_timeout(Duration::from_millis(210));
    for client in clients(runtime, &config) {
        run(runtime, &client, client.set("key", 1)).unwrap();
        topology.pause();
        let error = run(runtime, &client, client.incr("key")).unwrap_err();
        topology.resume();
        assert_eq!(
            (error.kind(), error.sent()),
            (ErrorKind::Timeout, Sent::Unknown),
            "{}: {error}",
            topology.name
        );
        assert!(error.to_string().contains("210ms"), "{}: {error}", topology.name);
    }
}

/// Nothing waits for a connection longer than all of a command may take, or at all: else it would for
/// a minute.
fn failing_in_time(runtime: &Runtime, mut topology: Topology) {
    let minute = Duration::from_secs(60);
    let config = topology.config.clone().connect_timeout(minute);
    let short = config.clone().total_timeout(Duration::from_millis(300));
    let hasty = config.total_timeout(minute).fail_fast(true);
    let all: Vec<(bool, Client)> = [(true, short), (false, hasty)]
        .iter()
        .flat_map(|(waits, config)| clients(runtime, config).map(|client| (*waits, client)))
        .collect();
    topology.stop();
    for (waits, client) in all {
        // The first one may have been sent.
        for round in 0..3 {
            let start = Instant::now();
            let error = run(runtime, &client, client.incr("key")).unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::Connect | ErrorKind::Disconnected),
                "{}: {error}",
                topology.name
            );
            let waited = start.elapsed() >= Duration::from_millis(200);
            assert!(round == 0 || waited || !waits, "{}: {:?}", topology.name, start.elapsed());
        }
    }
}

/// Times without end are as good as none.
fn no_end(runtime: &Runtime, topology: &Topology) {
    let pool = PoolConfig::new().wait(Duration::MAX).lifetime(Some(Duration::MAX));
    let pool = pool.idle_timeout(Some(Duration::MAX)).check_after(Duration::MAX);
    let config = topology.config.clone().pool(pool).connect_timeout(Duration::MAX);
    let config = config.response_timeout(Duration::MAX).total_timeout(Duration::MAX);
    let config = config.relaxed_timeout(Duration::MAX).topology_interval(Duration::MAX);
    for client in clients(runtime, &config.heartbeat(Duration::MAX)) {
        run(runtime, &client, client.set("key", 1).confirmed_by(0, Duration::MAX)).unwrap();
        run(runtime, &client, client.pipeline((incr("key"), get::<u32>("key")))).unwrap();
        let changed = client.transaction_with("key", async |tx| {
            let value: u32 = tx.run(get("key")).await?;
            Ok((set("key", value + 1),))
        });
        run(runtime, &client, changed).unwrap();
        let list = client.command::<Option<(String, String)>>("BLPOP").key("list").arg(0.01);
        assert_eq!(run(runtime, &client, list).unwrap(), None);
    }
}

/// A peer that accepts and says nothing.
#[test]
fn the_time_to_connect_is_bounded_everywhere() {
    let runtime = Runtime::new().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = std::env::temp_dir().join(format!("alizarin-options-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let socket = folder.join("silent.sock");
    let _silent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let tls = || Tls::new().webpki_roots();
    let seeds = [("127.0.0.1", port)];
    for config in [
        Config::new().tcp("127.0.0.1", port),
        Config::new().tcp("127.0.0.1", port).tls(tls()),
        Config::new().unix(&socket),
        Config::new().cluster(seeds),
        Config::new().cluster(seeds).tls(tls()),
        Config::new().sentinels(seeds, "mymaster"),
        Config::new().sentinels(seeds, "mymaster").tls(tls()),
    ] {
        let hour = Duration::from_secs(3_600);
        let config = config.response_timeout(hour).total_timeout(hour);
        let config = config.connect_timeout(Duration::from_millis(250));
        for error in [
            runtime.block_on(within(Client::connect(&config))).unwrap_err(),
            Client::connect_blocking(&config).unwrap_err(),
        ] {
            let known = matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Connect);
            assert!(known, "{config:?}: {error:?}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}
