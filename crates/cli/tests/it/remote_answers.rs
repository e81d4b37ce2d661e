//! Questions to a server: what is printed is what a folder would have printed.

use crate::program::{Home, Ran, events, json_lines, testdata};
use crate::read::{REFUND, recorded};
use crate::served::{PATIENCE, Served};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Asks the folder and its server at the same size of the log.
#[track_caller]
pub(crate) fn same(home: &Home, served: &Served, arguments: &[&str]) -> (Ran, Ran) {
    let begun = Instant::now();
    loop {
        let before = home.run(arguments);
        let remote = home.run(&[arguments, &["--url", &served.url]].concat());
        let after = home.run(arguments);
        // Looking is recorded, and what is published moves once a second.
        if before.out == after.out && before.err == after.err {
            return (before, remote);
        }
        assert!(begun.elapsed() < PATIENCE, "{arguments:?}");
    }
}

#[test]
fn a_server_answers_what_its_folder_does_letter_by_letter() {
    let home = recorded();
    let served = Served::start(&home);
    let session = "session-refund-7731";
    for arguments in [
        &["events"][..],
        &["events", "--limit", "3"],
        &["events", "--limit", "3", "--format", "json"],
        &["events", "--limit", "3", "--oldest-first", "--format", "ndjson"],
        &["events", "--oldest-first", "--limit", "0", "--format", "json"],
        &["events", "--agent", "Billing", "--type", "tool_call", "--outcome", "timeout"],
        &["events", "--tier", "critical", "--from", "2020-01-01", "--format", "json"],
        &["events", "--text", "refund \"order 1042\""],
        &["events", "--session", "there is none"],
        &["trace", REFUND],
        &["trace", REFUND, "--format", "json"],
        &["trace", REFUND, "--format", "svg"],
        &["trace", "task-refund-order-1042", "--format", "tree"],
        &["trace", "task-refund-order-1042", "--by", "task", "--format", "ndjson"],
        &["trace", "5f2c"],
        &["trace", "nothing", "--by", "session"],
        &["replay", REFUND],
        &["session"],
        &["session", session, "--format", "json"],
        &["agent"],
        &["agent", "--format", "json"],
        &["agent", "Billing"],
        &["agent", "Billing", "--limit", "2"],
        &["agent", "Nobody"],
        &["tail", "-n", "5", "--agent", "Billing"],
        &["prove", "4"],
        &["prove", "4", "--evidence"],
        &["prove", "4", "--evidence", "--metadata-only"],
        &["prove", "99999999"],
        &["prove", "no such event"],
    ] {
        let (local, remote) = same(&home, &served, arguments);
        assert_eq!(local.out, remote.out, "{arguments:?}");
        assert_eq!(local.err, remote.err, "{arguments:?}");
        assert_eq!(local.code, remote.code, "{arguments:?}");
    }
}

#[test]
fn what_cannot_be_read_is_told_the_same_way() {
    let home = recorded();
    let served = Served::start(&home);
    let journal = std::fs::read_dir(home.log().join("journal")).unwrap().next().unwrap();
    let journal = journal.unwrap().path();
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes[4000] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    for arguments in [
        &["events", "--oldest-first", "--limit", "100"][..],
        &["events", "--oldest-first", "--limit", "0", "--format", "ndjson"],
        &["agent", "--format", "json"],
    ] {
        let (local, remote) = same(&home, &served, arguments);
        assert!(local.code == 1 && local.err.contains("the answer may lack"), "{}", local.err);
        assert_eq!(local.out, remote.out, "{arguments:?}");
        assert_eq!((local.code, local.err), (remote.code, remote.err), "{arguments:?}");
    }
}

