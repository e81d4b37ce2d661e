//! The table of what `cargo xtask test` runs: every step, in order, with its exact command.
//!
//! To add a step, add a row. To change what a slice costs, change its numbers here and nowhere
//! else. Next door: `test.rs` runs the rows, `need.rs` installs what they ask for.

use crate::arguments::Arguments;
use crate::attack;
use crate::bundle;
use crate::console;
use crate::deny;
use crate::exporters;
use crate::failure::Failure;
use crate::fuzz;
use crate::lane::Lane::{self, Code, Product};
use crate::need::Need;
use crate::python;
use crate::readers;
use crate::record;
use crate::redact_eval;
use crate::reference;
use crate::strength::full_disk;
use crate::tidy;
use crate::wasm;
use crate::witnesses;

/// How a step ended, when it did not fail.
pub(crate) enum Outcome {
    /// It did what it says.
    Passed,
    /// It had nothing to do, and why.
    Skipped(String),
}

/// One row: what is checked and how.
pub(crate) struct Step {
    /// What `--only` and `--skip` take.
    pub(crate) name: &'static str,
    /// What it makes sure of.
    pub(crate) what: &'static str,
    /// Where it runs when all do: see `lane.rs`.
    pub(crate) lane: Lane,
    pub(crate) needs: &'static [Need],
    /// A file without which the step is skipped: it checks something that is not in this tree.
    pub(crate) file: Option<&'static str>,
    pub(crate) action: Action,
    /// What to do when it fails.
    pub(crate) remedy: &'static str,
}

/// What a step does.
pub(crate) enum Action {
    /// Runs cargo with these words and these environment variables.
    Cargo(&'static [&'static str], &'static [(&'static str, &'static str)]),
    /// Calls a function of this program.
    Call(fn() -> Result<Outcome, Failure>),
}

use Action::{Call, Cargo};

/// Seconds of fuzzing in all, which targets share: some for each are enough to replay the seeds and
/// catch a parser that falls over at once.
const FUZZ_SECONDS: u32 = 60;

/// Runs of the simulated writer: some tenths of a second each.
const SEEDED_RUNS: u32 = 150;
const SEEDED_FAULTS: u32 = 60;
const SEEDED_PAIRS: u32 = 100;

/// Processes killed: some seconds each, most of them waiting for the disk.
const KILL_ROUNDS: u32 = 20;
/// Servers killed: about a second each.
const KILL_SERVERS: u32 = 8;

/// Times that a server's disk is filled: some seconds each.
const FULL_DISK_ROUNDS: u32 = 3;

/// Honest logs that must not be accused: some tenths of a second each.
const HONEST_LOGS: u32 = 8;

