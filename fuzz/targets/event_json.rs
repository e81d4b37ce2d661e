//! Events as producers send them: one that is accepted is within the limits, stored it reads back
//! equal, and written again gives the same bytes. The log's own types are refused.

#![no_main]

use event::{Event, Tier};
use fuzz::stored::{assert_reads_back, stored};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(event) = Event::from_json(data) else { return };
    event.check().expect("what was accepted is within the limits");
    assert!(event.principal.is_none() && event.assurance.is_none(), "only the receiver sets these");
    assert!(!event.event_type.starts_with("log."));
    assert_reads_back(&event);
    let (meta, content) = stored(&event);
    let back = Event::from_stored(&meta, &content).expect("what was written reads back");
    assert_eq!(back, event);
    assert_eq!(Tier::of(&back), Tier::of(&event));
});
