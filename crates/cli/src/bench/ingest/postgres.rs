//! The same events into PostgreSQL, as a user without an audit log would keep them: multi-row
//! inserts, each a transaction that is durable when it is answered (`synchronous_commit = on`).
//!
//! `psql` sends them, which is a client in C, so that no driver is measured. Chained means that a
//! trigger puts a SHA-256 over each row and the one before, which is what tamper evidence costs
//! there.

use super::super::Pool;
use super::IngestRow;
use super::client::Load;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// The plain table; the chain is a trigger on it.
const PLAIN: &str = "\
SET client_min_messages = warning;
DROP TABLE IF EXISTS tacho_bench, tacho_bench_head;
CREATE TABLE tacho_bench (id uuid PRIMARY KEY, event json NOT NULL, hash bytea);
";
const CHAIN: &str = "\
CREATE TABLE tacho_bench_head (hash bytea NOT NULL);
INSERT INTO tacho_bench_head VALUES ('\\x00');
CREATE OR REPLACE FUNCTION tacho_bench_chain() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  UPDATE tacho_bench_head SET hash = sha256(hash || convert_to(NEW.event::text, 'UTF8'))
    RETURNING hash INTO NEW.hash;
  RETURN NEW;
END $f$;
CREATE TRIGGER tacho_bench_chain BEFORE INSERT ON tacho_bench
  FOR EACH ROW EXECUTE FUNCTION tacho_bench_chain();
";
const CLEAN: &str = "\
DROP TABLE IF EXISTS tacho_bench, tacho_bench_head;
DROP FUNCTION IF EXISTS tacho_bench_chain();
";

/// Inserts for `length`, into a table that is made before and dropped after.
///
/// # Errors
/// What `psql` says.
pub(super) fn run(
    connection: &str,
    chained: bool,
    pool: &Pool,
    load: Load,
    length: Duration,
) -> Result<IngestRow, String> {
    let mut set_up = Session::open(connection)?;
    set_up.say(PLAIN)?;
    if chained {
        set_up.say(CHAIN)?;
    }
    set_up.close()?;
    let begun = Instant::now();
    let counts: Vec<Result<u64, String>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..load.connections)
            .map(|number| scope.spawn(move || insert(connection, pool, load, number, length)))
            .collect();
        let failed = || Err("a client panicked".to_owned());
        clients.into_iter().map(|client| client.join().unwrap_or_else(|_| failed())).collect()
    });
    let took = begun.elapsed();
    let mut clean = Session::open(connection)?;
    clean.say(CLEAN)?;
    clean.close()?;
    let events: u64 = counts.into_iter().sum::<Result<u64, String>>()?;
    Ok(IngestRow {
        case: if chained { "postgres chained" } else { "postgres" }.to_owned(),
        until_s: took.as_secs_f64(),
        events_per_second: events as f64 / took.as_secs_f64(),
        ..IngestRow::of_others(load.batch, load.connections)
    })
}

/// One client: its statements follow each other without a wait, and the last one is answered before
/// it ends.
fn insert(
    connection: &str,
    pool: &Pool,
    load: Load,
    number: usize,
    length: Duration,
) -> Result<u64, String> {
    let mut session = Session::open(connection)?;
    session.say("SET synchronous_commit = on;\n")?;
    let mut source = pool.source(load.run + number as u64);
    let (mut lines, mut statement, mut events) = (Vec::new(), String::new(), 0);
    let begun = Instant::now();
    while begun.elapsed() < length {
        source.fill(load.batch, &mut lines);
        statement.clear();
        statement.push_str("INSERT INTO tacho_bench (id, event) VALUES ");
        let text = String::from_utf8_lossy(&lines);
        for (place, line) in text.lines().enumerate() {
            let id = line.split_once(r#""event_id":""#).map_or("", |(_, rest)| rest);
            let id = id.split('"').next().unwrap_or_default();
            let comma = if place > 0 { "," } else { "" };
            let _ = write!(statement, "{comma}('{id}',$e${line}$e$)");
            events += 1;
        }
        statement.push_str(";\n");
        session.say(&statement)?;
    }
    session.close()?;
    Ok(events)
}

/// A `psql` that is told statements.
struct Session {
    child: Child,
    input: ChildStdin,
}

impl Session {
    fn open(connection: &str) -> Result<Self, String> {
        let mut command = Command::new("psql");
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", connection]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            format!("psql does not start ({error}); is PostgreSQL's client installed?")
        })?;
        let input = child.stdin.take().ok_or("psql takes no input")?;
        Ok(Self { child, input })
    }

    /// Sends statements. That they failed is told by [`Session::close`].
    fn say(&mut self, statements: &str) -> Result<(), String> {
        match self.input.write_all(statements.as_bytes()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    /// Waits until everything is answered.
    fn close(self) -> Result<(), String> {
        let Self { mut child, input } = self;
        drop(input);
        let mut said = String::new();
        if let Some(mut errors) = child.stderr.take() {
            errors.read_to_string(&mut said).map_err(|error| error.to_string())?;
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("psql: {}", said.trim())) }
    }
}
