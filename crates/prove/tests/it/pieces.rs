//! Single entries, records, streams and frames: proved, and refused when anything is altered.

use crate::sample::{FRAME_RECORDS, Frame, ORIGIN, Sample, key, signing_key, trust};
use event::{ENTRY_BYTES, Entry, Record};
use merkle::leaf_hash;
use proptest::prelude::*;
use prove::{
    ChainBreak, Evidence, EvidenceError, Kept, KeptContent, Level, NOT_PINNED, Trust, Verdict,
    check_chain, check_entry, check_stream, prove_entry, verify_evidence, which_records_changed,
};

fn proof(sample: &Sample, index: u64) -> checkpoint::TlogProof {
    let note = String::from_utf8(sample.files["checkpoint"].clone()).unwrap();
    prove_entry(&sample.tree(), index, &note).unwrap()
}

fn record(sample: &Sample, index: usize) -> Record<'_> {
    let mut rest = &sample.frames.frames[index / FRAME_RECORDS].payload[32..];
    for _ in 0..index % FRAME_RECORDS {
        rest = Record::decode(rest).unwrap().1;
    }
    Record::decode(rest).unwrap().0
}

fn evidence(sample: &Sample, index: usize) -> Evidence {
    let (entry, record) = (&sample.entries[index], record(sample, index));
    Evidence::new(ORIGIN, entry, &record, &proof(sample, index as u64), &[key()]).unwrap()
}

#[test]
fn every_entry_of_a_log_is_proved_at_its_index_and_at_no_other() {
    let sample = Sample::new(70);
    for index in 0..70 {
        let bytes = sample.entries[index as usize].encode();
        let proof = proof(&sample, index);
        let proven = check_entry(&bytes, &proof, ORIGIN, &trust()).unwrap();
        assert_eq!((proven.index, proven.checkpoint.size), (index, 70));
        assert_eq!((proven.level, proven.entry), (Level::Signed, sample.entries[index as usize]));
        let mut moved = proof.clone();
        moved.index = index ^ 1;
        assert!(check_entry(&bytes, &moved, ORIGIN, &trust()).is_err());
    }
    let note = String::from_utf8(sample.files["checkpoint"].clone()).unwrap();
    assert!(prove_entry(&sample.tree(), 70, &note).is_err());
    assert!(prove_entry(&sample.tree(), 0, "nothing").is_err());
}

#[test]
fn every_flipped_byte_of_entry_and_proof_is_refused() {
    let sample = Sample::new(70);
    let (bytes, proof) = (sample.entries[61].encode(), proof(&sample, 61));
    for position in 0..ENTRY_BYTES {
        let mut bad = bytes;
        bad[position] ^= 1 << (position % 8);
        assert!(check_entry(&bad, &proof, ORIGIN, &trust()).is_err(), "{position}");
    }
    let text = proof.to_string().into_bytes();
    for position in 0..text.len() {
        for bit in [5, position % 8] {
            let mut bad = text.clone();
            bad[position] ^= 1 << bit;
            let parsed = String::from_utf8(bad).ok().and_then(|text| text.parse().ok());
            if let Some(bad) = parsed {
                let what = format!("byte {position} bit {bit}");
                assert!(check_entry(&bytes, &bad, ORIGIN, &trust()).is_err(), "{what}");
            }
        }
    }
    assert!(check_entry(&bytes, &proof, "other.example", &trust()).is_err());
    let other = Trust::pin(signing_key(2).verifier_key().clone());
    assert!(check_entry(&bytes, &proof, ORIGIN, &other).is_err());
    assert!(check_entry(&bytes, &proof, ORIGIN, &Trust::default()).is_err());
}

#[test]
fn a_chain_is_followed_from_anywhere_and_every_flip_breaks_it() {
    let sample = Sample::new(30);
    let encoded: Vec<[u8; ENTRY_BYTES]> = sample.entries.iter().map(Entry::encode).collect();
    let run = |encoded: &[[u8; ENTRY_BYTES]], from: usize, previous| {
        check_chain(from as u64, previous, encoded[from..].iter().map(|entry| &entry[..]))
    };
    let last_leaf = leaf_hash(&encoded[29]);
    for from in 0..30 {
        let end = run(&encoded, from, None).unwrap();
        assert_eq!((end.next, end.last_leaf), (30, last_leaf));
        let previous = (from > 0).then(|| leaf_hash(&encoded[from - 1]));
        assert_eq!(run(&encoded, from, previous), Ok(end));
        let wrong = Some(merkle::Hash([5; 32]));
        assert!(matches!(run(&encoded, from, wrong), Err(ChainBreak::Previous { .. })));
    }
    for position in 0..29 * ENTRY_BYTES {
        let mut bad = encoded.clone();
        bad[position / ENTRY_BYTES][position % ENTRY_BYTES] ^= 1;
        assert!(run(&bad, 0, None).is_err(), "{position}");
    }
    let mut backwards = sample.entries[..9].to_vec();
    backwards[8].time_ms = backwards[7].time_ms - 1;
    let backwards: Vec<[u8; ENTRY_BYTES]> = backwards.iter().map(Entry::encode).collect();
    assert!(matches!(run(&backwards, 0, None), Err(ChainBreak::Time { index: 8, .. })));
}

