//! `tacho witness serve` as a log that is no program of ours would use it; and what `tacho verify`
//! says of witnesses.

use crate::program::{Home, events};
use checkpoint::{
    Algorithm, Checkpoint, Note, NoteSignature, SigningKey, VerifierKey, verify_note,
};
use merkle::{MemoryTree, consistency_proof, leaf_hash};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const ORIGIN: &str = "log.example/main";

fn log() -> SigningKey {
    SigningKey::from_seed(ORIGIN, Algorithm::Ed25519, &[7; 32]).unwrap()
}

/// A witness that runs; it is killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: String,
    pub(crate) key: VerifierKey,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a witness for the logs of these keys.
pub(crate) fn start(folder: &Path, logs: &[String]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tacho"));
    command.args(["witness", "serve", "--name", "w.example", "--listen", "127.0.0.1:0"]);
    command.arg("--folder").arg(folder.join("witness")).env("XDG_CONFIG_HOME", folder);
    for key in logs {
        command.args(["--log-key", key]);
    }
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = |what: &str| {
        let line = lines.next().unwrap().unwrap();
        line.strip_prefix(what).unwrap_or_else(|| panic!("{line}")).to_owned()
    };
    let key = said("Witness ").parse().unwrap();
    let address = said("Listening on http://");
    // Whatever it says later is read, so that it need not wait.
    std::thread::spawn(move || lines.for_each(drop));
    Running { child, address, key }
}

/// Sends bytes and returns status, kind and body.
fn send(address: &str, bytes: &[u8]) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: "));
    (status, kind.unwrap_or_default().to_owned(), body.to_owned())
}

fn post(address: &str, path: &str, body: &str) -> (u16, String, String) {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: w\r\nconnection: close\r\n");
    send(address, format!("{head}content-length: {length}\r\n\r\n{body}").as_bytes())
}

fn tree(size: u64) -> MemoryTree {
    let mut tree = MemoryTree::new();
    (0..size).for_each(|index| tree.push(leaf_hash(&index.to_be_bytes())));
    tree
}

fn request(old_size: u64, size: u64) -> (String, String) {
    let tree = tree(size);
    let head = Checkpoint::new(ORIGIN, size, tree.root()).unwrap();
    let note = checkpoint::sign_checkpoint(&head, &[&log()]).unwrap();
    let proof = consistency_proof(&tree, old_size, size).unwrap();
    let body = witness::AddCheckpoint { old_size, proof, note: note.clone().into_bytes() };
    (String::from_utf8(body.to_bytes()).unwrap(), note)
}

#[test]
fn a_witness_answers_as_the_specification_says_and_remembers_when_it_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let keys = [log().verifier_key().to_string()];
    let running = start(folder.path(), &keys);
    let (body, note) = request(0, 5);
    let (status, _, lines) = post(&running.address, "/add-checkpoint", &body);
    assert_eq!(status, 200, "{lines}");
    let mut cosigned = Note::parse(&note).unwrap();
    cosigned.add(NoteSignature::parse(lines.trim_end()).unwrap()).unwrap();
    let made = verify_note(&cosigned, std::slice::from_ref(&running.key)).unwrap();
    assert!(made[0].timestamp_s.unwrap() > 1_700_000_000);
    let (status, ..) = post(&running.address, "/add-checkpoint", "old x\n\n");
    assert_eq!(status, 400);
    let stranger = body.replace(ORIGIN, "other.example/log");
    assert_eq!(post(&running.address, "/add-checkpoint", &stranger).0, 404);
    let forged = body.replacen("\n5\n", "\n6\n", 1);
    assert_eq!(post(&running.address, "/add-checkpoint", &forged).0, 403);
    // By SIGKILL: what it said must be on disk.
    let key = running.key.clone();
    drop(running);
    let running = start(folder.path(), &keys);
    assert_eq!(running.key, key);
    let (status, kind, size) = post(&running.address, "/witness/add-checkpoint", &request(0, 9).0);
    assert_eq!((status, kind.as_str(), size.as_str()), (409, "text/x.tlog.size", "5\n"));
    let (body, _) = request(5, 9);
    let cut: String = body.lines().filter(|line| line.len() != 44 || line.contains(' ')).collect();
    assert_eq!(post(&running.address, "/add-checkpoint", &cut).0, 400);
    let wrong =
        body.replacen("old 5\n", "old 5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 1);
    assert_eq!(post(&running.address, "/add-checkpoint", &wrong).0, 422);
    assert_eq!(post(&running.address, "/add-checkpoint", &body).0, 200);
}

#[test]
fn hostile_bytes_do_not_end_a_witness() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path(), &[log().verifier_key().to_string()]);
    let long = "a".repeat(witness::BODY_BYTES_MAX + 10);
    assert_eq!(post(&running.address, "/add-checkpoint", &long).0, 400);
    let (body, _) = request(0, 5);
    for place in (0..body.len()).step_by(7).filter(|it| body.is_char_boundary(*it)) {
        let status = post(&running.address, "/add-checkpoint", &body[..place]).0;
        assert_eq!(status, 400, "{place}");
    }
    let head = "POST /add-checkpoint HTTP/1.1\r\nhost: w\r\nconnection: close\r\n";
    let lying = format!("{head}content-length: 18446744073709551615\r\n\r\n");
    assert!((400..500).contains(&send(&running.address, lying.as_bytes()).0));
    assert_eq!(send(&running.address, b"GET /x/checkpoint HTTP/1.0\r\n\r\n").0, 404);
    assert_eq!(post(&running.address, "/add-checkpoint", &body).0, 200);
}

