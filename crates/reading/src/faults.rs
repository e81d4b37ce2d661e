//! What reading finds wrong with files and records beside what it hands out. Kept in bounds: faults
//! of records in a row are one, and beyond a report's room they are only counted.

use prove::{FINDINGS_MAX, Finding, FindingKind, Report};

/// Faults that were found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    findings: Vec<Finding>,
    /// Findings that there was no room for.
    omitted: u64,
}

impl Faults {
    /// Adds a fault.
    pub(crate) fn add(&mut self, finding: Finding) {
        let last = self.findings.last_mut();
        if let (Some(last), Some(index)) = (last, finding.index)
            && last.kind == finding.kind
            && last.file == finding.file
            && last.detail == finding.detail
            && last.index.and_then(|first| first.checked_add(last.count)) == Some(index)
        {
            last.count = last.count.saturating_add(finding.count);
        } else if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.omitted = self.omitted.saturating_add(1);
        }
    }

    /// Adds the fault of one record.
    pub(crate) fn of_record(&mut self, kind: FindingKind, index: u64, file: &str, detail: &str) {
        self.add(Finding::of_records(kind, index, 1, file, detail));
    }

    /// Adds the fault of a file.
    pub(crate) fn of_file(&mut self, kind: FindingKind, file: &str, detail: impl Into<String>) {
        self.add(Finding::of_file(kind, file, detail));
    }

    /// Adds those of somebody else.
    pub(crate) fn append(&mut self, other: Self) {
        other.findings.into_iter().for_each(|finding| self.add(finding));
        self.omitted = self.omitted.saturating_add(other.omitted);
    }

    /// Puts them into a report.
    pub(crate) fn tell(self, report: &mut Report) {
        self.findings.into_iter().for_each(|finding| report.add(finding));
        report.findings_omitted = report.findings_omitted.saturating_add(self.omitted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_in_a_row_are_one_and_the_rest_is_counted() {
        let mut faults = Faults::default();
        for index in 5..9 {
            faults.of_record(FindingKind::Corrupt, index, "a", "why");
        }
        for index in 0..200 {
            faults.of_record(FindingKind::Corrupt, index * 2, "b", "why");
        }
        let mut report = Report::new("");
        faults.tell(&mut report);
        assert_eq!((report.findings()[0].index, report.findings()[0].count), (Some(5), 4));
        assert_eq!(report.findings().len(), FINDINGS_MAX);
        assert_eq!(report.findings_omitted, 201 - FINDINGS_MAX as u64);
    }
}
