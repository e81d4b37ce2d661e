//! Whatever is asked of a witness, what it cosigned is one history.

use checkpoint::{Algorithm, Checkpoint, Note, SigningKey, VerifierKey, cosign, sign_checkpoint};
use merkle::{Hash, MemoryTree, consistency_proof, leaf_hash};
use proptest::prelude::*;
use witness::{AddCheckpoint, Answer, AnswerError, Refusal, Seen, read_answer};

const ORIGIN: &str = "log.example/main";

fn log() -> SigningKey {
    SigningKey::from_seed(ORIGIN, Algorithm::Ed25519, &[7; 32]).unwrap()
}

fn keys() -> Vec<VerifierKey> {
    vec![log().verifier_key().clone()]
}

fn own(algorithm: Algorithm) -> SigningKey {
    SigningKey::from_seed("witness.example/w1", algorithm, &[3; 32]).unwrap()
}

/// A tree whose entries differ from the other branch's from `fork` on.
fn tree(branch: u8, fork: u64, size: u64) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for index in 0..size {
        let branch = if index < fork { 0 } else { branch };
        tree.push(leaf_hash(format!("{branch}-{index}").as_bytes()));
    }
    tree
}

fn note(size: u64, root: Hash) -> Vec<u8> {
    let head = Checkpoint::new(ORIGIN, size, root).unwrap();
    sign_checkpoint(&head, &[&log()]).unwrap().into_bytes()
}

fn request(branch: u8, fork: u64, old_size: u64, size: u64) -> AddCheckpoint {
    let tree = tree(branch, fork, size);
    let proof = consistency_proof(&tree, old_size.min(size), size).unwrap();
    AddCheckpoint { old_size, proof, note: note(size, tree.root()) }
}

fn ask(request: &AddCheckpoint, seen: Option<Seen>) -> Result<Seen, Refusal> {
    let request = AddCheckpoint::parse(&request.to_bytes())?;
    let verified = request.check(&request.origin()?, &keys(), seen)?;
    Ok(Seen::of(&verified.checkpoint))
}

fn status(request: &AddCheckpoint, seen: Option<Seen>) -> u16 {
    ask(request, seen).map_or_else(|refusal| refusal.status(), |_| 200)
}

#[test]
fn each_status_is_given_for_what_the_specification_says() {
    let seen = Some(ask(&request(0, 99, 0, 5), None).unwrap());
    assert_eq!(status(&request(0, 99, 5, 9), seen), 200);
    // The same again is cosigned again: its time is new.
    assert_eq!(status(&request(0, 99, 5, 5), seen), 200);
    for (old_size, size, wanted) in [(0, 9, 409), (4, 9, 409), (4, 5, 409), (4, 4, 409)] {
        assert_eq!(status(&request(0, 99, old_size, size), seen), wanted, "{old_size} {size}");
    }
    assert_eq!(status(&request(0, 99, 5, 4), seen), 400);
    assert_eq!(ask(&request(0, 99, 4, 9), seen), Err(Refusal::Behind { size: 5 }));
    // Another history of the same size, and one that goes on from another.
    assert_eq!(status(&request(1, 3, 5, 5), seen), 422);
    assert_eq!(status(&request(1, 3, 5, 9), seen), 422);
    let mut wrong = request(0, 99, 5, 9);
    wrong.proof.pop();
    assert_eq!(status(&wrong, seen), 422);
    // Something where nothing is to be proved.
    let mut more = request(0, 99, 0, 5);
    more.proof.push(Hash([0; 32]));
    assert_eq!(status(&more, None), 422);
    let empty = |root| AddCheckpoint { old_size: 0, proof: vec![], note: note(0, root) };
    assert_eq!(status(&empty(Hash([1; 32])), None), 422);
    assert_eq!(status(&empty(Hash::EMPTY_ROOT), None), 200);
}

#[test]
fn only_a_trusted_key_of_the_log_itself_lets_in() {
    let (size, root) = (5, tree(0, 99, 5).root());
    let of = |note: Vec<u8>| AddCheckpoint { old_size: 0, proof: vec![], note };
    let head = Checkpoint::new(ORIGIN, size, root).unwrap();
    let forger = SigningKey::from_seed(ORIGIN, Algorithm::Ed25519, &[8; 32]).unwrap();
    let forged = sign_checkpoint(&head, &[&forger]).unwrap();
    assert_eq!(status(&of(forged.into_bytes()), None), 403);
    // Beside the log's own, a stranger's line is nobody's business.
    let both = sign_checkpoint(&head, &[&log(), &forger]).unwrap();
    assert_eq!(status(&of(both.into_bytes()), None), 200);
    let text = String::from_utf8(note(size, root)).unwrap();
    let altered = text.replacen("\n5\n", "\n6\n", 1);
    assert_eq!(status(&of(altered.into_bytes()), None), 403);
    for bad in ["", "x", "log.example/main\n5\n", &text[..text.len() - 1]] {
        assert_eq!(status(&of(bad.into()), None), 400, "{bad:?}");
    }
    let zero = text.replacen("\n5\n", "\n05\n", 1);
    assert_eq!(status(&of(zero.into_bytes()), None), 400);
}

#[test]
fn a_refusal_tells_a_size_only_as_409() {
    let behind = Refusal::Behind { size: 5 };
    assert_eq!((behind.body().as_str(), behind.content_type()), ("5\n", "text/x.tlog.size"));
    let other = Refusal::UnknownLog;
    assert_eq!((other.status(), other.content_type()), (404, "text/plain; charset=utf-8"));
}