#[test]
fn a_tail_says_how_much_it_missed() {
    let home = Home::new();
    home.feed(&["append"], events(0..1).as_bytes());
    let served = Served::start(&home);
    let port = served.port();
    let mut command = home.command(&["tail", "-f", "--type", "none", "--url", &served.url]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut note = |part: &str| loop {
        let line = notes.next().unwrap().unwrap();
        if line.contains(part) {
            return line;
        }
    };
    note("as of");
    served.kill();
    note("lost the connection");
    let file = home.write("events.ndjson", events(1..21_000));
    home.fine(&["append", file.to_str().unwrap()]);
    let served = Served::again(&home, port);
    let missed = note("missed");
    let count: u64 = missed.split(' ').find_map(|word| word.parse().ok()).unwrap();
    assert!((999..1_100).contains(&count), "{missed}");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(served);
}

#[test]
fn long_answers_come_in_pages_that_follow_each_other() {
    let home = Home::new();
    let file = home.write("events.ndjson", events(0..10_500));
    home.fine(&["append", file.to_str().unwrap()]);
    let served = Served::start(&home);
    let all = ["events", "--type", "agent.*", "--limit", "0", "--format", "ndjson"];
    let (local, remote) = same(&home, &served, &all);
    assert_eq!(json_lines(&remote.out).len(), 10_500);
    assert_eq!(local.out, remote.out);
    let stream = [&all[..], &["--oldest-first"]].concat();
    let (local, remote) = same(&home, &served, &stream);
    assert_eq!(local.out, remote.out);
    let next = |cursor: Option<&str>| {
        let mut arguments = vec!["events", "--type", "agent.*", "--format", "json", "--limit", "7"];
        arguments.extend(cursor.iter().flat_map(|cursor| ["--cursor", cursor]));
        arguments.extend(["--url", &served.url]);
        json_lines(&home.fine(&arguments)).remove(0)
    };
    let first = next(None);
    let second = next(first["next"].as_str());
    assert_eq!(first["checkpoint"], second["checkpoint"]);
    assert_eq!(second["events"][0]["event_id"], "e-10492");
}

#[test]
fn what_the_server_does_not_know_of_the_caller_ends_with_three_and_never_shows_a_token() {
    let home = recorded();
    let served = Served::start(&home);
    let of = |home: &Home, token: &str| {
        let file = home.write("token", token);
        let file = file.to_str().unwrap().to_owned();
        home.run(&["events", "--url", &served.url, "--token-file", &file])
    };
    let bad = "tacho_0000000000000000_sk-canary";
    let ran = of(&home, bad);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.err);
    assert!(ran.err.contains("does not accept the token from"), "{}", ran.err);
    assert!(!ran.err.contains("canary"), "{}", ran.err);
    let stranger = Home::new();
    let ran = stranger.run(&["events", "--url", &served.url]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("--token-file") && ran.err.contains("TACHO_TOKEN"), "{}", ran.err);
    let ran = stranger.feed(&["append", "--url", &served.url], events(0..1).as_bytes());
    assert_eq!(ran.code, 3, "{}", ran.err);
    // One that may append and nothing else.
    let producer = home.fine(&["token", "create", "p", "--role", "producer", "--logs", "main"]);
    let producer = producer.split_whitespace().find(|word| word.starts_with("tacho")).unwrap();
    let ran = of(&home, producer);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("docs/access.md"), "{}", ran.err);
    let mut command = stranger.command(&["append", "--url", &served.url]);
    let file = stranger.write("events", events(0..1));
    let ran = command.arg(file).env("TACHO_TOKEN", producer).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let ran = home.run(&["events", "--url", &served.url, "--log", "nothing"]);
    assert_ne!(ran.code, 0);
}

