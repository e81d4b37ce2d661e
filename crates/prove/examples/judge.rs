//! What this verifier says of evidence documents, for others to be compared with
//! (`python/tests/agreement.py`): each line of standard input is a document in hexadecimal and then
//! the keys that the reader trusts, all parted by blanks; the answer is a verdict and a level.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement run by hand")]

use prove::{Trust, Verdict, verify_evidence};
use std::io::BufRead;

fn main() {
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let mut words = line.split(' ');
        let document = hex::decode(words.next().unwrap()).unwrap();
        let pinned = words.map(|key| key.parse().unwrap()).collect();
        let report = verify_evidence(&document, &Trust { pinned, ..Trust::default() });
        let verdict = match report.verdict() {
            Verdict::Ok => "ok",
            Verdict::Tampered => "tampered",
            Verdict::Incomplete => "incomplete",
        };
        println!("{verdict} {:?}", report.level);
    }
}
