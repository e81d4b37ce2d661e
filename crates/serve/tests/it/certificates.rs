//! Client certificates against a server with TLS: the right ones let in, and every bad one is
//! refused, by TLS or behind it, with its reason in the log.

use super::*;
use crate::hostile::LONG;
use authority::{Authority, agent, dns, list, uri};
use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair};
use rcgen::{NameConstraints, SanType, SerialNumber};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use serve::access::certificate::CertificateConfig;
use serve::handshake::client_verifier;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

mod authority;

const ASK: &str = "GET /api/v1/logs/main/events HTTP/1.1\r\nHost: localhost\r\n";
const RULES: &str = r#"
    rules = [
        { name = "dns:*.agents.example", roles = ["reader"], logs = ["main"] },
        { name = "uri:spiffe://example/agent/*", roles = ["reader"], logs = ["main"] },
    ]
"#;

/// A chain that a client shows, with the key of its first certificate.
struct Shown {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

/// A server with TLS that trusts two authorities, one of which has said what it revoked.
struct Secure {
    rig: Rig,
    clock: Arc<Hands>,
    address: SocketAddr,
    own: Authority,
    root: Authority,
    other: Authority,
    between: Authority,
    /// May have no authority below it.
    last: Authority,
    /// May vouch for names of `agents.example` only.
    narrow: Authority,
}

impl Secure {
    async fn start() -> Self {
        let (own, root, other) =
            (Authority::root("own"), Authority::root("root"), Authority::root("other"));
        let between = root.below("between", |_| {});
        let last = root.below("last", |it| it.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
        let narrow = root.below("narrow", |it| {
            it.name_constraints = Some(NameConstraints {
                permitted_subtrees: vec![GeneralSubtree::DnsName("agents.example".to_owned())],
                excluded_subtrees: Vec::new(),
            });
        });
        let mut roots = RootCertStore::empty();
        roots.add(root.certificate.der().clone()).unwrap();
        roots.add(other.certificate.der().clone()).unwrap();
        let lists = [&root, &between, &last, &narrow].map(|it| list(it, &[13]));
        let verifier = client_verifier(roots, lists.to_vec()).unwrap();
        let server = own.leaf("server", |it| {
            it.subject_alt_names = vec![dns("localhost")];
            it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        });
        let config = rustls::ServerConfig::builder_with_provider(authority::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(server.chain, authority::secret(&server.key))
            .unwrap();
        let config = Arc::new(config);
        let rules: CertificateConfig = toml::from_str(RULES).unwrap();
        let tls = serve::Tls {
            current: Arc::new(move || Arc::clone(&config)),
            caller: Arc::new(move |der: &[u8], now_ms| rules.caller(der, now_ms)),
        };
        let clock = Arc::new(Hands::default());
        let rig = Rig::made(Wishes { clock: Some(Arc::clone(&clock)), ..Wishes::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = rig.app.clone();
        tokio::spawn(serve::serve(app, listener, Some(tls), std::future::pending()));
        Self { rig, clock, address, own, root, other, between, last, narrow }
    }

    /// A connection on which the client has done its part.
    async fn connect(&self, shown: Option<Shown>) -> std::io::Result<TlsStream<TcpStream>> {
        let config = authority::client(&self.own, shown.map(|it| (it.chain, it.key)));
        let stream = TcpStream::connect(self.address).await?;
        let name = "localhost".try_into().unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// What a client that shows this is answered: a status, or nothing.
    async fn ask(&self, shown: Option<Shown>) -> Option<u16> {
        self.ask_as(shown, "").await
    }

    /// The same with these lines in the request's head.
    async fn ask_as(&self, shown: Option<Shown>, lines: &str) -> Option<u16> {
        let asked = async {
            let mut stream = self.connect(shown).await.ok()?;
            let request = format!("{ASK}{lines}Connection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.ok()?;
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes).await;
            String::from_utf8_lossy(&bytes).split(' ').nth(1)?.parse().ok()
        };
        timeout(LONG, asked).await.expect("it neither answers nor ends")
    }

    /// Every refusal that the log tells of, as soon as it tells of `count`: what was shown, and
    /// why.
    async fn refusals(&self, count: u64) -> BTreeMap<String, String> {
        let admin = self.rig.admin();
        let told = async {
            loop {
                self.clock.0.fetch_add(11_000, Ordering::Relaxed);
                sleep(Duration::from_millis(300)).await;
                let path = "/api/v1/logs/main/events?type=log.login_refused&limit=1000";
                let answer = self.rig.get(&admin, path).await.json();
                let events = answer["events"].as_array().unwrap().clone();
                let of = |event: &Value| event["content"]["params"].clone();
                let rows: Vec<Value> = events.iter().map(of).collect();
                if rows.iter().map(|row| row["count"].as_u64().unwrap()).sum::<u64>() >= count {
                    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
                    assert!(rows.iter().all(|row| row["peer"] == "127.0.0.1"), "{rows:?}");
                    let pair = |row: &Value| (text(row, "presented"), text(row, "reason"));
                    return rows.iter().map(pair).collect();
                }
            }
        };
        timeout(LONG, told).await.expect("the log does not tell of all of them")
    }
}

/// What is wrong, what is shown, and the reason that the log must give.
type Case = (&'static str, Shown, &'static str);

/// What TLS refuses.
fn bad_chains(secure: &Secure) -> Vec<Case> {
    let Secure { root, other, between, last, narrow, .. } = secure;
    let stranger = Authority::root("stranger");
    let namesake = Authority::root("root");
    let day = rcgen::date_time_ymd;
    let mut wrong_key = root.leaf("wrong-key", agent);
    wrong_key.key = KeyPair::generate().unwrap();
    let mut flipped = root.leaf("flipped", agent);
    let mut der = flipped.chain[0].to_vec();
    *der.last_mut().unwrap() ^= 1;
    flipped.chain[0] = der.into();
    let mut alone = between.leaf("alone", agent);
    alone.chain.truncate(1);
    let forged = Authority::forged(root.leaf("forger", agent));
    let below_last = last.below("below-last", |_| {});
    let stale = root.below("stale", |it| it.not_after = day(2020, 1, 1));
    let purpose = |name, purpose: ExtendedKeyUsagePurpose| {
        root.leaf(name, |it| it.extended_key_usages = vec![purpose])
    };
    vec![
        ("of nobody who is trusted", stranger.leaf("stranger", agent), "untrusted_issuer"),
        ("of a namesake", namesake.leaf("namesake", agent), "bad_signature"),
        ("signed by itself", authority::alone("lonely"), "untrusted_issuer"),
        ("expired", root.leaf("old", |it| it.not_after = day(2020, 1, 1)), "expired"),
        ("to come", root.leaf("new", |it| it.not_before = day(2090, 1, 1)), "not_yet_valid"),
        (
            "for servers",
            purpose("for-server", ExtendedKeyUsagePurpose::ServerAuth),
            "wrong_purpose",
        ),
        ("for code", purpose("for-code", ExtendedKeyUsagePurpose::CodeSigning), "wrong_purpose"),
        ("another's key", wrong_key, "bad_signature"),
        ("a flipped bit", flipped, "bad_signature"),
        ("without those between", alone, "untrusted_issuer"),
        ("vouched for by no authority", forged.leaf("forged", agent), "bad_chain"),
        ("too long a chain", below_last.leaf("too-long", agent), "bad_chain"),
        ("an old authority", stale.leaf("below-stale", agent), "expired"),
        ("an authority itself", root.below("authority", agent).shown(), "bad_chain"),
        (
            "a name beyond",
            narrow.leaf("beyond", |it| {
                it.subject_alt_names = vec![dns("a.elsewhere.example")];
            }),
            "bad_chain",
        ),
        (
            "an unknown demand",
            root.leaf("demand", |it| {
                let mut demand =
                    rcgen::CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
                demand.set_criticality(true);
                it.custom_extensions = vec![demand];
            }),
            "bad_chain",
        ),
        (
            "revoked",
            root.leaf("revoked", |it| {
                it.serial_number = Some(SerialNumber::from(vec![13]));
            }),
            "revoked",
        ),
        ("of whom no list is there", other.leaf("unlisted", agent), "revocation_unknown"),
    ]
}

/// What is good for TLS, and names nobody.
fn bad_names(root: &Authority) -> Vec<Case> {
    let named = |name, names: Vec<SanType>| root.leaf(name, |it| it.subject_alt_names = names);
    let two = vec![uri("spiffe://example/agent/1"), uri("spiffe://example/agent/2")];
    vec![
        ("no name", named("a.agents.example", Vec::new()), "no_name"),
        (
            "an address",
            named("address", vec![SanType::IpAddress([127, 0, 0, 1].into())]),
            "no_name",
        ),
        ("several", named("several", two), "several_names"),
        ("a wildcard", named("wildcard", vec![dns("*.agents.example")]), "bad_name"),
        ("an empty one", named("empty", vec![dns("")]), "bad_name"),
        ("a line end", named("line", vec![dns("a\n.agents.example")]), "bad_name"),
        ("a NUL", named("nul", vec![dns("a.agents.example\0.evil.example")]), "bad_name"),
        ("a space", named("space", vec![uri("spiffe://example/agent/ 1")]), "bad_name"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn right_certificates_let_in_and_bad_ones_are_refused_each_with_its_reason_in_the_log() {
    let secure = Secure::start().await;
    let Secure { root, between, narrow, .. } = &secure;
    for (what, shown) in [
        ("of the root", root.leaf("right", agent)),
        ("of one between", between.leaf("right-too", agent)),
        ("of a narrow one", narrow.leaf("right-narrow", agent)),
        (
            "a URI",
            root.leaf("right-uri", |it| {
                it.subject_alt_names = vec![uri("spiffe://example/agent/1")];
            }),
        ),
    ] {
        assert_eq!(secure.ask(Some(shown)).await, Some(200), "{what}");
    }
    assert_eq!(secure.ask(None).await, Some(401), "no certificate, and no token either");
    let mut wanted = BTreeMap::new();
    for (cases, status) in [(bad_chains(&secure), None), (bad_names(root), Some(401))] {
        for (what, shown, reason) in cases {
            let claimed = serve::access::certificate::claimed(&shown.chain[0]);
            assert_eq!(secure.ask(Some(shown)).await, status, "{what}");
            wanted.insert(claimed, (what, reason));
        }
    }
    assert_eq!(wanted.len(), 26, "{wanted:?}");
    let told = secure.refusals(wanted.len() as u64).await;
    for (claimed, (what, reason)) in &wanted {
        assert_eq!(told.get(claimed).map(String::as_str), Some(*reason), "{what}: {told:?}");
    }
    assert_eq!(told.len(), wanted.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whom_no_rule_names_is_known_and_may_do_nothing_and_that_is_recorded() {
    let secure = Secure::start().await;
    let stranger = secure.root.leaf("nobody", |it| {
        it.subject_alt_names = vec![dns("agent.elsewhere.example")];
    });
    assert_eq!(secure.ask(Some(stranger)).await, Some(403));
    let admin = secure.rig.admin();
    secure.rig.types("main").await;
    let path = "/api/v1/logs/main/events?type=log.denied";
    let denied = secure.rig.get(&admin, path).await.json()["events"][0].clone();
    assert_eq!(denied["principal"]["subject"], "dns:agent.elsewhere.example", "{denied}");
    assert_eq!(denied["principal"]["method"], "mtls");
    assert!(denied["content"]["params"]["reason"].is_string(), "{denied}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_certificate_does_not_count_for_what_another_site_asks_for() {
    let secure = Secure::start().await;
    let mine = || Some(secure.root.leaf("right", agent));
    for (site, status) in
        [("same-origin", 200), ("none", 200), ("cross-site", 401), ("same-site", 401)]
    {
        let lines = format!("Sec-Fetch-Site: {site}\r\n");
        assert_eq!(secure.ask_as(mine(), &lines).await, Some(status), "{site}");
    }
    let ended = "Sec-Fetch-Site: same-origin\r\nCookie: tacho_session=ended\r\n";
    assert_eq!(secure.ask_as(mine(), ended).await, Some(200), "a session that has ended");
    assert_eq!(secure.ask_as(None, ended).await, Some(401));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_connection_does_not_outlive_its_certificate() {
    let secure = Secure::start().await;
    let shown = secure.root.leaf("soon-over", |it| it.not_after = rcgen::date_time_ymd(2080, 1, 1));
    let mut stream = secure.connect(Some(shown)).await.unwrap();
    for (ahead_ms, status) in [(0, "200"), (100 * 365 * 86_400_000, "401")] {
        secure.clock.0.fetch_add(ahead_ms, Ordering::Relaxed);
        stream.write_all(format!("{ASK}\r\n").as_bytes()).await.unwrap();
        let mut bytes = vec![0; 64 << 10];
        let read = timeout(LONG, stream.read(&mut bytes)).await.unwrap().unwrap();
        let answer = String::from_utf8_lossy(&bytes[..read]).into_owned();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
        if status == "401" {
            assert!(answer.contains("\"expired\""), "{answer}");
        }
    }
}