#[test]
fn a_witness_without_logs_name_or_folder_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tacho"));
        command.args(["witness", "serve"]).args(arguments).env("XDG_CONFIG_HOME", folder.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let place = folder.path().join("w").display().to_string();
    for (arguments, what) in [
        (vec![], "--name"),
        (vec!["--name", "w.example"], "--folder"),
        (vec!["--name", "w.example", "--folder", &place], "--log-key"),
    ] {
        let (code, said) = run(&arguments);
        assert!(code == Some(2) && said.contains(what), "{code:?} {said}");
    }
    let bad = run(&["--name", "w.example", "--folder", &place, "--log-key", "x"]);
    assert!(bad.0 == Some(1) && bad.1.contains("tacho keys list"), "{bad:?}");
}

fn watcher(number: u8) -> SigningKey {
    let name = format!("w{number}.example");
    SigningKey::from_seed(name, Algorithm::Ed25519Cosignature, &[number; 32]).unwrap()
}

/// Writes what these witnesses cosigned of the newest checkpoint beside it, as a server does.
fn cosign(log: &Path, watchers: &[u8]) {
    let note = std::fs::read_to_string(log.join("checkpoint")).unwrap();
    let origin = note.lines().next().unwrap();
    let identity = std::fs::read_to_string(log.join("log.json")).unwrap();
    let identity: serde_json::Value = serde_json::from_str(&identity).unwrap();
    let key = identity["keys"][0].as_str().unwrap().parse().unwrap();
    let opened = checkpoint::open_checkpoint(&note, origin, &[key]).unwrap();
    let mut note = opened.note().clone();
    for number in watchers {
        note.add(checkpoint::cosign(&opened, &watcher(*number), 1_750_000_000).unwrap()).unwrap();
    }
    std::fs::write(log.join("cosigned"), note.to_string()).unwrap();
}

/// Two of three.
fn two_of_three(home: &Home) {
    let mut policy = String::new();
    for number in 1..=3 {
        policy += &format!("witness w{number} {}\n", watcher(number).verifier_key());
    }
    home.write("policy", format!("{policy}group enough 2 w1 w2 w3\nquorum enough\n"));
}

#[test]
fn a_pack_asks_whether_witnesses_saw_the_log() {
    let home = Home::new();
    home.fine(&["init"]);
    assert_eq!(home.feed(&["append"], events(0..3).as_bytes()).code, 0);
    two_of_three(&home);
    let asked = |more: &[&str]| {
        let words = ["report", "compliance-check", "--pack", "finos-mi-21", "--format", "json"];
        let text = home.fine(&[&words[..], more].concat());
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let controls = value["controls"].as_array().unwrap();
        let it = controls.iter().find(|it| it["predicate"] == "C-INT-2").unwrap();
        let text = |name: &str| it[name].as_str().unwrap().to_owned();
        (text("verdict"), text("found"))
    };
    assert_eq!(asked(&[]).0, "not_assessable");
    let (verdict, found) = asked(&["--witnesses", "policy"]);
    assert!(verdict == "fail" && found.contains("no checkpoint was cosigned"), "{found}");
    cosign(&home.log(), &[2]);
    assert_eq!(asked(&["--witnesses", "policy"]).0, "fail");
    cosign(&home.log(), &[1, 2]);
    let (verdict, found) = asked(&["--witnesses", "policy"]);
    assert!(verdict == "pass" && found.contains("2 of 3 witnesses"), "{verdict} {found}");
    let served = crate::served::Served::start(&home);
    let (verdict, over_http) = asked(&["--witnesses", "policy", "--url", &served.url]);
    assert!(verdict == "pass" && over_http.contains("2 of 3 witnesses"), "{over_http}");
    home.write("policy", "quorum none\n");
    let words = ["report", "compliance-check", "--witnesses", "policy"];
    let ran = home.run(&words);
    assert!(ran.code == 2 && ran.err.contains("asks for no witness"), "{} {}", ran.code, ran.err);
}

#[test]
fn verify_says_how_many_of_which_witnesses_saw_the_log() {
    let home = Home::new();
    home.fine(&["init"]);
    assert_eq!(home.feed(&["append"], events(0..3).as_bytes()).code, 0);
    let log = home.log();
    two_of_three(&home);
    let verify = || {
        let ran = home.run(&["verify", "--policy", "policy", "--format", "json"]);
        (ran.code, serde_json::from_str::<serde_json::Value>(&ran.out).unwrap())
    };
    let (code, report) = verify();
    assert!(code == 10 && report["findings"][0]["file"] == "cosigned", "{report}");
    cosign(&log, &[2]);
    assert_eq!(verify().0, 10);
    cosign(&log, &[1, 2]);
    assert_eq!(home.feed(&["append"], events(3..9).as_bytes()).code, 0);
    let (code, report) = verify();
    assert!(code == 0 && report["level"] == "witnessed", "{report}");
    let notes = report["notes"].to_string();
    assert!(notes.contains("2 of 3 witnesses") && notes.contains("w1 at 2025-06-15"), "{notes}");
    assert!(notes.contains("newest are signed by the log alone"), "{notes}");
    home.fine(&["backup", "copy"]);
    let copied = home.run(&["verify", "copy", "--policy", "policy"]);
    assert!(copied.code == 0 && copied.out.contains("2 of 3 witnesses"), "{}", copied.out);
    // Without a policy nobody asks for witnesses, and the file is one that a log may have.
    assert_eq!(home.run(&["verify"]).code, 0);
    let wrong = home.run(&["verify", "--policy", "absent"]);
    assert!(wrong.code == 1 && wrong.err.contains("absent"), "{}", wrong.err);
    home.write("policy", "quorum\n");
    let wrong = home.run(&["verify", "--policy", "policy"]);
    assert!(wrong.code == 1 && wrong.err.contains("line"), "{}", wrong.err);
}