#[test]
fn a_stream_with_a_record_left_out_is_incomplete_and_the_record_is_named() {
    let sample = Sample::new(60);
    let log = || (0..).zip(sample.entries.iter().copied());
    let stream = sample.entries[2].stream;
    let all: Vec<u64> =
        log().filter(|(_, entry)| entry.stream == stream).map(|(index, _)| index).collect();
    let whole = check_stream(&[stream], log(), &all);
    assert!(whole.is_complete());
    assert_eq!(whole.entries, all.len() as u64);
    for left_out in &all {
        let given: Vec<u64> = all.iter().copied().filter(|index| index != left_out).collect();
        let check = check_stream(&[stream], log(), &given);
        assert!(!check.is_complete());
        assert_eq!(check.missing, [*left_out]);
        // Leaving the entry out as well breaks the numbering.
        let cut = log().filter(|(index, _)| index != left_out);
        let check = check_stream(&[stream], cut, &given);
        assert_eq!(
            check.is_complete(),
            left_out == all.last().unwrap(),
            "the last is the log's end"
        );
    }
    let check = check_stream(&[stream], log(), &[all.as_slice(), &[3, 999]].concat());
    assert_eq!(check.foreign, [3, 999]);
    let check = check_stream(&[stream, [77; 16]], log(), &all);
    assert_eq!(check.absent, [[77; 16]]);
}

#[test]
fn evidence_proves_its_record_with_and_without_content() {
    let sample = Sample::new(40);
    for index in 0..40 {
        let whole = evidence(&sample, index);
        let has_content = whole.record.content.is_some();
        assert_eq!(has_content, index % 3 != 2);
        for (evidence, withheld) in
            [(whole.clone(), false), (whole.without_content().unwrap(), has_content)]
        {
            let read = Evidence::from_json(evidence.to_json().as_bytes()).unwrap();
            assert_eq!(read, evidence);
            let proven = read.check(&trust()).unwrap();
            assert_eq!((proven.index, proven.content_withheld), (index as u64, withheld));
            let report = verify_evidence(evidence.to_json().as_bytes(), &trust());
            assert_eq!((report.verdict(), report.level), (Verdict::Ok, Level::Signed));
            assert_eq!((report.size, report.counts.present), (40, 1));
        }
    }
}

#[test]
fn evidence_of_a_record_whose_content_was_erased_is_that_without_the_content() {
    let sample = Sample::new(40);
    for index in 0..40 {
        let mut kept = Kept::from(&record(&sample, index));
        if kept.content != KeptContent::None {
            kept.content = KeptContent::Erased { commitment: kept.content.commitment() };
        }
        let (entry, proof) = (&sample.entries[index], proof(&sample, index as u64));
        let erased = Evidence::new(ORIGIN, entry, kept, &proof, &[key()]).unwrap();
        assert_eq!(erased, evidence(&sample, index).without_content().unwrap());
    }
}

#[test]
fn evidence_never_vouches_for_itself() {
    let sample = Sample::new(40);
    let json = evidence(&sample, 7).to_json();
    let report = verify_evidence(json.as_bytes(), &Trust::default());
    assert_eq!((report.verdict(), report.level), (Verdict::Ok, Level::Local));
    assert_eq!(report.notes, [NOT_PINNED]);
    let other = Trust::pin(signing_key(2).verifier_key().clone());
    let report = verify_evidence(json.as_bytes(), &other);
    assert_eq!((report.verdict(), report.level), (Verdict::Tampered, Level::Local));
    assert_eq!(report.findings()[0].kind, prove::FindingKind::Signature);
}

#[test]
fn every_flipped_byte_of_evidence_is_refused() {
    let sample = Sample::new(40);
    for evidence in [evidence(&sample, 7), evidence(&sample, 7).without_content().unwrap()] {
        // White space between the values is nobody's claim.
        let json = serde_json::to_vec(&evidence).unwrap();
        for position in 0..json.len() {
            // Bit 5 is the case of a letter, which hexadecimal readers like to overlook.
            for bit in [5, position % 8] {
                let mut bad = json.clone();
                bad[position] ^= 1 << bit;
                let trust = if bit == 5 { Trust::default() } else { trust() };
                let report = verify_evidence(&bad, &trust);
                let what = String::from_utf8_lossy(&bad);
                assert_eq!(report.verdict(), Verdict::Tampered, "{position} {bit}: {what}");
            }
        }
    }
}

