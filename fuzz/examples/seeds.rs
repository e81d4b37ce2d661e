//! Writes the seeds of every target into `corpus/`: from `testdata/`, and from the samples that the
//! targets check against. Run it in `fuzz/` when a format or a sample changes:
//! `cargo run --example seeds`.
//!
//! Seeds that once broke something are not written here; they lie beside these in `corpus/`.

use checkpoint::{Algorithm, SigningKey};
use event::{Event, Record};
use fuzz::sample_keyring::keyring;
use fuzz::sample_log::{ORIGIN, SampleLog, key, texts};
use fuzz::{sample_journal, stored};
use keys::KeyId;
use merkle::{Frontier, consistency_proof, leaf_hash};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::Value;
use std::error::Error;
use std::path::Path;

type Done = Result<(), Box<dyn Error>>;

/// More than this is no seed: libFuzzer makes small inputs larger, never the other way round.
const SEED_BYTES_MAX: usize = 6 << 10;

fn main() -> Done {
    anchors()?;
    captures()?;
    events()?;
    redaction()?;
    rules()?;
    trees()?;
    checkpoints()?;
    evidence()?;
    ledger()?;
    credentials()?;
    files()
}

/// One seed.
fn put(target: &str, name: &str, bytes: &[u8]) -> Done {
    assert!(bytes.len() <= SEED_BYTES_MAX, "{target}/{name} is too long for a seed");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(name), bytes)?;
    Ok(())
}

fn testdata(path: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata");
    std::fs::read(folder.join(path)).map_err(|error| format!("{path}: {error}").into())
}

/// The first lines of a file.
fn lines(path: &str, count: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let bytes = testdata(path)?;
    Ok(bytes.split_inclusive(|byte| *byte == b'\n').take(count).collect::<Vec<_>>().concat())
}

/// Time stamps, those that must not count too.
fn anchors() -> Done {
    for name in
        ["rsa-sha256", "p256-sha256", "p384-sha384", "older", "chain", "stranger", "refused", "without"]
    {
        put("anchor_stamp", name, &testdata(&format!("anchor/{name}.tsr"))?)?;
    }
    put("anchor_stamp", "bare", &testdata("anchor/bare.token")?)
}

/// Every so many lines of a file as a seed of their own, the largest left out.
fn put_lines(target: &str, name: &str, path: &str, every: usize) -> Done {
    let bytes = testdata(path)?;
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for (number, some) in lines.chunks(every).enumerate() {
        let seed = some.concat();
        if seed.len() <= SEED_BYTES_MAX {
            put(target, &format!("{name}-{number}"), &seed)?;
        }
    }
    Ok(())
}

/// Some spans of an OTLP request in protobuf, each as a request of its own.
fn put_spans(name: &str, path: &str) -> Done {
    let request = ExportTraceServiceRequest::decode(&testdata(path)?[..])?;
    let mut seeds = Vec::new();
    for resource in &request.resource_spans {
        for scope in &resource.scope_spans {
            for span in &scope.spans {
                let mut resource = resource.clone();
                resource.scope_spans = vec![scope.clone()];
                resource.scope_spans[0].spans = vec![span.clone()];
                seeds.push(ExportTraceServiceRequest { resource_spans: vec![resource] });
            }
        }
    }
    for (number, seed) in seeds.iter().step_by(3).take(8).enumerate() {
        put("capture_otlp_traces_protobuf", &format!("{name}-{number}"), &seed.encode_to_vec())?;
    }
    Ok(())
}

/// Some log records of an OTLP request in protobuf, each as a request of its own.
fn put_log_records(name: &str, path: &str) -> Done {
    let request = ExportLogsServiceRequest::decode(&testdata(path)?[..])?;
    let mut seeds = Vec::new();
    for resource in &request.resource_logs {
        for scope in &resource.scope_logs {
            for record in &scope.log_records {
                let mut resource = resource.clone();
                resource.scope_logs = vec![scope.clone()];
                resource.scope_logs[0].log_records = vec![record.clone()];
                seeds.push(ExportLogsServiceRequest { resource_logs: vec![resource] });
            }
        }
    }
    for (number, seed) in seeds.iter().step_by(3).take(8).enumerate() {
        put("capture_otlp_logs_protobuf", &format!("{name}-{number}"), &seed.encode_to_vec())?;
    }
    Ok(())
}

