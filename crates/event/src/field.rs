//! The names of an event's own members, found by their length first: most events hold some twenty
//! of them, and every one is looked up.
//!
//! What a member means, and what becomes of names that are not here, is `parse`'s.

/// Declares the fields in groups of names of one length.
macro_rules! fields {
    ($($length:literal { $($name:literal $field:ident)* })*) => {
        /// A member that the schema names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Field { $($($field),*),* }

        impl Field {
            /// Every name, with its group's length.
            #[cfg(test)]
            const ALL: &'static [(&'static str, usize, Self)] =
                &[$($(($name, $length, Self::$field)),*),*];

            /// How many there are.
            pub(crate) const COUNT: usize = [$($(Self::$field),*),*].len();

            /// The field of this name.
            pub(crate) fn of(key: &str) -> Option<Self> {
                match key.len() {
                    $($length => match key { $($name => Some(Self::$field),)* _ => None },)*
                    _ => None,
                }
            }

            /// Its name.
            pub(crate) fn name(self) -> &'static str {
                match self { $($(Self::$field => $name),*),* }
            }

            /// A bit of its own.
            pub(crate) fn bit(self) -> u64 {
                1 << self as u8
            }
        }
    };
}

fields! {
    4 { "tool" Tool "cost" Cost "tags" Tags }
    5 { "phase" Phase "model" Model "error" Error "input" Input }
    6 { "action" Action "source" Source "params" Params "result" Result "tokens" Tokens
        "output" Output "schema" Schema }
    7 { "task_id" TaskId "outcome" Outcome "version" Version "context" Context }
    8 { "event_id" EventId "trace_id" TraceId "agent_id" AgentId "approver" Approver
        "producer" Producer }
    9 { "timestamp" Timestamp "reasoning" Reasoning "signature" Signature "caused_by" CausedBy
        "principal" Principal "assurance" Assurance }
    10 { "event_type" EventType "agent_name" AgentName "session_id" SessionId
        "confidence" Confidence "error_type" ErrorType "redactions" Redactions
        "attributes" Attributes }
    11 { "duration_ms" DurationMs "token_count" TokenCount }
    12 { "on_behalf_of" OnBehalfOf }
    13 { "agent_version" AgentVersion }
    15 { "parent_event_id" ParentEventId }
}

#[cfg(test)]
mod tests {
    use super::Field;
    use crate::event::Part;

    #[test]
    fn every_name_is_found_and_has_a_bit_of_its_own() {
        let mut bits = 0_u64;
        for (name, length, field) in Field::ALL {
            assert_eq!((name.len(), Field::of(name)), (*length, Some(*field)), "{name}");
            assert_eq!(field.name(), *name);
            assert_eq!(bits & field.bit(), 0, "{name}");
            bits |= field.bit();
        }
        for name in Part::NAMES {
            assert!(Field::of(name).is_some(), "{name}");
        }
        for name in ["", "tools", "Tool", "event_ids", "parent_event_ix", "on_behalf_of "] {
            assert_eq!(Field::of(name), None, "{name}");
        }
    }
}
