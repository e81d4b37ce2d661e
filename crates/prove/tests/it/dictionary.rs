//! A dictionary tried against what is handed over without its content: evidence of one record, a
//! bundle of metadata only, and the public entries that stand beside it.

use crate::sample::{ORIGIN, checkpoint_of, key};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use event::record::{content_commitment, meta_commitment};
use event::{Entry, Kind, Record, Tier};
use merkle::{MemoryTree, inclusion_proof, leaf_hash, range_proof};
use prove::{
    BUNDLE_FORMAT, Bundle, BundleRecord, EvidenceRecord, Figures, Rest, Subject, SubjectKind,
    Trust, Verdict, verify_bundle,
};
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// Records shown without their content; as many more are public entries alone.
const RECORDS: usize = 200;

/// A content that nobody is to learn, and everybody finds in a list of names.
fn content(number: usize) -> String {
    format!("{{\"params\":{{\"customer\":\"person{number}@example.com\"}}}}")
}

/// Metadata of a record of which only the entry is public.
fn meta(number: usize) -> String {
    format!(
        "{{\"schema\":\"tachograph.event/1\",\"event_id\":\"e-{number}\",\
         \"event_type\":\"agent.tool_call\",\"session_id\":\"session\",\"agent_name\":\"Ada\"}}"
    )
}

/// Sixteen bytes that nobody knows who has not the log: as good as random, and the same each time.
fn salt(what: &str, number: usize) -> [u8; 16] {
    let digest = Sha256::digest(format!("a secret of this test: {what} {number}"));
    std::array::from_fn(|at| digest[at])
}

/// The salts that one of the records was made with.
struct Salts {
    meta: [u8; 16],
    content: [u8; 16],
}

/// A bundle without content of the first half of a log, beside the entries of the other half. The
/// content of every record is the candidate with the number of the record times `step`.
fn bundle(step: usize) -> (Bundle, Vec<Salts>) {
    let (mut tree, mut previous) = (MemoryTree::new(), [0; 32]);
    let mut made: Vec<(String, Entry, [u8; 32])> = Vec::new();
    let mut salts = Vec::new();
    for number in 0..2 * RECORDS {
        let (meta, content) = (meta(number * step), content(number * step));
        let own = Salts { meta: salt("meta", number), content: salt("content", number) };
        let stream = if number < RECORDS { [7; 16] } else { salt("stream", number) };
        let record = Record {
            kind: Kind::Event,
            tier: Tier::Info,
            time_ms: 1_767_268_800_000 + number as u64,
            stream,
            sequence: if number < RECORDS { number as u64 + 1 } else { 1 },
            meta_salt: own.meta,
            content_salt: own.content,
            meta: meta.as_bytes(),
            content: content.as_bytes(),
        };
        let entry = record.entry(previous);
        let leaf = leaf_hash(&entry.encode());
        previous = leaf.0;
        tree.push(leaf);
        made.push((meta.clone(), entry, record.content_commitment()));
        salts.push(own);
    }
    let size = 2 * RECORDS as u64;
    let texts = |proof: Vec<merkle::Hash>| proof.iter().map(|hash| hex::encode(hash.0)).collect();
    let shown = made.iter().take(RECORDS).zip(&salts).enumerate();
    let records = shown.map(|(index, ((meta, entry, commitment), salts))| BundleRecord {
        index: index as u64,
        entry: hex::encode(entry.encode()),
        proof: texts(inclusion_proof(&tree, index as u64, size).unwrap()),
        record: Some(EvidenceRecord {
            meta: meta.clone(),
            meta_salt: hex::encode(salts.meta),
            content: None,
            content_salt: None,
            content_commitment: Some(hex::encode(commitment)),
        }),
        absent: None,
    });
    let rest: Vec<u8> = made[RECORDS..].iter().flat_map(|(_, entry, _)| entry.encode()).collect();
    let mut bundle = Bundle {
        format: BUNDLE_FORMAT.to_owned(),
        origin: ORIGIN.to_owned(),
        subject: Subject { kind: SubjectKind::Session, id: "session".to_owned() },
        vkeys: vec![key().to_string()],
        successions: Vec::new(),
        checkpoint: String::from_utf8(checkpoint_of(size, tree.root(), 1)).unwrap(),
        figures: Figures::default(),
        records: records.collect(),
        streams: vec![hex::encode([7; 16])],
        rest: vec![Rest {
            first: RECORDS as u64,
            entries: Rest::text(&rest),
            proof: texts(range_proof(&tree, RECORDS as u64..size, size).unwrap()),
        }],
    };
    bundle.figures = bundle.count().unwrap();
    (bundle, salts)
}

