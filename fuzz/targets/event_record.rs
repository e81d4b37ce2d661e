//! Records as they stand in a frame: what decodes encodes to the same bytes; what follows is handed
//! back whole; a record is what its own entry commits to, and not when metadata or content differ.

#![no_main]

use event::Record;
use libfuzzer_sys::fuzz_target;
use prove::check_record;

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    while let Ok((record, after)) = Record::decode(rest) {
        let mut again = Vec::new();
        record.encode(&mut again);
        assert_eq!(again, rest[..rest.len() - after.len()]);
        let entry = record.entry([7; 32]);
        assert_eq!(check_record(&entry, &record), Ok(()));
        let meta = [record.meta, b"x"].concat();
        assert!(check_record(&entry, &Record { meta: &meta, ..record }).is_err());
        let content = [record.content, b"x"].concat();
        assert!(check_record(&entry, &Record { content: &content, ..record }).is_err());
        rest = after;
    }
});
