//! What stands behind an address: flags, and the names of things.

use serde::{Deserialize as _, Deserializer, de::Error as _};

/// `1`, `true` or nothing behind the name; `0`, `false`.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match std::borrow::Cow::<str>::deserialize(deserializer)?.as_ref() {
        "1" | "true" | "" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(D::Error::custom("a flag is 1 or 0")),
    }
}