#[test]
fn who_is_not_there_or_not_ours_is_said_and_no_token_goes_where_others_read_along() {
    let home = recorded();
    let token = home.write("token", "tacho_canary");
    let token = token.to_str().unwrap();
    let ask = |url: &str| home.run(&["events", "--url", url, "--token-file", token]);
    // Taken and closed again, so that nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ran = ask(&format!("http://127.0.0.1:{port}"));
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("nobody answers at http://127.0.0.1:"), "{}", ran.err);
    // A documentation address (RFC 5737): it is refused before anything is sent.
    let ran = ask("http://192.0.2.1:7411");
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("is not https") && ran.err.contains("--insecure"), "{}", ran.err);
    assert_eq!(ask("ftp://x").code, 2);
    let ran = home.run(&["keys", "list", "--url", "http://127.0.0.1:1"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    let both = ["events", "--url", "http://127.0.0.1:1", "--data", "tachograph-data"];
    assert_eq!(home.run(&both).code, 2);
    // A folder that is named comes before a server in the environment.
    let mut command = home.command(&["events", "--data", "tachograph-data"]);
    assert!(command.env("TACHO_URL", "http://127.0.0.1:1").output().unwrap().status.success());
    let mut command = home.command(&["events"]);
    assert!(!command.env("TACHO_URL", "http://127.0.0.1:1").output().unwrap().status.success());
}

#[test]
fn a_tail_goes_on_across_a_restart_and_shows_nothing_twice() {
    let home = Home::new();
    home.feed(&["append"], events(0..3).as_bytes());
    let served = Served::start(&home);
    let port = served.port();
    let mut command =
        home.command(&["tail", "-f", "-n", "2", "--type", "agent.*", "--format", "ndjson"]);
    command.args(["--url", &served.url]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (sender, lines) = channel();
    let stdout = child.stdout.take().unwrap();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let (sender, notes) = channel();
    let stderr = child.stderr.take().unwrap();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let next = |wanted: &str| {
        let line = lines.recv_timeout(PATIENCE).unwrap();
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(event["event_id"], wanted);
    };
    let note = |part: &str| {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if notes.recv_timeout(PATIENCE).unwrap().contains(part) {
                return;
            }
        }
        panic!("nobody said {part}");
    };
    (1..3).for_each(|n| next(&format!("e-{n}")));
    note("as of");
    home.feed(&["append"], events(3..5).as_bytes());
    (3..5).for_each(|n| next(&format!("e-{n}")));
    served.kill();
    note("lost the connection");
    // While nobody serves it, the log grows by itself.
    home.feed(&["append"], events(5..7).as_bytes());
    let served = Served::again(&home, port);
    note("connected again");
    (5..7).for_each(|n| next(&format!("e-{n}")));
    home.feed(&["append"], events(7..8).as_bytes());
    next("e-7");
    assert!(lines.recv_timeout(Duration::from_millis(500)).is_err(), "nothing is shown twice");
    // A server that stops in good order does not wait for those who would listen for ever.
    served.stop();
    note("the server ended the feed");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_public_log_of_a_server_is_verified_from_outside() {
    let home = Home::new();
    let file = home.write("events.ndjson", events(0..700));
    home.fine(&["append", file.to_str().unwrap(), "--receipts", "receipts"]);
    let served = Served::start(&home);
    let verify = |more: &[&str]| home.run(&[&["verify", "--format", "json"], more].concat());
    let url = format!("{}/log/main", served.url);
    for target in [&[url.as_str()][..], &["--url", &served.url]] {
        let ran = verify(&[target, &["--since", "receipts"]].concat());
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let report = &json_lines(&ran.out)[0];
        assert_eq!((&report["verdict"], &report["level"]), (&"ok".into(), &"signed".into()));
        assert!(report["size"].as_u64().unwrap() > 700, "{report}");
    }
    let text = home.fine(&["verify", &url]);
    assert!(text.contains("every byte of the public log is what the log committed to"), "{text}");
    assert!(text.contains("only the public log was checked"), "{text}");
    // Another log is not the one that the receipts are of, nor signed by its key.
    let other = Home::new();
    other.feed(&["append", "--receipts", "receipts"], events(0..900).as_bytes());
    let stolen = other.path("receipts");
    let ran = verify(&[&url, "--since", stolen.to_str().unwrap()]);
    assert_ne!(ran.code, 0, "{}", ran.out);
    let identity = std::fs::read_to_string(other.log().join("log.json")).unwrap();
    let identity: serde_json::Value = serde_json::from_str(&identity).unwrap();
    let key = identity["keys"][0].as_str().unwrap();
    assert_eq!(verify(&[&url, "--key", key]).code, 10, "signed by another key");
    // Whoever does not know the log's keys is told so.
    let token = home.path("config/tachograph/admin-token");
    let stranger = Home::new();
    let arguments = ["verify", &url, "--token-file", token.to_str().unwrap()];
    let ran = stranger.run(&arguments);
    assert!(ran.out.contains("signer not pinned"), "{}{}", ran.out, ran.err);
    // A tile that was altered on the server's disk.
    let tile = home.log().join("tile/0/000");
    let mut bytes = std::fs::read(&tile).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&tile, bytes).unwrap();
    let ran = verify(&[&url]);
    assert_eq!(ran.code, 10, "{}", ran.out);
    assert!(ran.out.contains("\"index\":1,"), "{}", ran.out);
}

#[test]
fn a_log_whose_keys_followed_each_other_is_verified_by_its_first_key() {
    let home = Home::new();
    home.feed(&["append"], events(0..3).as_bytes());
    let identity = std::fs::read_to_string(home.log().join("log.json")).unwrap();
    let identity: serde_json::Value = serde_json::from_str(&identity).unwrap();
    let first = identity["keys"][0].as_str().unwrap();
    home.fine(&["keys", "rotate"]);
    home.feed(&["append"], events(3..6).as_bytes());
    let served = Served::start(&home);
    let ran = home.run(&["verify", "--url", &served.url, "--key", first]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("2, each certified by the one before it"), "{}", ran.out);
}

#[test]
fn a_doctor_says_whether_a_server_lets_one_in_and_what_it_allows() {
    let home = Home::new();
    let served = Served::start(&home);
    let checks = |home: &Home| {
        let ran = home.run(&["doctor", "--url", &served.url, "--format", "ndjson"]);
        (ran.code, json_lines(&ran.out))
    };
    let (code, found) = checks(&home);
    assert_eq!(code, 0, "{found:?}");
    let check = |name: &str| found.iter().find(|check| check["name"] == name).unwrap();
    assert!(check("token")["detail"].as_str().unwrap().contains("AppendEvents"), "{found:?}");
    assert_eq!(check("clock")["status"], "ok", "{found:?}");
    for name in ["server", "tls", "log", "disk space", "same version"] {
        check(name);
    }
    let (code, found) = checks(&Home::new());
    assert_eq!(code, 1, "{found:?}");
    assert!(found.iter().any(|it| it["name"] == "token" && it["status"] == "fail"), "{found:?}");
}

fn pem(kind: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n")
}

/// A certificate for a name, and its key beside it.
fn made(home: &Home, file: &str, name: &str) -> PathBuf {
    let parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    home.write(&format!("{file}.key"), pem("PRIVATE KEY", &key.serialize_der()));
    home.write(&format!("{file}.pem"), pem("CERTIFICATE", certificate.der()))
}

#[test]
fn a_certificate_of_ones_own_lets_one_in_without_a_token() {
    let home = Home::new();
    let server = made(&home, "server", "localhost");
    let agent = made(&home, "agent", "agent.example.org");
    let (server_key, key) = (home.path("server.key"), home.path("agent.key"));
    let configuration = format!(
        "[tls]\ncertificate = {server:?}\nkey = {server_key:?}\nclient_ca = {agent:?}\n\
         [access.certificates]\n\
         rules = [{{ name = \"dns:agent.example.org\", roles = [\"reader\"], logs = \"all\" }}]\n"
    );
    let configuration = home.write("tachograph.toml", configuration);
    let options = ["--listen", "127.0.0.1:0", "--config", configuration.to_str().unwrap()];
    let served = Served::with(&home, &options);
    let url = format!("https://localhost:{}", served.port());
    let ask = |key: &Path| {
        let (ca, own) = (server.to_str().unwrap(), agent.to_str().unwrap());
        let own = ["--client-cert", own, "--client-key", key.to_str().unwrap()];
        let what = ["doctor", "--format", "ndjson", "--url", &url, "--ca-file", ca];
        home.run(&[&what[..], &own].concat())
    };
    let ran = ask(&key);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("no token; allows ReadMetadata, ReadProofs, Verify\""),
        "not the token here: {}",
        ran.out
    );
    let ran = ask(&server_key);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("is no key for"), "{}", ran.err);
}