/// A checkpoint of five entries, and a witness's line on it.
fn cosigned(key: &SigningKey, timestamp_s: u64) -> (Note, String) {
    let bytes = note(5, tree(0, 99, 5).root());
    let opened = checkpoint::open_checkpoint(&bytes, ORIGIN, &keys()).unwrap();
    let line = cosign(&opened, key, timestamp_s).unwrap();
    (opened.note().clone(), format!("{line}\n"))
}

#[test]
fn a_cosignature_counts_only_by_the_key_that_was_asked() {
    for algorithm in [Algorithm::Ed25519Cosignature, Algorithm::MlDsa44Cosignature] {
        let key = own(algorithm);
        let (note, line) = cosigned(&key, 1_700_000_000);
        let read = |body: &str, key: &SigningKey| {
            read_answer(200, "text/plain", body.as_bytes(), &note, key.verifier_key())
        };
        let answer = read(&line, &key).unwrap();
        assert!(matches!(&answer, Answer::Cosigned(one) if format!("{one}\n") == line));
        // Among lines of others, and lines that are none.
        let among = format!("x\n\n{}{line}", cosigned(&log_cosigner(), 5).1);
        assert_eq!(read(&among, &key).unwrap(), answer);
        let other = SigningKey::from_seed("witness.example/w1", algorithm, &[4; 32]).unwrap();
        assert!(matches!(read(&line, &other), Err(AnswerError::NoCosignature(_))));
        let untimed = cosigned(&key, 0).1;
        assert!(read(&untimed, &key).is_err() && read("", &key).is_err());
        // One bit of it.
        let place = line.len() - 20;
        let other = if line.as_bytes()[place] == b'A' { "B" } else { "A" };
        let altered = format!("{}{other}{}", &line[..place], &line[place + 1..]);
        assert!(read(&altered, &key).is_err());
    }
}

fn log_cosigner() -> SigningKey {
    SigningKey::from_seed("other.example", Algorithm::Ed25519Cosignature, &[9; 32]).unwrap()
}

#[test]
fn what_a_witness_says_instead_is_told_apart() {
    let key = own(Algorithm::Ed25519Cosignature);
    let (note, _) = cosigned(&key, 1);
    let read = |status, kind: &str, body: &str| {
        read_answer(status, kind, body.as_bytes(), &note, key.verifier_key())
    };
    assert_eq!(read(409, "text/x.tlog.size", "7\n"), Ok(Answer::Behind(7)));
    assert_eq!(read(409, "Text/X.tlog.size; charset=utf-8", "0\n"), Ok(Answer::Behind(0)));
    for bad in ["", "7", "07\n", "-1\n", "7\n\n", "18446744073709551616\n"] {
        assert!(matches!(read(409, "text/x.tlog.size", bad), Err(AnswerError::Refused { .. })));
    }
    for (status, kind) in [(422, "text/plain"), (409, "text/plain")] {
        assert!(matches!(read(status, kind, "no"), Err(AnswerError::Inconsistent { .. })));
    }
    for status in [400, 403, 404, 429, 500, 503, 301, 204, 0] {
        let refused = read(status, "text/plain", "no\u{1b}[2J");
        let Err(AnswerError::Refused { said, .. }) = refused else { panic!("{status}") };
        assert_eq!(said, "no[2J");
    }
}

proptest! {
    #[test]
    fn what_was_cosigned_is_always_one_history(
        fork in 1_u64..20,
        wishes in prop::collection::vec((0_u8..2, 0_u64..40, prop::option::of(0_u64..40)), 1..40),
    ) {
        let mut seen: Option<Seen> = None;
        let mut cosigned: Vec<Seen> = Vec::new();
        for (branch, size, guess) in wishes {
            // Whoever asks well knows what was cosigned; others guess.
            let old_size = guess.unwrap_or(seen.map_or(0, |it| it.size));
            if let Ok(new) = ask(&request(branch, fork, old_size, size), seen) {
                cosigned.push(new);
                seen = Some(new);
            }
        }
        let sizes: Vec<u64> = cosigned.iter().map(|it| it.size).collect();
        prop_assert!(sizes.is_sorted());
        let fits = |branch: u8| {
            cosigned.iter().all(|it| it.root == tree(branch, fork, it.size).root())
        };
        prop_assert!(fits(0) || fits(1), "{cosigned:?}");
    }

    #[test]
    fn whoever_continues_honestly_is_cosigned(sizes in prop::collection::vec(0_u64..60, 1..8)) {
        let mut sizes = sizes;
        sizes.sort_unstable();
        let mut seen: Option<Seen> = None;
        for size in sizes {
            let old = seen.map_or(0, |it| it.size);
            let new = ask(&request(0, 99, old, size), seen);
            prop_assert!(new.is_ok(), "{new:?}");
            seen = new.ok();
        }
    }

    #[test]
    fn no_bytes_hurt_and_none_that_differ_are_cosigned(
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let seen = Some(ask(&request(0, 99, 0, 5), None).unwrap());
        let honest = request(0, 99, 5, 9).to_bytes();
        let mut body = honest.clone();
        let place = place.index(body.len());
        if cut { body.truncate(place) } else { body[place] = byte }
        let outcome = AddCheckpoint::parse(&body).map_err(Refusal::from).and_then(|request| {
            request.check(&request.origin()?, &keys(), seen)
        });
        prop_assert!(body == honest || outcome.is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(request) = AddCheckpoint::parse(&body) {
            prop_assert_eq!(request.to_bytes(), body.clone());
            let _ = request.origin().map(|it| request.check(&it, &keys(), None).map(|_| ()));
        }
        let (note, _) = cosigned(&log_cosigner(), 1);
        let key = log_cosigner();
        for status in [200, 409] {
            let _ = read_answer(status, "text/x.tlog.size", &body, &note, key.verifier_key());
        }
    }
}