/// Every span or log record of an OTLP request in JSON as a request of its own.
fn put_requests(name: &str) -> Done {
    let request: Value =
        serde_json::from_slice(&testdata(&format!("otlp/generations/{name}.json"))?)?;
    let levels = if request.get("resourceSpans").is_some() {
        ["resourceSpans", "scopeSpans", "spans"]
    } else {
        ["resourceLogs", "scopeLogs", "logRecords"]
    };
    let [outer, middle, inner] = levels;
    let mut number = 0;
    for resource in request[outer].as_array().into_iter().flatten() {
        for scope in resource[middle].as_array().into_iter().flatten() {
            for item in scope[inner].as_array().into_iter().flatten() {
                let (mut resource, mut scope) = (resource.clone(), scope.clone());
                scope[inner] = vec![item.clone()].into();
                resource[middle] = vec![scope].into();
                let seed = serde_json::json!({ outer: [resource] }).to_string();
                if seed.len() <= SEED_BYTES_MAX && number < 2 {
                    put("capture_otlp_json", &format!("{name}-{number}"), seed.as_bytes())?;
                    number += 1;
                }
            }
        }
    }
    Ok(())
}

fn captures() -> Done {
    put_lines("capture_ag2_audit", "hub", "ag2/hub/audit.jsonl", 4)?;
    put_lines("capture_ag2_wal", "channel-1", "ag2/hub/wal-1.jsonl", 3)?;
    put_lines("capture_ag2_wal", "channel-4", "ag2/hub/wal-4.jsonl", 3)?;
    put_lines("capture_ag2_spans", "hub", "ag2/hub/spans.jsonl", 2)?;
    for name in ["gen_ai-1.27", "gen_ai-1.36", "gen_ai-1.36.logs", "gen_ai-1.37", "crewai"] {
        put_requests(name)?;
    }
    for name in ["mcp", "openinference", "openllmetry"] {
        put_requests(name)?;
    }
    put_spans("traces", "otlp/traces.pb")?;
    put_log_records("logs", "otlp/logs.pb")?;
    put("capture_forensic_log", "coder", &testdata("forensic/forensics_SeniorCoder.log")?)?;
    put_lines("capture_native", "refund", "incident/refund.ndjson", 2)?;
    put_lines("capture_native", "one-of-each-bad", "bad/one-of-each-small.ndjson", 8)?;
    let one = lines("incident/refund.ndjson", 1)?;
    let two = lines("incident/refund.ndjson", 2)?;
    let array = [b"[", two.trim_ascii(), b"]"].concat();
    let array: Vec<u8> = array.iter().map(|b| if *b == b'\n' { b',' } else { *b }).collect();
    put("capture_body", "object", &one)?;
    put("capture_body", "array", &array)?;
    put("capture_body", "lines", &two)
}

fn events() -> Done {
    let refund = lines("incident/refund.ndjson", 4)?;
    let whole = br#"{"event_id":"e1","event_type":"agent.tool_call","timestamp":"2026-01-01T00:00:00Z","session_id":"s","trace_id":"t","parent_event_id":"p","caused_by":["a","b"],"phase":"result","outcome":"success","confidence":0.5,"duration_ms":1.5,"tokens":{"input":1,"output":2,"cache_read":1,"cache_write":0,"reasoning":1,"total":3},"token_count":3,"cost":{"amount":0.10,"currency":"USD"},"model":{"provider":"x","requested":"y","responded":"z"},"producer":{"id":"p","seq":1,"sdk":"s/1"},"redactions":[{"path":"a","rule":"b","action":"mask"}],"tags":["t"],"params":{"q":[1,2.50,null,true]},"attributes":{"k":{"n":"v"}},"other":1e3}"#;
    let mut stream = Vec::new();
    for (number, line) in refund.split(|byte| *byte == b'\n').enumerate() {
        let Ok(event) = Event::from_json(line) else { continue };
        let (meta, content) = stored::stored(&event);
        let length = u16::try_from(meta.len())?.to_be_bytes();
        if number < 4 {
            put("event_json", &format!("refund-{number}"), line)?;
            let seed = [&length[..], &meta, &content].concat();
            put("event_stored", &format!("refund-{number}"), &seed)?;
        }
        stream.extend_from_slice(&[&meta[..], b"\n", &content, b"\n"].concat());
    }
    put("event_json", "every-field", whole)?;
    put("query_trace", "refund", &stream)?;
    let linked = [
        r#"{"event_type":"agent.invocation","event_id":"a","parent_event_id":"c","trace_id":"t"}"#,
        "",
        r#"{"event_type":"agent.tool_call","event_id":"b","parent_event_id":"a","phase":"intent"}"#,
        r#"{"params":{"q":"\u001b[31m\u202e"}}"#,
        r#"{"event_type":"agent.error","event_id":"c","parent_event_id":"b","caused_by":["a","x"]}"#,
        r#"{"error":"e"}"#,
    ];
    put("query_trace", "circle", linked.join("\n").as_bytes())?;
    let log = SampleLog::new(4);
    let entries: Vec<[u8; 104]> = log.entries.iter().map(event::Entry::encode).collect();
    put("event_entry", "first", &entries[0])?;
    put("event_entry", "chain", &entries.concat())?;
    put("event_record", "three", &log.payload[32..])?;
    let (meta, _) = texts(0);
    let bare = Record { meta: meta.as_bytes(), content: b"", ..log.records()[1] };
    let mut bytes = Vec::new();
    bare.encode(&mut bytes);
    put("event_record", "no-content", &bytes)
}

