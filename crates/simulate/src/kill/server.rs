//! `kill -9` of a real server under clients that send again until they are answered.
//!
//! Clients live through the kills: whatever was answered before one must be in the log after all of
//! them, once, under its index, below every tree head that was ever handed out.

use super::plan::batch;
use super::{KEK, kek, options, text};
use crate::model::Model;
use crate::random::Random;
use crate::{reading, verdict};
use event::Principal;
use seal::Outcome;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{DiskFolder, Folder, Reservation};

/// The log that a server makes by itself.
const LOG: &str = "main";
/// Kills of one log, before everything in it is compared with what was answered.
const KILLS_OF_A_LOG: u64 = 25;
/// Longest time between a server's being ready and its end, in milliseconds.
const LIFE_MS_MAX: u64 = 600;
/// A client waits so long before it tries again.
const PAUSE: Duration = Duration::from_millis(5);
/// A client gives a server up after this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much the rounds did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerTally {
    /// Servers killed.
    pub kills: u64,
    /// Events acknowledged.
    pub acknowledged: u64,
    /// Of these, found sealed by an earlier try that was not answered.
    pub redelivered: u64,
    /// Tries that were not answered, or not with 200.
    pub unanswered: u64,
    /// Signed tree heads that were handed out with answers.
    pub receipts: u64,
}

/// An answered batch.
struct Answered {
    client: u64,
    number: u64,
    outcomes: Vec<Outcome>,
    note: String,
}

