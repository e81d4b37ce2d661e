//! The trace that a request belongs to, as its sender says: the header `traceparent` of W3C Trace
//! Context (w3.org/TR/trace-context, section 3.2).

use axum::http::HeaderMap;

/// What a request says of its trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parent {
    /// The trace, and the span of the sender; none where a trace begins here.
    pub(super) ids: Option<([u8; 16], [u8; 8])>,
    /// Whether the sender tells of its span.
    pub(super) is_sampled: bool,
}

impl Parent {
    /// What the headers say; nothing when they say nothing that can be read.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all("traceparent").iter();
        let text = all.next().filter(|_| all.next().is_none())?.to_str().ok()?;
        let mut parts = text.split('-');
        let [version] = part::<1>(parts.next()?)?;
        let (trace_id, span_id) = (part::<16>(parts.next()?)?, part::<8>(parts.next()?)?);
        let [flags] = part::<1>(parts.next()?)?;
        // Versions to come may add parts; this one has none, and the last is no version.
        let is_sound = version != 0xff && (version > 0 || parts.next().is_none());
        let is_there = trace_id != [0; 16] && span_id != [0; 8];
        let parent = Self { ids: Some((trace_id, span_id)), is_sampled: flags & 1 == 1 };
        (is_sound && is_there).then_some(parent)
    }
}

/// So many bytes in lower-case hex.
fn part<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    (is_lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn parent(text: &'static str) -> Option<Parent> {
        Parent::of(&HeaderMap::from_iter([(
            "traceparent".parse().unwrap(),
            HeaderValue::from_static(text),
        )]))
    }

    #[test]
    fn a_parent_is_read_as_the_recommendation_has_it_and_anything_else_is_none() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let (trace_id, span_id) = parent(good).unwrap().ids.unwrap();
        assert_eq!(hex::encode(trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(hex::encode(span_id), "00f067aa0ba902b7");
        assert!(parent(good).unwrap().is_sampled);
        let unsampled = parent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
        assert!(!unsampled.unwrap().is_sampled);
        assert!(parent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more").is_some());
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01",
        ] {
            assert_eq!(parent(bad), None, "{bad}");
        }
        let mut two = HeaderMap::new();
        for _ in 0..2 {
            two.append("traceparent", HeaderValue::from_static(good));
        }
        assert_eq!(Parent::of(&two), None);
    }
}
