//! Logs that witnesses watch: what waits for them, what does not, and what they find out.

use super::*;
use checkpoint::{Algorithm, SigningKey, VerifierKey};
use serve::witness::{Home, Rules, Witnessing, listen};
use serve::{KekOf, OpenError};
use std::path::Path;
use std::time::{Duration, Instant};
use store::DiskFolder;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const EVENT: &str = "{\"event_type\":\"agent.tool_call\",\"tool\":\"lookup\"}";
const EVENTS: &str = "/api/v1/logs/main/events";

/// A witness that listens; it stops when it is dropped.
struct Listening {
    url: String,
    key: VerifierKey,
    _stop: oneshot::Sender<()>,
}

/// Begins to be a witness of this number for the log `main` of a server.
async fn witness(rig: &Rig, place: &Path, number: u8) -> Listening {
    let name = format!("w{number}.example");
    let algorithm = Algorithm::Ed25519Cosignature;
    let key = SigningKey::from_seed(&name, algorithm, &[number; 32]).unwrap();
    let verifier = key.verifier_key().clone();
    let folder = Arc::new(DiskFolder::new(place.join(&name)));
    let clock = Arc::new(seal::SystemClock);
    let home = Home::open(folder, vec![key], keys_of(rig), clock, Box::new(|_| {})).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let stop_it = async { drop(stopped.await) };
    tokio::spawn(listen(Arc::new(home), listener, stop_it));
    Listening { url, key: verifier, _stop: stop }
}

fn keys_of(rig: &Rig) -> Vec<VerifierKey> {
    let main = rig.app.logs().get("main").unwrap();
    main.folder().identity.keys.iter().map(|key| key.parse().unwrap()).collect()
}

/// A policy that so many of these witnesses are enough for.
fn policy(witnesses: &[&Listening], enough: usize) -> checkpoint::Policy {
    let (mut text, mut names) = (String::new(), String::new());
    for (number, witness) in witnesses.iter().enumerate() {
        text += &format!("witness w{number} {} {}\n", witness.key, witness.url);
        names += &format!(" w{number}");
    }
    checkpoint::Policy::parse(&format!("{text}group all {enough}{names}\nquorum all\n")).unwrap()
}

/// What the operator was told.
type Heard = Arc<Mutex<Vec<String>>>;

fn rules(policy: checkpoint::Policy, closed_after: Option<Duration>) -> (Rules, Heard) {
    let heard = Heard::default();
    let tell = {
        let heard = Arc::clone(&heard);
        Box::new(move |text: &str| heard.lock().unwrap().push(text.to_owned()))
    };
    let logs = vec!["main".to_owned()];
    let timeout = Duration::from_secs(10);
    (Rules { policy, closed_after, timeout, allow_private: true, logs, tell }, heard)
}