fn redaction() -> Done {
    let head = [0, 3, 0, 1];
    for (number, line) in lines("incident/refund.ndjson", 3)?.split(|b| *b == b'\n').enumerate() {
        put("redact_json", &format!("refund-{number}"), &[&head[..], line].concat())?;
    }
    let secrets = br#"{"event_type":"agent.error","error":"provider 503 key=sk-secret","params":{"password":"x1","headers":[{"name":"Authorization","value":"Bearer abcdef0123456789"}],"card":"4111 1111 1111 1111","json":"{\"api_key\":\"x\",\"to\":\"a@b.co\"}"},"url":"https://u:p@host/x?token=abc"}"#;
    put("redact_json", "secrets", &[&head[..], secrets].concat())?;
    let every: Vec<u8> = (0..=255).collect();
    put("redact_event", "rising", &every.repeat(2))?;
    put("redact_event", "middle", &[0x5a_u8, 0x13, 0xc7, 0x88].repeat(60))
}

fn trees() -> Done {
    for (name, path) in [
        ("tile", "tile/0/000"),
        ("partial", "tile/3/x001/x234/067.p/255"),
        ("bundle", "tile/entries/x018/x446/x744/x073/x709/x551/615"),
        ("partial-bundle", "tile/entries/000.p/1"),
        ("wrong", "tile/64/x000/000"),
    ] {
        put("merkle_paths", name, path.as_bytes())?;
    }
    let mut frontier = Frontier::new();
    put("merkle_frontier", "empty", &frontier.to_bytes())?;
    (0..7_u8).for_each(|leaf| frontier.push(leaf_hash(&[leaf])));
    put("merkle_frontier", "seven", &frontier.to_bytes())?;
    for (name, size, index, mutation) in
        [("one", 0, 0, 0), ("seven", 6, 3, 1), ("thirteen", 12, 9, 2), ("largest", 39, 38, 3)]
    {
        let mut bytes = vec![size, index, mutation, 2];
        bytes.extend_from_slice(&5_u64.to_be_bytes());
        bytes.extend_from_slice(&11_u64.to_be_bytes());
        (0..4).for_each(|hash| bytes.extend_from_slice(&[hash; 32]));
        put("merkle_proofs", name, &bytes)?;
    }
    Ok(())
}