/// What of a bundle may give a value away: every commitment, and every one that an entry holds.
fn commitments(bundle: &Bundle) -> HashSet<[u8; 32]> {
    let hash = |text: &str| <[u8; 32]>::try_from(hex::decode(text).unwrap()).unwrap();
    let records = bundle.records.iter();
    let mut known: HashSet<[u8; 32]> = records
        .clone()
        .filter_map(|record| record.record.as_ref()?.content_commitment.as_deref().map(hash))
        .collect();
    let shown = records.map(|record| hex::decode(&record.entry).unwrap());
    let rest = bundle.rest.iter().flat_map(|rest| {
        let bytes = STANDARD.decode(&rest.entries).unwrap();
        bytes.chunks(event::ENTRY_BYTES).map(<[u8]>::to_vec).collect::<Vec<_>>()
    });
    known.extend(shown.chain(rest).map(|bytes| Entry::decode(&bytes).unwrap().commitment));
    known
}

fn plain(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Everything that can be computed of a content and a metadata without the secret salts: with none,
/// with those that one might think of, and with one that is in the bundle.
fn guesses(content: &str, meta: &str, shown_salt: &[u8; 16]) -> Vec<[u8; 32]> {
    let mut guesses = vec![
        plain(content.as_bytes()),
        plain(meta.as_bytes()),
        plain(format!("tachograph/content/v1\0{content}").as_bytes()),
        plain(format!("tachograph/meta/v1\0{meta}").as_bytes()),
    ];
    for salt in [[0; 16], [0xff; 16], *shown_salt] {
        let commitment = content_commitment(&salt, content.as_bytes());
        let of_meta = meta_commitment(&salt, meta.as_bytes());
        let mut both = Sha256::new_with_prefix(b"tachograph/record/v1\0");
        both.update(of_meta);
        both.update(commitment);
        guesses.extend([commitment, of_meta, both.finalize().into()]);
    }
    guesses
}

fn attack(candidates: usize) {
    let step = candidates / (2 * RECORDS);
    let (bundle, salts) = bundle(step);
    let checked = verify_bundle(bundle.to_json().as_bytes(), &Trust::pin(key()));
    assert_eq!(checked.report.verdict(), Verdict::Ok, "{:?}", checked.report.findings());
    let text = bundle.to_json();
    assert!(!text.contains("@example.com") && !text.contains(&hex::encode(salts[0].content)));
    assert!(!text.contains(&hex::encode(salts[RECORDS].meta)));
    let known = commitments(&bundle);
    assert_eq!(known.len(), 3 * RECORDS, "a commitment of each record, and one of each content");
    let found = (0..candidates).flat_map(|number| {
        // The salt of the metadata beside it is no help: the content has one of its own.
        let shown = &salts[number / step % RECORDS].meta;
        guesses(&content(number), &meta(number), shown)
    });
    assert_eq!(found.filter(|guess| known.contains(guess)).count(), 0);
    // Who is given the salt finds the content: the attack is one.
    let with_it = (0..RECORDS).filter(|number| {
        let content = content(number * step);
        known.contains(&content_commitment(&salts[*number].content, content.as_bytes()))
    });
    assert_eq!(with_it.count(), RECORDS);
}

#[test]
fn a_dictionary_finds_no_content_in_a_bundle_that_withholds_it() {
    attack(4_000);
}

#[test]
#[ignore = "a minute: cargo test --release -p prove --test it -- --ignored"]
fn a_dictionary_of_a_million_finds_no_content_in_a_bundle_that_withholds_it() {
    attack(1_000_000);
}
