//! `tacho anchor` and `tacho verify --authorities`, with an authority that OpenSSL plays; where it
//! is not installed there is nobody to ask.

use crate::program::{Home, events};
use crate::served::Served;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// What OpenSSL is to do.
const SCRIPT: &str = include_str!("../../../../testdata/anchor/authority.sh");

/// Who stamps whatever comes, over HTTP.
struct Authority {
    folder: tempfile::TempDir,
    url: String,
}

impl Authority {
    /// `None` where OpenSSL is not installed.
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if !does(folder.path(), "make") {
            return None;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let at = folder.path().to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&at, stream.unwrap());
            }
        });
        Some(Self { folder, url })
    }

    /// The certificates by which others know its stamps.
    fn file(&self) -> String {
        self.folder.path().join("ca.pem").to_str().unwrap().to_owned()
    }
}

/// Has the authority in a folder do something; false where there is none.
fn does(at: &Path, what: &str) -> bool {
    let mut command = Command::new("sh");
    let run = command.args(["-c", SCRIPT, "sh", what]).current_dir(at).output().unwrap();
    let is_missing = run.status.code() == Some(127);
    assert!(is_missing || run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    !is_missing
}

/// One request, whose body is the last that comes of it.
fn answer(at: &Path, mut stream: TcpStream) {
    let mut asked = Vec::new();
    let body = loop {
        let mut some = [0; 1024];
        let count = stream.read(&mut some).unwrap();
        asked.extend_from_slice(&some[..count]);
        let head = asked.windows(4).position(|it| it == b"\r\n\r\n");
        // A request of ours has 69 bytes.
        match head {
            Some(head) if asked.len() >= head + 4 + 69 => break asked.split_off(head + 4),
            _ if count == 0 => return,
            _ => {}
        }
    };
    std::fs::write(at.join("query"), body).unwrap();
    assert!(does(at, "reply"));
    let reply = std::fs::read(at.join("answer")).unwrap();
    let length = reply.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), &reply].concat()).unwrap();
}

/// What `tacho verify` says: its exit code, the level, and each finding's kind.
fn verify(home: &Home, words: &[&str]) -> (i32, String, Vec<String>) {
    let ran = home.run(&[&["verify", "--format", "json"], words].concat());
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let kinds = report["findings"].as_array().unwrap().iter();
    let kinds = kinds.map(|it| it["kind"].as_str().unwrap().to_owned()).collect();
    (ran.code, report["level"].as_str().unwrap().to_owned(), kinds)
}

fn append(home: &Home, numbers: std::ops::Range<u64>) {
    home.write("events.ndjson", events(numbers));
    home.fine(&["append", "events.ndjson"]);
}

/// Puts a copy of the log in its place; nobody remembers more.
fn put_back(home: &Home, copy: &BTreeMap<PathBuf, Vec<u8>>) {
    std::fs::remove_dir_all(home.log()).unwrap();
    for (path, bytes) in copy {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::remove_dir_all(home.path("config/tachograph/known-heads")).unwrap();
}

#[test]
fn a_log_is_stamped_and_one_that_was_put_back_is_found_out_by_what_was_kept() {
    let Some(authority) = Authority::start() else { return };
    let home = Home::new();
    home.fine(&["init"]);
    append(&home, 0..5);
    let before = home.files("tachograph-data");
    append(&home, 5..9);
    let file = authority.file();
    let add = ["anchor", "add", "--tsa", &authority.url, "--authorities", &file, "--allow-private"];
    let stamped = home.fine(&[&add[..], &["--format", "json"]].concat());
    let stamped: Value = serde_json::from_str(&stamped).unwrap();
    assert_eq!((&stamped["authority"], &stamped["is_new"]), (&"CN=stamper".into(), &true.into()));
    // Again: what is there is said, and not asked for a second time.
    let again = home.fine(&[&add[..], &["--format", "json"]].concat());
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!((&again["time"], &again["is_new"]), (&stamped["time"], &false.into()));
    let seen = verify(&home, &["--authorities", &file, "--stamped-within", "1"]);
    assert_eq!(seen, (0, "anchored".to_owned(), vec![]));
    assert_eq!(verify(&home, &[]).1, "signed");
    let listed = home.fine(&["anchor", "list", "--authorities", &file, "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["anchors"][0]["size"], stamped["size"]);
    assert_eq!(listed["anchors"][0]["time"], stamped["time"]);
    // It is in a backup.
    home.fine(&["backup", "backup"]);
    let copied = home.files("backup");
    assert_eq!(copied.keys().filter(|it| it.to_str().unwrap().contains("/anchors/")).count(), 2);
    // Kept elsewhere, and the log put back.
    home.fine(&[&add[..], &["--to", "kept"]].concat());
    assert_eq!(home.files("kept").len(), 2);
    put_back(&home, &before);
    let seen = verify(&home, &["--authorities", &file, "--anchors", "kept"]);
    assert_eq!((seen.0, seen.2), (10, vec!["truncated".to_owned()]));
    let seen = verify(&home, &["--authorities", &file]);
    assert_eq!((seen.0, seen.2), (10, vec!["signature".to_owned()]));
    // A stamp that was altered.
    let path = home.path("kept").join(format!("{:020}.tsa.tsr", stamped["size"].as_u64().unwrap()));
    let stranger = crate::program::testdata("anchor/stranger.pem");
    let stranger = stranger.to_str().unwrap();
    let listed = home.fine(&["anchor", "list", "kept", "--authorities", stranger]);
    assert!(listed.contains("does not count"), "{listed}");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(home.run(&["anchor", "list", "kept", "--authorities", &file]).code, 10);
}

#[test]
fn a_server_has_its_log_stamped_by_itself_and_records_it() {
    let Some(authority) = Authority::start() else { return };
    let home = Home::new();
    home.fine(&["init"]);
    append(&home, 0..5);
    let (file, url) = (authority.file(), &authority.url);
    let path = home.write(
        "server.toml",
        format!(
            "[server]\npublic_logs = [\"main\"]\n\
             [anchor]\nurl = \"{url}\"\nauthorities = \"{file}\"\nallow_private = true\n"
        ),
    );
    let options = ["--config", path.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let served = Served::with(&home, &options);
    let until = Instant::now() + Duration::from_secs(60);
    let of_anchor = ["events", "--type", "log.anchor", "--format", "ndjson"];
    while !home.fine(&of_anchor).contains("CN=stamper") {
        assert!(Instant::now() < until, "nothing was stamped");
        std::thread::sleep(Duration::from_millis(100));
    }
    // Anybody may ask for what it got, of a public log.
    let url = format!("{}/log/main", served.url);
    let seen = verify(&home, &[&url, "--authorities", &file]);
    assert_eq!(seen, (0, "anchored".to_owned(), vec![]));
    let listed = home.fine(&["anchor", "list", "--url", &served.url, "--format", "json"]);
    assert!(listed.contains("\"name\":\"tsa\""), "{listed}");
    served.stop();
    let seen = verify(&home, &["--authorities", &file]);
    assert_eq!(seen, (0, "anchored".to_owned(), vec![]));
}