fn checkpoints() -> Done {
    let log = SampleLog::new(5);
    put("checkpoint_note", "signed", log.checkpoint(5).as_bytes())?;
    put("checkpoint_note", "empty-tree", log.checkpoint(0).as_bytes())?;
    let text: Vec<String> = log.checkpoint(3).lines().take(3).map(str::to_owned).collect();
    let text = format!("{}\nan extension\n", text.join("\n"));
    put("checkpoint_note", "text-alone", text.as_bytes())?;
    put("checkpoint_vkey", "ed25519", key().to_string().as_bytes())?;
    let make = |seed: u8, algorithm| {
        let key = SigningKey::from_seed(format!("w{seed}"), algorithm, &[seed; 32])?;
        Ok::<_, Box<dyn Error>>(key.verifier_key().to_string())
    };
    let [w11, w12, w13] = [11, 12, 13].map(|seed| make(seed, Algorithm::Ed25519Cosignature));
    let (w11, w12, w13) = (w11?, w12?, w13?);
    put("checkpoint_vkey", "ed25519-cosignature", w11.as_bytes())?;
    let large = make(14, Algorithm::MlDsa44Cosignature)?;
    put("checkpoint_vkey", "ml-dsa-44", large.as_bytes())?;
    let own = key();
    put("checkpoint_policy", "log-alone", format!("log {own}\nquorum none\n").as_bytes())?;
    let some = format!(
        "# two of three, or the first\nlog {own} https://log.example\nwitness a {w11}\nwitness b {w12}\nwitness c {w13} https://w\ngroup two 2 a b c\nquorum two\n"
    );
    put("checkpoint_policy", "two-of-three", some.as_bytes())?;
    let nested = format!(
        "log {own}\nwitness a {w11}\nwitness b {w12}\nwitness c {w13}\ngroup g any a b\ngroup h all g c\nquorum h\n"
    );
    put("checkpoint_policy", "nested", nested.as_bytes())?;
    let mut proof = log.proof(3);
    put("checkpoint_proof", "fourth-of-five", proof.to_string().as_bytes())?;
    put("prove_proof", "fourth-of-five", &[&[3, 9][..], proof.to_string().as_bytes()].concat())?;
    let only = SampleLog::new(1).proof(0).to_string();
    put("checkpoint_proof", "only-entry", only.as_bytes())?;
    put("prove_proof", "first", &[&[0, 0][..], log.proof(0).to_string().as_bytes()].concat())?;
    proof.extra = Some(b"extra".to_vec());
    put("checkpoint_proof", "with-extra", proof.to_string().as_bytes())
}

/// Rules: the shipped ones, but for those too long for a seed, and what they do not use.
fn rules() -> Done {
    for name in ["approval-bypass", "cost-spike", "denied-then-done", "error-burst", "runaway-loop"]
    {
        put("detect_rules", name, &testdata(&format!("../crates/detect/rules/{name}.yml"))?)?;
    }
    let other = "title: t\nid: i\nlogsource: { product: tachograph }\ndetection:\n  a:\n    - { tool|re|i: 'x.*y', params.a.b|contains|all: [p, q] }\n    - { outcome: null }\n  b: [word, 'w?r*d']\n  condition: 1 of them and not (a or b)\nlevel: high\n";
    put("detect_rules", "other-words", other.as_bytes())
}

fn evidence() -> Done {
    let log = SampleLog::new(5);
    for (index, name) in [(0, "no-content"), (1, "with-content")] {
        put("prove_evidence", name, log.evidence(index).to_json().as_bytes())?;
    }
    let withheld = log.evidence(4).without_content()?;
    put("prove_evidence", "withheld", withheld.to_json().as_bytes())?;
    let whole = SampleLog::of_session(3).bundle();
    put("prove_bundle", "whole", whole.to_json().as_bytes())?;
    let mut partial = whole;
    if let Some(record) = partial.records.last_mut() {
        (record.record, record.absent) = (None, Some(prove::Absent::Other));
    }
    partial.figures = partial.count()?;
    put("prove_bundle", "partial", partial.to_json().as_bytes())?;
    put("prove_growth", "with-truth", &[3, 11, 1])?;
    put("prove_growth", "from-nothing", &[0, 4, 0])?;
    let truth = consistency_proof(&SampleLog::new(11).tree(), 6, 11)?;
    let hashes: Vec<u8> = truth.iter().flat_map(|hash| hash.0).collect();
    put("prove_growth", "whole", &[&[6, 11, 0][..], &hashes].concat())?;
    put("prove_log", "unchanged", &[1, 0, 0, 0, 0, 0])?;
    put("prove_log", "checkpoint-cut", &[1, 0, 0, 9, 0, 4])?;
    put("prove_log", "record-changed", &[1, 3, 0, 120, 0, 1, b'x'])?;
    put("prove_log", "tile-replaced", &[130, 1, 0, 0, 0xff, 0xff, 1, 2, 3])?;
    put("prove_damage", "unchanged", &[0, 0, 0, 0, 0])?;
    put("prove_damage", "byte-changed", &[1, 0, 90, 0, 0, 0xff])?;
    put("prove_damage", "record-cut-out", &[0, 0, 32, 0, 180])
}

