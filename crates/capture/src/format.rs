//! The names of the formats that can be read.

/// A format that [`crate::capture`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Our own events, one JSON object a line.
    Native,
    /// AG2's hub audit log, `/audit/audit.jsonl`.
    Ag2Audit,
    /// AG2's channel log of envelopes, `/channels/{id}/wal.jsonl`.
    Ag2Wal,
    /// AG2's telemetry file, `/telemetry/spans.jsonl`.
    Ag2Spans,
    /// OTLP requests in JSON, spans or log records: one request, or one a line.
    OtlpJson,
    /// One OTLP `ExportTraceServiceRequest` in protobuf.
    OtlpTracesProtobuf,
    /// One OTLP `ExportLogsServiceRequest` in protobuf.
    OtlpLogsProtobuf,
    /// The lines of the `ForensicCallbackHandler` logging recipe for AutoGen.
    ForensicLog,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Self] = &[
        Self::Native,
        Self::Ag2Audit,
        Self::Ag2Wal,
        Self::Ag2Spans,
        Self::OtlpJson,
        Self::OtlpTracesProtobuf,
        Self::OtlpLogsProtobuf,
        Self::ForensicLog,
    ];

    /// The name, as on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "ndjson",
            Self::Ag2Audit => "ag2-audit",
            Self::Ag2Wal => "ag2-wal",
            Self::Ag2Spans => "ag2-spans",
            Self::OtlpJson => "otlp-json",
            Self::OtlpTracesProtobuf => "otlp-traces-protobuf",
            Self::OtlpLogsProtobuf => "otlp-logs-protobuf",
            Self::ForensicLog => "forensic-log",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn every_format_is_found_by_its_name() {
        for format in Format::ALL {
            assert_eq!(Format::from_name(format.as_str()), Some(*format));
        }
        assert_eq!(Format::from_name("csv"), None);
    }
}