/// Kills the server of `tacho` so many times under `clients` clients.
///
/// # Errors
/// The first broken promise, in words; the folder is left as it is.
pub fn kill_servers(
    tacho: &Path,
    folder: &Path,
    rounds: u64,
    clients: u64,
    seed: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<ServerTally, String> {
    let mut random = Random::new(seed);
    let mut tally = ServerTally::default();
    while tally.kills < rounds {
        let at = folder.join(tally.kills.to_string());
        let kills = KILLS_OF_A_LOG.min(rounds - tally.kills);
        let ground = Ground::create(tacho, &at)?;
        let answered = ground.torment(kills, clients, &mut random, &mut tally, progress)?;
        ground.judge(clients, &answered, &mut tally)?;
        std::fs::remove_dir_all(&at).map_err(text)?;
    }
    Ok(tally)
}

/// The folders of one server, and where it is reached.
struct Ground {
    tacho: PathBuf,
    at: PathBuf,
    address: String,
}

impl Ground {
    fn create(tacho: &Path, at: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(at).map_err(text)?;
        // A port that is free now is the server's own from here on, so that clients find it again.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(text)?;
        let address = listener.local_addr().map_err(text)?.to_string();
        Ok(Self { tacho: tacho.to_owned(), at: at.to_owned(), address })
    }

    /// Starts the server and waits until it listens.
    fn start(&self) -> Result<Child, String> {
        let mut command = Command::new(&self.tacho);
        command.arg("serve").arg("--data").arg(self.at.join("data"));
        command.args(["--listen", &self.address]);
        command.env_clear().env("HOME", &self.at).env("TACHO_KEK", KEK);
        command.env("XDG_CONFIG_HOME", self.at.join("config"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(text)?;
        let mut said = BufReader::new(child.stderr.take().ok_or("the server is mute")?);
        let mut all = String::new();
        while !all.contains("Listening on") {
            if said.read_line(&mut all).map_err(text)? == 0 {
                let _ = child.wait();
                return Err(format!("the server ended by itself: {}", all.trim()));
            }
        }
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Ok(child)
    }

    /// Runs the clients while one server after the other is killed; gives what was answered.
    fn torment(
        &self,
        kills: u64,
        clients: u64,
        random: &mut Random,
        tally: &mut ServerTally,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<Answered>, String> {
        let mut server = self.start()?;
        let token = std::fs::read_to_string(self.at.join("config/tachograph/admin-token"));
        let (token, stop) = (token.map_err(text)?, AtomicBool::new(false));
        let answered = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let (stop, answered, token) = (&stop, &answered, token.trim());
            let clients: Vec<_> = (0..clients)
                .map(|client| scope.spawn(move || self.send(client, token, stop, answered)))
                .collect();
            let mut rounds = || -> Result<(), String> {
                for round in 0..kills {
                    std::thread::sleep(Duration::from_millis(random.between(1, LIFE_MS_MAX)));
                    if let Some(status) = server.try_wait().map_err(text)? {
                        return Err(format!("the server ended by itself: {status}"));
                    }
                    server.kill().and_then(|()| server.wait()).map_err(text)?;
                    tally.kills += 1;
                    progress(tally.kills);
                    if round + 1 < kills {
                        server = self.start()?;
                    }
                }
                Ok(())
            };
            let outcome = rounds();
            stop.store(true, Ordering::Relaxed);
            let _ = server.kill();
            let _ = server.wait();
            for client in clients {
                let failed = || Err("a client panicked".to_owned());
                tally.unanswered += client.join().unwrap_or_else(|_| failed())?;
            }
            outcome
        })?;
        Ok(answered.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// One client: each batch again and again until it is answered. Gives how often it was not.
    fn send(
        &self,
        client: u64,
        token: &str,
        stop: &AtomicBool,
        answered: &Mutex<Vec<Answered>>,
    ) -> Result<u64, String> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        let url = format!("http://{}/api/v1/logs/{LOG}/events", self.address);
        let mut unanswered = 0;
        for number in 0.. {
            let body = lines(client, number);
            loop {
                if stop.load(Ordering::Relaxed) {
                    return Ok(unanswered);
                }
                let request = agent
                    .post(&url)
                    .header("Authorization", format!("Bearer {token}"))
                    .header("Content-Type", "application/x-ndjson");
                let answer = request.send(body.as_bytes()).and_then(|mut response| {
                    Ok((response.status().as_u16(), response.body_mut().read_to_string()?))
                });
                match answer {
                    Ok((200, body)) => {
                        let answer = Answered::parse(client, number, &body)?;
                        answered.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
                        break;
                    }
                    // Too early, too much, or the last words of a server: send it again.
                    Ok((429 | 500..=599, _)) | Err(_) => unanswered += 1,
                    Ok((status, body)) => return Err(format!("answered {status}: {body}")),
                }
                std::thread::sleep(PAUSE);
            }
        }
        Ok(unanswered)
    }

    /// Compares what the log holds with everything that was answered.
    fn judge(
        &self,
        clients: u64,
        answered: &[Answered],
        tally: &mut ServerTally,
    ) -> Result<(), String> {
        let folder: Arc<dyn Folder> = Arc::new(DiskFolder::new(self.log()?));
        let identity = reading::identity(&*folder)?;
        let epochs = reading::epochs(&*folder, &identity)?;
        let mut model = Model::new(identity, epochs).taken_by_a_server(self.principal()?);
        let opened = seal::open(&folder, Arc::new(kek()), options(Reservation::Off));
        let writer = opened.map_err(|error| format!("it does not open after kills: {error}"))?;
        // Any batch may have been sent more often than it was answered.
        for client in 0..clients {
            let next = answered.iter().filter(|it| it.client == client).count() as u64;
            (0..=next).for_each(|number| model.doubt(batch(client, number)));
        }
        let mut heads = std::collections::HashSet::new();
        for answer in answered {
            let planned = batch(answer.client, answer.number);
            model.learn_outcomes(&planned, &answer.outcomes, &answer.note, writer.redactor())?;
            tally.acknowledged += planned.len() as u64;
            let again = answer.outcomes.iter().filter(|it| matches!(it, Outcome::Duplicate { .. }));
            tally.redelivered += again.count() as u64;
            heads.insert(&answer.note);
        }
        tally.receipts += heads.len() as u64;
        if answered.is_empty() {
            return Err("no batch was ever answered, so nothing was tested".to_owned());
        }
        let contents = reading::read(&*folder, &kek())?;
        model.check(&contents)?;
        verdict::check(&*folder, &contents, &model)
    }

    /// The folder of the server's only log.
    fn log(&self) -> Result<PathBuf, String> {
        let data = self.at.join("data");
        let mut logs: Vec<PathBuf> = Vec::new();
        for entry in data.read_dir().map_err(text)? {
            let path = entry.map_err(text)?.path();
            logs.extend(path.join(seal::IDENTITY_PATH).is_file().then_some(path));
        }
        match logs.as_slice() {
            [log] => Ok(log.clone()),
            logs => Err(format!("the server made {} logs", logs.len())),
        }
    }

    /// Whom the server takes the clients for.
    fn principal(&self) -> Result<Principal<'static>, String> {
        let path = self.at.join("config/tachograph/tokens.json");
        let list: Value = serde_json::from_slice(&std::fs::read(path).map_err(text)?)
            .map_err(|error| error.to_string())?;
        let id = list["tokens"][0]["id"].as_str().ok_or("the list of tokens has no id")?;
        Ok(Principal {
            issuer: Some("tachograph".into()),
            subject: Some(format!("admin#{id}").into()),
            method: Some("token".into()),
        })
    }
}

/// A batch as a client sends it.
fn lines(client: u64, number: u64) -> String {
    let line = |planned: &Arc<crate::workload::Planned>| {
        let mut event = json!({
            "event_id": planned.id,
            "event_type": planned.kind,
            "params": planned.body,
        });
        if let (Some(session), Some(event)) = (&planned.session, event.as_object_mut()) {
            event.insert("session_id".to_owned(), json!(session));
        }
        format!("{event}\n")
    };
    batch(client, number).iter().map(line).collect()
}

impl Answered {
    /// Reads an answer of 200.
    fn parse(client: u64, number: u64, body: &str) -> Result<Self, String> {
        let wrong = || format!("an answer of 200 is not what was promised: {body}");
        let answer: Value = serde_json::from_str(body).map_err(|_| wrong())?;
        let outcome = |result: &Value| {
            let index = result["index"].as_u64()?;
            let mut leaf_hash = [0; 32];
            let hex = result["leaf_hash"].as_str()?;
            for (place, byte) in leaf_hash.iter_mut().enumerate() {
                *byte = u8::from_str_radix(hex.get(2 * place..2 * place + 2)?, 16).ok()?;
            }
            Some(match result["duplicate"].as_bool()? {
                true => Outcome::Duplicate { index, leaf_hash },
                false => Outcome::Sealed { index, leaf_hash },
            })
        };
        let results = answer["results"].as_array().ok_or_else(wrong)?;
        let outcomes = results.iter().map(outcome).collect::<Option<_>>().ok_or_else(wrong)?;
        let note = answer["checkpoint"].as_str().ok_or_else(wrong)?.to_owned();
        Ok(Self { client, number, outcomes, note })
    }
}