fn ledger() -> Done {
    let manifest = |first: u64, replaces: Vec<String>| segment::Manifest {
        first,
        last: first + 99,
        tier: event::Tier::Info,
        day: 20_454,
        key_id: KeyId::from_bytes([7; 16]),
        sha256: [1; 32],
        bytes: 500,
        rows: 100,
        replaces,
        applied: None,
    };
    let content = |manifest: &segment::Manifest| format!("{{\"params\":{}}}", manifest.to_params());
    let first = manifest(0, vec!["journal/00000000000000000000.journal".to_owned()]);
    let later = manifest(100, vec![first.path()]);
    put("segment_manifest", "one", content(&first).as_bytes())?;
    let both = format!("{}\n{}", content(&first), content(&later));
    put("segment_manifest", "replaced", both.as_bytes())?;
    let document = event::Disclosed {
        index: 7,
        meta_salt: [1; 16],
        meta: r#"{"schema":"tachograph.event/1","event_type":"log.segment"}"#.to_owned(),
        content_salt: [2; 16],
        content: content(&first),
    };
    put("event_disclosed", "segment", &document.to_bytes())
}

fn files() -> Done {
    for keys in [0, 1, 8] {
        put("keys_keyring", &format!("{keys}-keys"), &keyring(keys))?;
    }
    put("keys_keyring", "key-id", KeyId::from_bytes([9; 16]).to_string().as_bytes())?;
    let journal = sample_journal::journal();
    let frames = &journal[store::JOURNAL_HEADER_BYTES..];
    put("store_journal", "frames", frames)?;
    put("store_journal", "torn", &frames[..frames.len() - 9])?;
    put("store_journal", "reserved", &[frames, &[0; 99]].concat())?;
    put("store_journal", "damaged", &[&[0xff; 5], frames].concat())?;
    put("store_journal_header", "file", &journal[..store::JOURNAL_HEADER_BYTES])?;
    put("store_journal_header", "frame", &frames[..store::FRAME_HEADER_BYTES])?;
    put("store_journal_header", "name", store::journal_path(12).as_bytes())?;
    let identity = seal::Identity {
        format: seal::FORMAT_VERSION,
        log_id: "05".repeat(16),
        name: "main".to_owned(),
        origin: ORIGIN.to_owned(),
        created: "2026-01-01T00:00:00Z".to_owned(),
        keys: vec![key().to_string()],
    };
    put("seal_identity", "log", &identity.to_bytes())
}

fn credentials() -> Done {
    let token =
        format!("tacho_0123456789abcdef_{}", "Ab-_5".repeat(9).get(..43).unwrap_or_default());
    put("serve_token", "token", token.as_bytes())?;
    let header = r#"{"alg":"EdDSA","kid":"ed","typ":"at+jwt"}"#;
    for (name, more) in
        [("agent", r#","groups":["a"]"#), ("bare", ""), ("bound", r#","cnf":{"jkt":"x"}"#)]
    {
        let claims = format!(
            r#"{{"iss":"https://issuer.example","sub":"agent-1","aud":["tachograph"],"exp":1900000300,"iat":1899999990{more}}}"#
        );
        put("serve_jwt", name, format!("{header}\n{claims}").as_bytes())?;
    }
    let text = |name: &str| rcgen::string::Ia5String::try_from(name);
    for (name, names) in [
        ("dns", vec![rcgen::SanType::DnsName(text("a.agents.example")?)]),
        ("uri", vec![rcgen::SanType::URI(text("spiffe://example/agent/1")?)]),
        ("email", vec![rcgen::SanType::Rfc822Name(text("a@example.org")?)]),
        ("common_name", Vec::new()),
    ] {
        let mut parameters = rcgen::CertificateParams::default();
        parameters.subject_alt_names = names;
        let certificate = parameters.self_signed(&rcgen::KeyPair::generate()?)?;
        put("serve_certificate", name, certificate.der())?;
    }
    Ok(())
}