/// Cheap steps first, so that a slip is told within a minute.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        what: "formatting",
        lane: Code,
        needs: &[],
        file: None,
        action: Cargo(&["fmt", "--all", "--check"], &[]),
        remedy: "run `cargo fmt --all`",
    },
    Step {
        name: "clippy",
        what: "compiler and clippy warnings",
        lane: Code,
        needs: &[Need::Compiler, Need::Python],
        file: None,
        action: Cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[]),
        remedy: "fix each warning; where it is wrong, `#[expect(lint, reason = \"...\")]`",
    },
    Step {
        name: "tidy",
        what: "the house rules",
        lane: Code,
        needs: &[],
        file: None,
        action: Call(tidy::step),
        remedy: "each line above says what to do; `cargo xtask tidy` runs this step alone",
    },
    Step {
        name: "deny",
        what: "licences, sources and bans",
        lane: Code,
        needs: &[],
        file: None,
        action: Call(|| deny::check(false)),
        remedy: "see deny.toml; a new licence or source needs a reason there",
    },
    Step {
        name: "record",
        what: "recorded test data is what its scripts write",
        lane: Code,
        needs: &[Need::Python],
        file: Some("testdata/record"),
        action: Call(record::step),
        remedy: "the message names the script; see testdata/record/README.md",
    },
    Step {
        name: "test",
        what: "unit and integration tests",
        lane: Code,
        needs: &[Need::Compiler],
        file: None,
        action: Cargo(&["test", "--workspace"], &[]),
        remedy: "run the failing test alone: `cargo test -p CRATE TEST`",
    },
    Step {
        name: "doc",
        what: "documentation builds without warnings",
        lane: Code,
        needs: &[],
        file: None,
        action: Cargo(&["doc", "--no-deps", "--workspace"], &[("RUSTDOCFLAGS", "-Dwarnings")]),
        remedy: "mend the link or the markup that rustdoc names",
    },
    Step {
        name: "wasm",
        what: "the offline checker builds for the browser, and pages carry what was built",
        lane: Code,
        needs: &[Need::WasmTarget],
        file: None,
        action: Call(wasm::step),
        remedy: "keep I/O, clocks and native libraries out of prove, checkpoint, merkle and event; after a \
                 change of these `cargo xtask wasm --write`",
    },
    Step {
        name: "build",
        what: "the binary that the steps below run",
        lane: Product,
        needs: &[Need::Compiler],
        file: None,
        action: Cargo(crate::demo::BUILD, &[]),
        remedy: "fix the build",
    },
    Step {
        name: "reference",
        what: "the reference implementation reads our log and rejects damaged ones",
        lane: Product,
        needs: &[Need::Go],
        file: None,
        action: Call(reference::step),
        remedy: "the reference decides: compare with c2sp.org/tlog-tiles and tlog-checkpoint",
    },
    Step {
        name: "readers",
        what: "pyarrow and DuckDB read an export, pyarrow encrypted segments",
        lane: Product,
        needs: &[Need::Compiler, Need::Python],
        file: None,
        action: Call(readers::step),
        remedy: "the message names reader, file and value; docs/readers.md says what readers may rely on",
    },
    Step {
        name: "exporters",
        what: "OpenTelemetry's Python exporters, MCP's client and schemathesis use the server",
        lane: Product,
        needs: &[Need::Python],
        file: None,
        action: Call(exporters::step),
        remedy: "testdata/exporters/check.py, testdata/mcp/client.py or schemathesis says what it missed; run it against `tacho serve`",
    },
    Step {
        name: "witnesses",
        what: "witness-log from PyPI and tacho witness each other's logs",
        lane: Product,
        needs: &[Need::Python],
        file: None,
        action: Call(witnesses::step),
        remedy: "testdata/witness/check.py says what it missed; c2sp.org/tlog-witness decides",
    },
    Step {
        name: "bundle",
        what: "pages of evidence verify themselves in Chromium, offline, and name what was altered",
        lane: Product,
        needs: &[Need::Python],
        file: None,
        action: Call(bundle::step),
        remedy: "testdata/bundle/browser.py says what it missed; `cargo xtask bundle --pictures FOLDER` shows it",
    },
    Step {
        name: "console",
        what: "the web console: its own tests, its built files, and its pages in Chromium",
        lane: Product,
        needs: &[Need::Node],
        file: Some("console/package.json"),
        action: Call(console::step),
        remedy: "the message names the file or test; after a change of console/ run `cargo xtask console --write`",
    },
    Step {
        name: "python",
        what: "the Python package: modes, kills, a full disk, frameworks from PyPI",
        lane: Product,
        needs: &[Need::Compiler, Need::Python],
        file: Some("python/Cargo.toml"),
        action: Call(python::step),
        remedy: "pytest names the test above; `cargo xtask python -- -k NAME` runs it alone",
    },
    Step {
        name: "redact",
        what: "the redactor is no worse than it was, and no planted secret is in a file, log or answer",
        lane: Product,
        needs: &[Need::Compiler, Need::Python],
        file: Some("crates/simulate/src/main.rs"),
        action: Call(redact_eval::step),
        remedy: "`cargo xtask redact-eval --tune` shows what is missed; docs/redaction-quality.md says what must hold",
    },
    Step {
        name: "fuzz",
        what: "each fuzz target for some seconds",
        lane: Code,
        needs: &[Need::Compiler, Need::CargoCommand("cargo-fuzz")],
        file: Some("fuzz/Cargo.toml"),
        action: Call(|| fuzz::run_all_within(FUZZ_SECONDS)),
        remedy: "the failing input lies in fuzz/artifacts; make it a test, then fix",
    },
    Step {
        name: "simulate",
        what: "faults and crashes against the real writer",
        lane: Product,
        needs: &[Need::Compiler],
        file: Some("crates/simulate/src/main.rs"),
        action: Call(|| crate::simulate::slice(SEEDED_RUNS, SEEDED_FAULTS, SEEDED_PAIRS)),
        remedy: "the failure names the line that replays it; `cargo xtask simulate` runs this step",
    },
    Step {
        name: "kill",
        what: "kill -9 under load, in a removal, a restore or a server loses nothing acknowledged",
        lane: Product,
        needs: &[Need::Compiler],
        file: Some("crates/simulate/src/main.rs"),
        action: Call(|| crate::simulate::kill(KILL_ROUNDS, KILL_SERVERS)),
        remedy: "the data folder is kept and named above: `tacho verify --data DIR`",
    },
    Step {
        name: "full-disk",
        what: "a server whose disk fills up refuses at once, reads on, and goes on when it is freed",
        lane: Product,
        needs: &[Need::Compiler],
        file: Some("testdata/strength/full_disk.py"),
        action: Call(|| full_disk::slice(FULL_DISK_ROUNDS)),
        remedy: "the lines above say what came too late; `cargo xtask strength full-disk` does twenty rounds",
    },
    Step {
        name: "attack",
        what: "logs rewritten with all their keys are found out, and no honest one is accused",
        lane: Product,
        needs: &[Need::Compiler],
        file: Some("crates/simulate/src/main.rs"),
        action: Call(|| attack::slice(HONEST_LOGS)),
        remedy: "the message names the attack; `cargo xtask attack -- --only WORDS` runs it alone",
    },
    Step {
        name: "demo",
        what: "the demo plays, verifies, and notices the changed byte",
        lane: Product,
        needs: &[Need::Compiler],
        file: None,
        action: Call(demo),
        remedy: "run `cargo xtask demo --keep` and look at the data folder",
    },
];

fn demo() -> Result<Outcome, Failure> {
    crate::demo::play(Arguments::new(Vec::new()))?;
    Ok(Outcome::Passed)
}