/// A server in the data folder of `rig`, whose log `main` is watched, as if it ran.
fn watched(rig: Rig, rules: Rules) -> Rig {
    let app = rig.app.clone().with_witnesses(Witnessing::new(rules).unwrap());
    // The port is nobody's: what is watched is watched whoever asks.
    let serving = app.clone();
    tokio::spawn(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        serve::serve(serving, listener, None, std::future::pending()).await
    });
    Rig { router: routes::router(app.clone()), app, folder: rig.folder }
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What the server says of the witnesses of `main`.
async fn told(rig: &Rig, token: &str) -> Value {
    rig.get(token, "/api/v1/logs/main").await.json()["witnesses"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witnessed_answer_has_a_checkpoint_that_the_quorum_cosigned() {
    let (rig, place) = (Rig::new(), tempfile::tempdir().unwrap());
    let mut all = Vec::new();
    for number in 1..=3 {
        all.push(witness(&rig, place.path(), number).await);
    }
    let asked = policy(&all.iter().collect::<Vec<_>>(), 2);
    let (rules, heard) = rules(asked.clone(), None);
    let keys = keys_of(&rig);
    let rig = watched(rig, rules);
    let token = rig.admin();
    for _ in 0..5 {
        let answer = rig.post(&token, &format!("{EVENTS}?ack=witnessed"), EVENT).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let json = answer.json();
        let note = json["checkpoint"].as_str().unwrap();
        let opened = {
            let known: Vec<_> = asked.keys().into_iter().chain(keys.clone()).collect();
            checkpoint::open_checkpoint(note, keys[0].name(), &known).unwrap()
        };
        assert!(opened.is_signed_by_origin() && asked.evaluate(&opened).quorum_met, "{note}");
        let index = json["receipts"][0]["index"].as_u64().or(json["results"][0]["index"].as_u64());
        assert!(index.is_none_or(|index| opened.checkpoint.size > index), "{json}");
    }
    // The same stands beside the published one, for everybody who may read that.
    let public = rig.get(&token, "/log/main/cosigned").await;
    assert_eq!(public.status, StatusCode::OK);
    let said = told(&rig, &token).await;
    assert!(said["alarm"].is_null() && said["size"].as_u64().unwrap() > 4, "{said}");
    assert!(heard.lock().unwrap().is_empty());
    let metrics = rig.get(&token, "/metrics").await;
    let metrics = String::from_utf8_lossy(&metrics.bytes).into_owned();
    assert!(metrics.contains("tacho_witness_alarm{log=\"main\"} 0"), "{metrics}");
    // Nobody watches the other one.
    let other = "/api/v1/logs/other/events?ack=witnessed";
    assert_eq!(rig.post(&token, other, EVENT).await.json()["code"], "no_witness");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_is_away_is_waited_for_by_nobody_but_who_asked_for_it() {
    let (rig, place) = (Rig::new(), tempfile::tempdir().unwrap());
    let here = witness(&rig, place.path(), 1).await;
    // One that takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let away = Listening {
        url: format!("http://{}", silent.local_addr().unwrap()),
        key: SigningKey::from_seed("w9.example", Algorithm::Ed25519Cosignature, &[9; 32])
            .unwrap()
            .verifier_key()
            .clone(),
        _stop: oneshot::channel().0,
    };
    let (mut rules, _) = rules(policy(&[&here, &away], 2), None);
    rules.timeout = Duration::from_millis(500);
    let rig = watched(rig, rules);
    let token = rig.admin();
    // Sealed and published while the round with the silent one is under way.
    for ack in ["durable", "published", "durable"] {
        let answer = rig.post(&token, &format!("{EVENTS}?ack={ack}"), EVENT).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    let answer = rig.post(&token, &format!("{EVENTS}?ack=witnessed"), EVENT).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["code"], "not_witnessed");
    until("its trouble is told", async || {
        let said = told(&rig, &token).await;
        said["each"][1]["trouble"].is_string() && said["waits_ms"].is_u64()
    })
    .await;
    // It is in the log all the same, and sealed once.
    assert_eq!(rig.get(&token, "/log/main/cosigned").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_witness_does_not_hold_up_the_quorum_of_the_others() {
    let (rig, place) = (Rig::new(), tempfile::tempdir().unwrap());
    let first = witness(&rig, place.path(), 1).await;
    let second = witness(&rig, place.path(), 2).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let key = SigningKey::from_seed("w9.example", Algorithm::Ed25519Cosignature, &[9; 32]).unwrap();
    let away = Listening {
        url: format!("http://{}", silent.local_addr().unwrap()),
        key: key.verifier_key().clone(),
        _stop: oneshot::channel().0,
    };
    let (rules, _) = rules(policy(&[&first, &second, &away], 2), None);
    let timeout = rules.timeout;
    let rig = watched(rig, rules);
    let token = rig.admin();
    let begun = Instant::now();
    for _ in 0..3 {
        let answer = rig.post(&token, &format!("{EVENTS}?ack=witnessed"), EVENT).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    assert!(begun.elapsed() < timeout, "each waited for the silent one");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_witnesses_a_log_that_fails_closed_takes_no_events() {
    let (rig, place) = (Rig::new(), tempfile::tempdir().unwrap());
    let here = witness(&rig, place.path(), 1).await;
    let (rules, _) = rules(policy(&[&here], 1), Some(Duration::from_millis(300)));
    let rig = watched(rig, rules);
    let token = rig.admin();
    let answer = rig.post(&token, &format!("{EVENTS}?ack=witnessed"), EVENT).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let url = here.url.clone();
    drop(here);
    until("it refuses", async || {
        let answer = rig.post(&token, EVENTS, EVENT).await;
        answer.status == StatusCode::SERVICE_UNAVAILABLE && answer.json()["code"] == "not_witnessed"
    })
    .await;
    let health = rig.get(&token, "/api/v1/logs/main").await.json();
    assert_eq!(health["status"], "down", "{health}");
    assert_eq!(rig.get("", "/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    // Questions are answered; the other log takes events.
    assert_eq!(rig.get(&token, EVENTS).await.status, StatusCode::OK);
    let other = rig.post(&token, "/api/v1/logs/other/events", EVENT).await;
    assert_eq!(other.status, StatusCode::OK, "{other:?}");
    // The same witness comes back where it was.
    let back = {
        let algorithm = Algorithm::Ed25519Cosignature;
        let key = SigningKey::from_seed("w1.example", algorithm, &[1; 32]).unwrap();
        let folder = Arc::new(DiskFolder::new(place.path().join("w1.example")));
        let clock = Arc::new(seal::SystemClock);
        let mut home =
            Home::open(folder.clone(), vec![key], keys_of(&rig), clock, Box::new(|_| {}));
        for _ in 0..100 {
            if home.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            let key = SigningKey::from_seed("w1.example", algorithm, &[1; 32]).unwrap();
            let clock = Arc::new(seal::SystemClock);
            home = Home::open(folder.clone(), vec![key], keys_of(&rig), clock, Box::new(|_| {}));
        }
        home.unwrap()
    };
    let listener = TcpListener::bind(url.strip_prefix("http://").unwrap()).await.unwrap();
    tokio::spawn(listen(Arc::new(back), listener, std::future::pending()));
    until("it takes events again", async || {
        rig.post(&token, EVENTS, EVENT).await.status == StatusCode::OK
    })
    .await;
    until("the gap is recorded", async || {
        rig.types("main").await.iter().any(|kind| kind == "log.gap")
    })
    .await;
}

/// Copies a data folder, as an operator who means to go back to it would.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// A server over a copy of another one's data, with the same keys: its operator has everything.
fn reopened(data: &Path, folder: tempfile::TempDir, like: Rig) -> Rig {
    let options = Options { reservation: Reservation::Off, publish_ms: 20, ..Options::system() };
    let settings = Settings { options, disk_reserve: 0, retention: None, memory: None };
    let kek_of = Arc::new(|_: &LogFolder| Ok(kek()));
    let logs = Logs::open(DataFolder::new(data), kek_of, Arc::new(|| Ok(kek())), settings).unwrap();
    let keeper = Keeper {
        tokens: Some(
            TokenStore::open(
                &folder.path().join("tokens.json"),
                &folder.path().join("secret"),
                &SystemEntropy::new(),
            )
            .unwrap(),
        ),
        oidc: None,
        policy: Policy::load("", &[]).unwrap(),
        refusals: Mutex::new(RefusalCounter::new()),
        default_log: "main".to_owned(),
    };
    drop(like);
    let app = App::new(Arc::new(logs), keeper, ["other".to_owned()].into());
    Rig { router: routes::router(app.clone()), app, folder }
}

/// A server whose operator went back to a copy from `before` events earlier, and then let `after`
/// others in.
async fn gone_back(before: usize, after: usize, closed: bool) -> (Rig, Heard, tempfile::TempDir) {
    let (rig, place) = (Rig::new(), tempfile::tempdir().unwrap());
    let here = Box::leak(Box::new(witness(&rig, place.path(), 1).await));
    let copied = place.path().join("copy");
    {
        // Only what is published and at rest is copied.
        let main = rig.app.logs().get("main").unwrap();
        main.published(1).await.unwrap();
    }
    let token = rig.admin();
    let answer = rig.post(&token, &format!("{EVENTS}?ack=published"), EVENT).await;
    assert_eq!(answer.status, StatusCode::OK);
    copy(&rig.folder.path().join("data"), &copied);
    let (first, _) = rules(policy(&[here], 1), None);
    let rig = watched(rig, first);
    for _ in 0..before {
        let answer = rig.post(&token, &format!("{EVENTS}?ack=witnessed"), EVENT).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    let back = reopened(&copied, tempfile::tempdir().unwrap(), rig);
    let token = back.admin();
    for _ in 0..after {
        let answer = back.post(&token, &format!("{EVENTS}?ack=published"), EVENT).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    let closed_after = closed.then_some(Duration::from_secs(600));
    let (second, heard) = rules(policy(&[here], 1), closed_after);
    (watched(back, second), heard, place)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_rolled_back_is_found_out_and_says_so_loudly() {
    let (rig, heard, _place) = gone_back(8, 0, false).await;
    let token = rig.admin();
    until("the alarm is raised", async || told(&rig, &token).await["alarm"].is_string()).await;
    let said = told(&rig, &token).await;
    assert!(said["alarm"].as_str().unwrap().contains("rolled back"), "{said}");
    until("the operator hears", async || !heard.lock().unwrap().is_empty()).await;
    let metrics = rig.get(&token, "/metrics").await;
    let metrics = String::from_utf8_lossy(&metrics.bytes).into_owned();
    assert!(metrics.contains("tacho_witness_alarm{log=\"main\"} 1"), "{metrics}");
    until("it stands in the log", async || {
        let answer = rig.get(&token, &format!("{EVENTS}?type=log.configuration")).await;
        String::from_utf8_lossy(&answer.bytes).contains("witness alarm")
    })
    .await;
    // Nobody is given a witnessed answer from here on.
    let answer = rig.post(&token, &format!("{EVENTS}?ack=witnessed"), EVENT).await;
    assert_eq!(answer.json()["code"], "not_witnessed");
    // Open, so events are taken; once, so it is not told again and again.
    assert_eq!(rig.post(&token, EVENTS, EVENT).await.status, StatusCode::OK);
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_forked_is_found_out_and_takes_nothing_when_it_fails_closed() {
    let (rig, heard, _place) = gone_back(2, 12, true).await;
    let token = rig.admin();
    until("the alarm is raised", async || told(&rig, &token).await["alarm"].is_string()).await;
    let said = told(&rig, &token).await;
    assert!(said["alarm"].as_str().unwrap().contains("422"), "{said}");
    assert!(!heard.lock().unwrap().is_empty());
    until("it refuses", async || {
        rig.post(&token, EVENTS, EVENT).await.json()["code"] == "not_witnessed"
    })
    .await;
}

/// Nobody listens there any more.
async fn away() -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let key = SigningKey::from_seed("w9.example", Algorithm::Ed25519Cosignature, &[9; 32]).unwrap();
    Listening { url, key: key.verifier_key().clone(), _stop: oneshot::channel().0 }
}

/// Whether the logs of a data folder may be opened.
fn allowed(policy: checkpoint::Policy, closed: bool, data: &Path) -> Result<(), OpenError> {
    let (rules, _) = rules(policy, closed.then_some(Duration::from_secs(600)));
    let kek_of: KekOf = Arc::new(|_| Ok(kek()));
    Witnessing::new(rules).unwrap().allow(&DataFolder::new(data), &kek_of)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_must_not_go_on_against_its_witnesses_is_not_opened_when_they_contradict_it() {
    let (rig, place) = (Rig::new(), tempfile::tempdir().unwrap());
    let (first, second) =
        (witness(&rig, place.path(), 1).await, witness(&rig, place.path(), 2).await);
    let away = away().await;
    let token = rig.admin();
    let answer = rig.post(&token, &format!("{EVENTS}?ack=published"), EVENT).await;
    assert_eq!(answer.status, StatusCode::OK);
    let data = rig.folder.path().join("data");
    let (old, ahead) = (place.path().join("old"), place.path().join("ahead"));
    copy(&data, &old);
    let (open, _) = rules(policy(&[&first], 1), None);
    let rig = watched(rig, open);
    for _ in 0..5 {
        let answer = rig.post(&token, &format!("{EVENTS}?ack=witnessed"), EVENT).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    let only = || policy(&[&first], 1);
    let refused = allowed(only(), true, &old);
    let Err(OpenError::Contradicted { name, alarm }) = refused else { panic!("{refused:?}") };
    assert!(name == "main" && alarm.contains("w0 contradicts"), "{alarm}");
    assert!(alarm.contains("rolled back"), "{alarm}");
    // Those who said that it goes on whatever witnesses say are not stopped.
    allowed(only(), false, &old).unwrap();
    // Neither is a log that others vouch for, and none by whoever is away.
    allowed(policy(&[&first, &second], 1), true, &old).unwrap();
    assert!(allowed(policy(&[&first, &away], 1), true, &old).is_err());
    allowed(policy(&[&away], 1), true, &old).unwrap();
    allowed(only(), true, &data).unwrap();
    // A power cut took the name of the newest checkpoint, and the journal has its records.
    copy(&data, &ahead);
    let log = rig.app.logs().get("main").unwrap().folder().path.clone();
    let id = log.file_name().unwrap();
    std::fs::copy(old.join(id).join("checkpoint"), ahead.join(id).join("checkpoint")).unwrap();
    allowed(only(), true, &ahead).unwrap();
}
