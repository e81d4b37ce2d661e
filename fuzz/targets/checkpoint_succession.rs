//! Statements that keys take over: what is read is written back the same, and follows from nothing
//! but the epoch before it. Signatures are not checked under fuzzing.

#![no_main]

use checkpoint::{Epochs, Succession};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(succession) = Succession::parse(text) else { return };
    assert_eq!(succession.to_string(), text);
    assert_eq!(succession.old().len(), succession.new_keys().len());
    let (origin, at) = (succession.origin(), succession.record());
    let mut epochs = Epochs::new(origin, succession.old().to_vec());
    if at < u64::MAX - 2 && epochs.succeed(at, &succession).is_ok() {
        assert_eq!((succession.epoch(), epochs.last().number), (1, 1));
        assert_eq!(epochs.due(at), succession.old());
        assert_eq!(epochs.due(at + 2), succession.new_keys());
        assert!(epochs.succeed(at, &succession).is_err());
    }
});
