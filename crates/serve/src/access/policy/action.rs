//! The acts that are asked about, as the schema names them.

use std::fmt;

/// What an act is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One log.
    Log,
    /// The server.
    System,
}

/// Declares the actions once: variant (its name is the policy's), scope, meaning.
macro_rules! actions {
    ($($variant:ident, $scope:ident, $meaning:literal;)*) => {
        /// What a caller wants to do. Every route names one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action {
            $(#[doc = $meaning] $variant,)*
        }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name, as policies and records spell it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* }
            }

            /// Whether it is done to one log or to the server.
            #[must_use]
            pub fn scope(self) -> Scope {
                match self { $(Self::$variant => Scope::$scope,)* }
            }
        }
    };
}

actions! {
    AppendEvents, Log, "Append events.";
    ReadMetadata, Log, "Read what happened, without content: events, traces, sessions, dashboards.";
    ReadContent, Log, "See content as well.";
    ReadProofs, Log, "Get proofs, receipts and evidence.";
    Verify, Log, "Have the log verified.";
    RunSql, Log, "Ask in SQL, which reaches content.";
    Export, Log, "Take records out in bulk.";
    ReadAccessRecords, Log, "Read who read what, and who was refused.";
    ReadRetention, Log, "Read what is held, erased, and kept for how long.";
    ManageHolds, Log, "Set and release legal holds.";
    Erase, Log, "Erase content or records.";
    ManageRetention, Log, "Change and apply retention.";
    ManageKeys, Log, "Rotate and rewrap keys.";
    Backup, Log, "Take a backup, which stays encrypted.";
    CreateLog, System, "Create a log.";
    ListLogs, System, "List the logs that the caller reaches.";
    ManageTokens, System, "Create, list and revoke tokens.";
    ReadMetrics, System, "Read metrics and health in detail.";
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