#[test]
fn a_revoked_certificate_is_refused_as_soon_as_its_authority_says_so() {
    use rcgen::{CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, SerialNumber};
    let home = Home::new();
    let server = made(&home, "server", "localhost");
    let (mut authority, key) = (CertificateParams::default(), KeyPair::generate().unwrap());
    authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca = home.write("ca.pem", pem("CERTIFICATE", authority.self_signed(&key).unwrap().der()));
    let issuer = Issuer::from_params(&authority, &key);
    let mut agent = CertificateParams::new(vec!["agent.example.org".to_owned()]).unwrap();
    agent.serial_number = Some(SerialNumber::from(vec![7]));
    let agent_key = KeyPair::generate().unwrap();
    let own = agent.signed_by(&agent_key, &issuer).unwrap();
    let own = home.write("agent.pem", pem("CERTIFICATE", own.der()));
    let own_key = home.write("agent.key", pem("PRIVATE KEY", &agent_key.serialize_der()));
    let list = |revoked: &[u8]| {
        let revoked = revoked.iter().map(|number| rcgen::RevokedCertParams {
            serial_number: SerialNumber::from(vec![*number]),
            revocation_time: rcgen::date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let parameters = rcgen::CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2020, 1, 1),
            next_update: rcgen::date_time_ymd(2090, 1, 1),
            crl_number: SerialNumber::from(vec![1]),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        home.write("revoked.pem", pem("X509 CRL", parameters.signed_by(&issuer).unwrap().der()))
    };
    let (revoked, server_key) = (list(&[8]), home.path("server.key"));
    let configuration = format!(
        "[tls]\ncertificate = {server:?}\nkey = {server_key:?}\nclient_ca = {ca:?}\n\
         client_crl = {revoked:?}\n[access.certificates]\n\
         rules = [{{ name = \"dns:agent.example.org\", roles = [\"reader\"], logs = \"all\" }}]\n"
    );
    let configuration = home.write("tachograph.toml", configuration);
    let options = ["--listen", "127.0.0.1:0", "--config", configuration.to_str().unwrap()];
    let served = Served::with(&home, &options);
    let url = format!("https://localhost:{}", served.port());
    let [ca_file, own, own_key] = [&server, &own, &own_key].map(|it| it.to_str().unwrap());
    let certificate = ["--ca-file", ca_file, "--client-cert", own, "--client-key", own_key];
    let ask = || home.run(&[&["doctor", "--url", &url][..], &certificate].concat());
    let ran = ask();
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    list(&[8, 7]);
    let is_refused = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        ask().code != 0
    });
    assert!(is_refused, "it is let in all the same");
    let lone = format!(
        "[tls]\ncertificate = {server:?}\nkey = {server_key:?}\nclient_crl = {revoked:?}\n"
    );
    let lone = home.write("lone.toml", lone);
    let ran = home.run(&["serve", "--listen", "127.0.0.1:0", "--config", lone.to_str().unwrap()]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("client_ca"), "{}", ran.err);
}

