//! The content that announces a segment, and what a catalogue makes of it: a manifest writes the
//! content that it was read from, and whatever is announced, every current segment was.

#![no_main]

use event::Disclosed;
use libfuzzer_sys::fuzz_target;
use segment::{Catalogue, Manifest};

fuzz_target!(|data: &[u8]| {
    let mut catalogue = Catalogue::default();
    for (index, line) in (0..).zip(data.split(|byte| *byte == b'\n')) {
        if let Ok(manifest) = Manifest::from_content(line) {
            let content = format!("{{\"params\":{}}}", manifest.to_params());
            assert_eq!(Manifest::from_content(content.as_bytes()).as_ref(), Ok(&manifest));
            assert!(manifest.first <= manifest.last);
            assert!(manifest.path().starts_with("segments/tier="));
        }
        let Ok(content) = std::str::from_utf8(line) else { continue };
        let meta = r#"{"schema":"tachograph.event/1","event_type":"log.segment"}"#.to_owned();
        let content = content.to_owned();
        let document =
            Disclosed { index, meta_salt: [0; 16], meta, content_salt: [0; 16], content };
        let _ = catalogue.add(&document);
    }
    let announced: Vec<String> = catalogue.announced().map(|(_, one)| one.path()).collect();
    for current in catalogue.current() {
        assert!(announced.contains(&current.path()));
        assert!(!catalogue.replaces(&current.path()));
    }
    let reach = catalogue.current().iter().map(|one| one.last).max();
    assert!(catalogue.covered() <= reach.map_or(0, |last| last.saturating_add(1)));
});
