//! Who is not believed, by both clients, and in what words.
#![cfg(feature = "tls")]

use std::time::Duration;

use alizarin_core::{Client, Config, Error, ErrorKind, Protocol, Tls, TlsVersion};
use alizarin_testkit::{Server, Tls as Papers};

fn start(papers: &Papers) -> Server {
    Server::builder().modules(false).tls(papers).unwrap().start().unwrap()
}

fn config(server: &Server, tls: Tls) -> Config {
    Config::new().tcp("127.0.0.1", server.tls_port().unwrap()).tls(tls)
}

/// What both clients say.
async fn refused(config: &Config) -> Error {
    let error = Client::connect(config).await.unwrap_err();
    let blocking = {
        let config = config.clone();
        tokio::task::spawn_blocking(move || Client::connect_blocking(&config).unwrap_err())
    };
    let blocking = blocking.await.unwrap();
    assert_eq!((blocking.kind(), blocking.sent()), (error.kind(), error.sent()), "{blocking}");
    assert_eq!(blocking.to_string(), error.to_string());
    println!("{error}");
    error
}

async fn assert_refused(config: &Config, part: &str) {
    let error = refused(config).await;
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains(part), "{part}: {error}");
    assert!(error.to_string().contains(&config.address()), "{error}");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn certificates_that_prove_nothing() {
    let papers = Papers::new().unwrap();
    let trusted = Tls::new().ca_pem(papers.ca_pem());
    let expired = start(&papers.clone().expired());
    assert_refused(&config(&expired, trusted.clone()), "has expired").await;

    let other = start(&papers.clone().names(["elsewhere.example", "10.1.2.3"]));
    assert_refused(&config(&other, trusted.clone()), "elsewhere.example").await;
    let named = config(&other, trusted.clone()).tcp("localhost", other.tls_port().unwrap());
    assert_refused(&named, "not for localhost").await;
    let renamed = trusted.clone().server_name("elsewhere.example");
    assert!(Client::connect(config(&other, renamed)).await.is_ok());

    // The certificate is for localhost alone: its address is another name.
    let by_name = start(&papers.clone().names(["localhost"]));
    assert_refused(&config(&by_name, trusted.clone()), "not for 127.0.0.1").await;

    let alone = start(&papers.clone().self_signed());
    assert_refused(&config(&alone, trusted.clone()), "self-signed").await;

    let valid = start(&papers);
    let stranger = Tls::new().ca_pem(Papers::new().unwrap().ca_pem());
    assert_refused(&config(&valid, stranger), "unknown authority").await;
    for roots in [Tls::new(), Tls::new().webpki_roots(), Tls::new().platform_roots()] {
        assert_refused(&config(&valid, roots), "unknown authority").await;
    }

    // Each of them is believed by those who asked for it in so many words.
    for server in [&expired, &other, &by_name, &alone, &valid] {
        let careless = config(server, Tls::new().danger_accept_invalid_certs());
        let client = Client::connect(careless).await.unwrap();
        client.set("k", "v").await.unwrap();
    }
}

#[tokio::test]
async fn versions_without_a_common_one() {
    let papers = Papers::new().unwrap();
    let trusted = Tls::new().ca_pem(papers.ca_pem());
    let old = start(&papers.clone().protocols("TLSv1.1"));
    assert_refused(&config(&old, trusted.clone()), "no version of TLS").await;
    let older = start(&papers.clone().protocols("TLSv1.2"));
    let newest = trusted.clone().minimum_version(TlsVersion::Tls13);
    assert_refused(&config(&older, newest.clone()), "no version of TLS").await;
    assert!(Client::connect(config(&older, trusted)).await.is_ok());
    let new = start(&papers.clone().protocols("TLSv1.3"));
    assert!(Client::connect(config(&new, newest)).await.is_ok());
}

#[tokio::test]
async fn clients_that_the_server_does_not_know() {
    let papers = Papers::new().unwrap();
    let trusted = Tls::new().ca_pem(papers.ca_pem());
    let strict = start(&papers.clone().client_certificates());
    assert_refused(&config(&strict, trusted.clone()), "wants a client certificate").await;
    let stranger = Papers::new().unwrap();
    let (certificate, key) = stranger.client_pem();
    let unknown = trusted.clone().client_certificate_pem(certificate, key);
    assert_refused(&config(&strict, unknown), "does not accept the client certificate").await;
    let (certificate, key) = papers.client_pem();
    let known = trusted.clone().client_certificate_pem(certificate, key);
    let client = Client::connect(config(&strict, known)).await.unwrap();
    client.set("k", "v").await.unwrap();

    let older = start(&papers.clone().client_certificates().protocols("TLSv1.2"));
    assert_refused(&config(&older, trusted.clone()), "client certificate").await;

    let (_, other_key) = stranger.client_pem();
    let mixed = trusted.client_certificate_pem(certificate, other_key);
    let error = refused(&config(&strict, mixed)).await;
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    assert!(error.to_string().contains("client certificate and its key"), "{error}");
}

#[tokio::test]
async fn ports_of_the_other_kind() {
    let papers = Papers::new().unwrap();
    let server = start(&papers);
    let trusted = Tls::new().ca_pem(papers.ca_pem());
    // The bytes of a handshake are random: only those with a line's end are answered.
    for _ in 0..3 {
        let plain = config(&server, trusted.clone())
            .tcp("127.0.0.1", server.port().unwrap())
            .connect_timeout(Duration::from_millis(500));
        let error = Client::connect(&plain).await.unwrap_err();
        assert!(error.to_string().contains("speaks no TLS"), "{error}");
        let error =
            tokio::task::spawn_blocking(move || Client::connect_blocking(&plain).unwrap_err());
        let error = error.await.unwrap();
        assert!(error.to_string().contains("speaks no TLS"), "{error}");
    }
    let encrypted = Config::new().tcp("127.0.0.1", server.tls_port().unwrap());
    for config in [encrypted.clone(), encrypted.protocol(Protocol::Resp2)] {
        let error = refused(&config).await;
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(error.to_string().contains("rediss://"), "{error}");
    }
}

#[tokio::test]
async fn contradictions_are_refused_before_connecting() {
    let unix = Config::new().unix("/no/such.sock").tls(Tls::new());
    let error = refused(&unix).await;
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("`tls`"), "{error}");
    let missing: Config = "rediss://127.0.0.1:1?tls_ca_file=/no/such.pem".parse().unwrap();
    let error = refused(&missing).await;
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("/no/such.pem"), "{error}");
}