#[test]
fn evidence_with_another_index_or_mixed_content_fields_is_refused() {
    let sample = Sample::new(40);
    let mut moved = evidence(&sample, 7);
    moved.index = 8;
    assert!(matches!(moved.check(&trust()), Err(EvidenceError::Index { .. })));
    let mut mixed = evidence(&sample, 7);
    mixed.record.content_commitment = Some("00".repeat(32));
    assert_eq!(mixed.check(&trust()), Err(EvidenceError::Content));
    let mut cut = evidence(&sample, 7);
    cut.record.content = None;
    cut.record.content_salt = None;
    assert!(matches!(cut.check(&trust()), Err(EvidenceError::Record(_))));
}

fn frame(sample: &Sample, number: usize) -> (&Frame, &[Entry]) {
    let frame = &sample.frames.frames[number];
    (frame, &sample.entries[frame.first as usize..(frame.first + frame.count) as usize])
}

#[test]
fn forensics_names_exactly_the_record_under_every_flipped_byte() {
    let sample = Sample::new(30);
    for number in 0..4 {
        let (frame, entries) = frame(&sample, number);
        let whole = which_records_changed(frame.first, entries, &frame.payload);
        assert_eq!((whole.changed.len(), whole.intact.len()), (0, entries.len()));
        let mut starts = Vec::new();
        let mut rest = &frame.payload[32..];
        while !rest.is_empty() {
            starts.push(frame.payload.len() - rest.len());
            rest = Record::decode(rest).unwrap().1;
        }
        for position in 0..frame.payload.len() {
            for bit in [0, 7, position % 8] {
                let mut payload = frame.payload.clone();
                payload[position] ^= 1 << bit;
                let damage = which_records_changed(frame.first, entries, &payload);
                let place = starts.iter().rposition(|start| *start <= position);
                let start = place.map_or(0, |place| starts[place]);
                let unsalted = place.is_some_and(|place| {
                    Record::decode(&frame.payload[starts[place]..]).unwrap().0.content.is_empty()
                }) && (52..68).contains(&(position - start));
                let changed: Vec<u64> = place
                    .filter(|_| !unsalted)
                    .map(|place| frame.first + place as u64)
                    .into_iter()
                    .collect();
                assert_eq!(damage.changed, changed, "byte {position} bit {bit}");
                assert_eq!(damage.head, place.is_none());
                assert_eq!(damage.intact.len(), entries.len() - changed.len());
            }
        }
    }
}

#[test]
fn forensics_finds_its_way_again_after_bytes_were_cut_or_put_in() {
    let sample = Sample::new(30);
    let (frame, entries) = frame(&sample, 1);
    let mut rest = &frame.payload[32..];
    for place in 0..entries.len() {
        let start = frame.payload.len() - rest.len();
        rest = Record::decode(rest).unwrap().1;
        let index = frame.first + place as u64;
        let mut cut = frame.payload.clone();
        cut.drain(start + 80..start + 85);
        assert_eq!(which_records_changed(frame.first, entries, &cut).changed, [index]);
        let mut longer = frame.payload.clone();
        longer.splice(start + 80..start + 80, [7; 300]);
        assert_eq!(which_records_changed(frame.first, entries, &longer).changed, [index]);
        let mut gone = frame.payload.clone();
        gone.drain(start..frame.payload.len() - rest.len());
        assert_eq!(which_records_changed(frame.first, entries, &gone).changed, [index]);
    }
    let longer = [frame.payload.as_slice(), &[1]].concat();
    assert!(which_records_changed(frame.first, entries, &longer).tail);
    let nothing = which_records_changed(frame.first, entries, &[]);
    assert_eq!((nothing.changed.len(), nothing.head), (entries.len(), true));
}

proptest! {
    #[test]
    fn forensics_never_calls_a_changed_record_intact(
        position: prop::sample::Index,
        with in prop::collection::vec(any::<u8>(), 0..400),
        remove in 0_usize..400,
    ) {
        let sample = Sample::new(14);
        let (frame, entries) = frame(&sample, 1);
        let mut payload = frame.payload.clone();
        let at = position.index(payload.len());
        payload.splice(at..(at + remove).min(payload.len()), with);
        let damage = which_records_changed(7, entries, &payload);
        prop_assert_eq!(damage.changed.len() + damage.intact.len(), entries.len());
        for index in damage.intact {
            let mut bytes = Vec::new();
            let mut record = record(&sample, index as usize);
            if record.content.is_empty() {
                record.content_salt = [0; 16];
            }
            record.encode(&mut bytes);
            // The bytes up to the content salt stand somewhere in the frame as they were.
            prop_assert!(payload.windows(52).any(|window| window == &bytes[..52]));
        }
    }
}
