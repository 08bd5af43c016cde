//! How connections are encrypted, whom they trust, and what they show.

use std::path::PathBuf;
use std::process::Command;

use alizarin_core::{Config, ErrorKind, Tls, TlsVersion};
use alizarin_testkit::Tls as Papers;
use tokio::runtime::Runtime;

use crate::either::{clients, run};
use crate::table::Row;
use crate::topology::{NAME, Topology, refusals};

pub(crate) const ROWS: &[Row] = &[
    row(&["tls.authorities", "tls.server_name", "tls.danger_accept_invalid_certs"], trust),
    row(&["tls.platform_roots", "tls.webpki_roots"], the_platform),
    row(&["tls.certificate", "tls.key"], certificates_of_clients),
    row(&["tls.minimum"], old_versions),
];

const fn row(options: &'static [&'static str], proof: fn(&Runtime, &mut Topology)) -> Row {
    Row::new(options, proof).except(|kind| !kind.is_encrypted(), "nothing is encrypted")
}

/// By all of a client's connections.
fn connects(runtime: &Runtime, config: &Config) {
    for client in clients(runtime, config) {
        for n in 0..20 {
            run(runtime, &client, client.set(format!("key:{n}"), n)).unwrap();
        }
        let _news = run(runtime, &client, client.subscribe(["news"])).unwrap();
        let _own = run(runtime, &client, client.exclusive_for("key")).unwrap();
    }
}

fn is_refused(runtime: &Runtime, config: &Config) {
    for error in refusals(runtime, config) {
        // Under sentinels none could be connected to, for reasons that are told.
        let told = error.kind() == ErrorKind::Connect && error.to_string().contains("certificate");
        let known = matches!(error.kind(), ErrorKind::Tls | ErrorKind::Disconnected);
        assert!(known || told, "{:?}: {error}", error.kind());
    }
}

/// All servers have certificates for one name, by one authority.
fn trust(runtime: &Runtime, topology: &mut Topology) {
    let with = |tls: Tls| topology.config.clone().tls(tls);
    let named = || Tls::new().server_name(NAME);
    let other = Papers::new().unwrap();
    connects(runtime, &with(named().ca_pem(topology.papers.ca_pem())));
    connects(runtime, &with(named().ca_file(files(topology).join("ca.pem"))));
    connects(runtime, &with(Tls::new().danger_accept_invalid_certs()));
    is_refused(runtime, &with(named().ca_pem(other.ca_pem())));
    is_refused(runtime, &with(Tls::new().ca_pem(topology.papers.ca_pem())));
}

/// Where a server has its certificates, as files.
fn files(topology: &Topology) -> PathBuf {
    topology.servers()[0].tls_folder().unwrap()
}

fn certificates_of_clients(runtime: &Runtime, topology: &mut Topology) {
    topology.set(&["tls-auth-clients", "yes"]);
    let tls = || Tls::new().server_name(NAME).ca_pem(topology.papers.ca_pem());
    let folder = files(topology);
    let (certificate, key) = topology.papers.client_pem();
    for shown in [
        tls().client_certificate_pem(certificate, key),
        tls().client_certificate_files(folder.join("client.pem"), folder.join("client.key")),
    ] {
        connects(runtime, &topology.config.clone().tls(shown));
    }
    // Whoever resumes a session has shown the certificate before.
    is_refused(runtime, &topology.config.clone().tls(tls()));
    topology.set(&["tls-auth-clients", "no"]);
}

fn old_versions(runtime: &Runtime, topology: &mut Topology) {
    topology.set(&["tls-protocols", "TLSv1.2"]);
    let tls = Tls::new().server_name(NAME).ca_pem(topology.papers.ca_pem());
    let with = |version| topology.config.clone().tls(tls.clone().minimum_version(version));
    connects(runtime, &with(TlsVersion::Tls12));
    is_refused(runtime, &with(TlsVersion::Tls13));
    topology.set(&["tls-protocols", "TLSv1.2 TLSv1.3"]);
}

/// Names a deployment to a process of its own.
const URL: &str = "ALIZARIN_OPTIONS_URL";

/// The platform's authorities are those that a variable of the environment names: whoever has the
/// variable is another process.
fn the_platform(_: &Runtime, topology: &mut Topology) {
    let test = "every_option_holds_by_tls";
    let join = if topology.url.contains('?') { '&' } else { '?' };
    let url = format!("{}{join}tls_server_name={NAME}", topology.url);
    let mut other = Command::new(std::env::current_exe().unwrap());
    let other = other.args(["--exact", test, "--nocapture"]).env(URL, url);
    let outcome = other.env("SSL_CERT_FILE", files(topology).join("ca.pem")).output().unwrap();
    let told = String::from_utf8_lossy(&outcome.stdout);
    assert!(outcome.status.success() && told.contains(DONE), "{told}");
}

/// What the other process says at its end.
const DONE: &str = "the platform is trusted";

/// In the other process: trusts the platform, and not others instead. Whether this is that process.
pub(crate) fn is_told_to_trust_the_platform() -> bool {
    let Ok(url) = std::env::var(URL) else { return false };
    let runtime = Runtime::new().unwrap();
    let config: Config = url.parse().unwrap();
    let with = |tls: Tls| config.clone().tls(tls.server_name(NAME));
    let other = || Tls::new().ca_pem(Papers::new().unwrap().ca_pem());
    connects(&runtime, &config);
    connects(&runtime, &with(other().platform_roots()));
    is_refused(&runtime, &with(other()));
    // Instead of the platform's, unless those are named too.
    is_refused(&runtime, &with(Tls::new().webpki_roots()));
    connects(&runtime, &with(Tls::new().webpki_roots().platform_roots()));
    println!("{DONE}");
    true
}
