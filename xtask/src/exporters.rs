//! `cargo xtask exporters`: OpenTelemetry's stock Python exporters, as PyPI has them, send to a
//! server that was started as a newcomer would start it.
//!
//! What it is: starts `tacho serve` without any configuration on a free port, runs
//! testdata/hostile/clients.py, testdata/exporters/check.py and testdata/mcp/client.py, lets
//! schemathesis hold the server to its description, stops it and verifies its log.
//! What it is not: an exporter.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::Command;
use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::job::Job;
use crate::need::{Need, need};
use crate::place::{self, Temporary};
use crate::steps::Outcome;
use crate::wheels;

/// What the clients of the server need from PyPI.
pub(crate) const REQUIREMENTS: &str = "testdata/exporters/requirements.txt";
/// A server that starts takes less than a second; a busy machine some more.
const START_MAX: Duration = Duration::from_secs(30);

pub(crate) const COMMAND: Command = Command {
    name: "exporters",
    summary: "has OpenTelemetry's exporters, MCP's client and schemathesis, from PyPI, use a server",
    help: "\
Starts `tacho serve` with nothing configured, and sees that clients who mean no good do not hurt it
(testdata/hostile). Lets OpenTelemetry's exporters (from PyPI, as wheels, in a virtual environment in the build
folder) send spans and log records over HTTP and gRPC; asks for them, lets MCP's Python client use every tool, and
schemathesis hold the server to the description that it gives of itself (testdata/openapi); stops the server, and
verifies its log. Needs target/demo/tacho.

Examples:
  cargo xtask exporters
  cargo xtask test --only build,exporters",
    run,
};

fn run(arguments: Arguments) -> Result<(), Failure> {
    arguments.nothing_left()?;
    step().map(|_| ())
}

pub(crate) fn step() -> Result<Outcome, Failure> {
    need(&Need::Python)?;
    let program = wheels::python("exporters", Path::new(REQUIREMENTS))?;
    let folder = Temporary::new("exporters")?;
    let (data, configuration) = (folder.path().join("data"), folder.path().join("config"));
    let said = folder.path().join("said");
    let mut server = serve(&data, &configuration, &said)?;
    let pid = server.id();
    let checked = address(&said).and_then(|address| {
        let token = configuration.join("tachograph/admin-token");
        let incident = place::root().join("testdata/incident/refund.ndjson");
        let python = |script: &str| {
            let job = Job::new(&program).env("PYTHONDONTWRITEBYTECODE", "1");
            job.arg(place::root().join(script))
        };
        // First, while the most memory that the server ever had is little.
        let hurt = python("testdata/hostile/clients.py").args([Path::new(&address), &token]);
        hurt.arg(pid.to_string()).run()?;
        let sent = python("testdata/exporters/check.py");
        sent.args([Path::new(&address), &token, &incident]).run()?;
        let asked = python("testdata/mcp/client.py");
        let url = format!("{address}/mcp");
        asked.args(["--url", &url, "--token-file"]).arg(&token).run()?;
        python("testdata/openapi/check.py").args([Path::new(&address), &token]).run()
    });
    let stopped = stop(&mut server);
    checked?;
    stopped?;
    let job = Job::new(place::tacho("demo")).env("XDG_CONFIG_HOME", &configuration);
    job.env("TACHO_DATA", &data).arg("verify").run()?;
    Ok(Outcome::Passed)
}

fn serve(data: &Path, configuration: &Path, said: &Path) -> Result<std::process::Child, Failure> {
    let out = std::fs::File::create(said).map_err(|e| Failure::file("write", said, &e))?;
    let tacho = place::tacho("demo");
    std::process::Command::new(&tacho)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("TACHO_DATA", data)
        .env("XDG_CONFIG_HOME", configuration)
        .stdin(Stdio::null())
        .stderr(out)
        .spawn()
        .map_err(|e| Failure::file("run", &tacho, &e))
}

/// Where the server says that it listens.
fn address(said: &Path) -> Result<String, Failure> {
    let begun = Instant::now();
    while begun.elapsed() < START_MAX {
        let text = std::fs::read_to_string(said).unwrap_or_default();
        if let Some(address) = text.lines().find_map(|line| line.strip_prefix("Listening on ")) {
            return Ok(address.to_owned());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let text = std::fs::read_to_string(said).unwrap_or_default();
    Err(Failure::Failed(format!("the server did not begin to listen; it said: {text}")))
}

/// Asks the server to end, as an operator would, and sees that it ends well.
fn stop(server: &mut std::process::Child) -> Result<(), Failure> {
    Job::new("kill").args(["-TERM", &server.id().to_string()]).run()?;
    let status = server.wait().map_err(|e| Failure::Failed(format!("the server: {e}")))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::Failed(format!("the server ended with {status}"))),
    }
}
