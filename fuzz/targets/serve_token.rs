//! API tokens as somebody presents them: what may be told of one is its id and never more, and text
//! in another form tells nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serve::access::tokens::text::public_part;

fuzz_target!(|text: &str| {
    let public = public_part(text);
    if public == "(malformed)" {
        return;
    }
    let (id, secret) = text.strip_prefix("tacho_").unwrap().split_once('_').unwrap();
    assert_eq!(public, format!("tacho_{id}"));
    assert_eq!((id.len(), secret.len()), (16, 43));
    assert!(id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
});
