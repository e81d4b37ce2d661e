//! Patterns of paths and of event types.

use super::PolicyError;

/// Words with `*` for any letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob(String);

impl Glob {
    pub(crate) fn new(pattern: &str) -> Self {
        Self(pattern.to_ascii_lowercase())
    }

    /// True when the whole text fits, whatever its case. Linear but for the stars, of which a
    /// pattern has few.
    pub(crate) fn fits(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut p, mut t) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while t < text.len() {
            match (pattern.get(p), text.get(t)) {
                (Some(b'*'), _) => {
                    star = Some((p, t));
                    p += 1;
                }
                (Some(a), Some(b)) if *a == b.to_ascii_lowercase() => (p, t) = (p + 1, t + 1),
                _ => {
                    let Some((at, from)) = star else { return false };
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
            }
        }
        pattern.get(p..).unwrap_or_default().iter().all(|b| *b == b'*')
    }
}

/// A pattern of paths: steps between full stops, `*` in a step, `**` for any number of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    One(Glob),
    Any,
}

/// Where every path begins. A pattern that begins otherwise speaks of the attributes, which the
/// producer wrote beside these.
const ROOTS: &[&str] = &[
    "params",
    "result",
    "reasoning",
    "context",
    "error",
    "input",
    "output",
    "attributes",
    "event_id",
    "event_type",
    "agent_name",
    "agent_id",
    "agent_version",
    "task_id",
    "session_id",
    "trace_id",
    "parent_event_id",
    "caused_by",
    "action",
    "tool",
    "cost",
    "model",
    "version",
    "error_type",
    "source",
    "principal",
    "on_behalf_of",
    "approver",
    "producer",
    "signature",
    "redactions",
    "tags",
];

impl Path {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PolicyError::Path`] for an empty step.
    pub(crate) fn new(pattern: &str) -> Result<Self, PolicyError> {
        if pattern.split('.').any(str::is_empty) {
            return Err(PolicyError::Path(pattern.to_owned()));
        }
        let step = |step: &str| if step == "**" { Step::Any } else { Step::One(Glob::new(step)) };
        let mut steps: Vec<Step> = pattern.split('.').map(step).collect();
        let root = pattern.split('.').next().unwrap_or_default();
        if !root.contains('*') && !ROOTS.iter().any(|known| root.eq_ignore_ascii_case(known)) {
            steps.insert(0, Step::One(Glob::new("attributes")));
        }
        Ok(Self(steps))
    }

    /// True when the path fits as a whole.
    pub(crate) fn fits(&self, path: &str) -> bool {
        let steps: Vec<&str> = path.split('.').collect();
        let (mut p, mut t) = (0, 0);
        let mut any: Option<(usize, usize)> = None;
        while let Some(step) = steps.get(t) {
            match self.0.get(p) {
                Some(Step::Any) => {
                    any = Some((p, t));
                    p += 1;
                }
                Some(Step::One(glob)) if glob.fits(step) => (p, t) = (p + 1, t + 1),
                _ => {
                    let Some((at, from)) = any else { return false };
                    any = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
            }
        }
        self.0.get(p..).unwrap_or_default().iter().all(|step| *step == Step::Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_paths() {
        for (pattern, path, fits) in [
            ("params.password", "params.password", true),
            ("params.password", "params.Password", true),
            ("params.password", "params.password.x", false),
            ("**.ssn", "params.a.0.ssn", true),
            ("**.ssn", "params.ssns", false),
            ("**.ssn", "ssn", true),
            ("params.*.ssn", "params.0.ssn", true),
            ("params.*.ssn", "params.0.1.ssn", false),
            ("params.**", "params.a.b", true),
            ("params.**.x", "params.x", true),
            ("**.a.**.b", "x.a.y.a.z.b", true),
            ("**.x-*", "params.headers.X-Secret", true),
            ("headers.*", "attributes.headers.cookie", true),
            ("headers.*", "params.headers.cookie", false),
            ("agent_name", "agent_name", true),
        ] {
            assert_eq!(Path::new(pattern).unwrap().fits(path), fits, "{pattern} {path}");
        }
        for wrong in ["", ".", "a..b", "a."] {
            assert_eq!(Path::new(wrong), Err(PolicyError::Path(wrong.into())));
        }
        assert!(Glob::new("agent.tool_*").fits("agent.tool_call"));
        assert!(!Glob::new("agent.tool_*").fits("agent.error"));
    }
}