#[test]
fn a_certificate_counts_only_by_an_authority_that_is_named() {
    let home = Home::new();
    let (right, wrong) = (made(&home, "right", "localhost"), made(&home, "wrong", "localhost"));
    let key = home.path("right.key");
    let configuration = format!(
        "[server]\nhosts = [\"localhost\"]\n[tls]\ncertificate = {right:?}\nkey = {key:?}\n"
    );
    let configuration = home.write("tachograph.toml", configuration);
    let options = ["--listen", "127.0.0.1:0", "--config", configuration.to_str().unwrap()];
    let served = Served::with(&home, &options);
    let url = format!("https://localhost:{}", served.port());
    let ask = |more: &[&str]| home.run(&[&["session", "--url", &url], more].concat());
    let ran = ask(&["--ca-file", right.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = ask(&["--ca-file", wrong.to_str().unwrap()]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("is not trusted") && ran.err.contains("--ca-file"), "{}", ran.err);
    // Its certificate is for a name, not for its address.
    let url = format!("https://127.0.0.1:{}", served.port());
    let ran = home.run(&["session", "--url", &url, "--ca-file", right.to_str().unwrap()]);
    assert!(ran.err.contains("is not trusted"), "{}", ran.err);
    let ran = home.run(&["session", "--url", &format!("http://localhost:{}", served.port())]);
    assert_ne!(ran.code, 0);
    // What the server leaves in the folder is the name that its certificate has.
    let mut command = home.command(&["append", "--ca-file", right.to_str().unwrap()]);
    let file = home.write("events", events(0..1));
    let ran = command.arg(file).output().unwrap();
    let err = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success() && err.contains("https://localhost:"), "{err}");
    assert!(testdata("incident").exists());
}
