//! Keys that their providers made recognisable by a prefix.
//!
//! Not here: keys that only a name beside them gives away (`assignments`).

use super::{Finding, compile, ends_word, names, starts_word};
use crate::policy::PolicyError;
use crate::rule::Rule;
use regex_automata::meta::Regex;

/// Rule and pattern; every prefix has an anchor in `scan`. The earlier pattern wins.
const PATTERNS: &[(Rule, &str)] = &[
    (Rule::AnthropicKey, r"sk-ant-[A-Za-z0-9_-]{10,}"),
    (Rule::OpenaiKey, r"sk-[A-Za-z0-9_-]{16,}"),
    (Rule::AwsAccessKey, r"(?:AKIA|ASIA)[A-Z0-9]{16}"),
    (Rule::GoogleKey, r"AIza[A-Za-z0-9_-]{35}"),
    (Rule::GoogleKey, r"GOCSPX-[A-Za-z0-9_-]{20,}"),
    (Rule::GithubToken, r"gh[pousr]_[A-Za-z0-9]{30,}"),
    (Rule::GithubToken, r"github_pat_[A-Za-z0-9_]{20,}"),
    (Rule::GitlabToken, r"gl(?:pat|dt|rt|ptt)-[A-Za-z0-9_.-]{16,}"),
    (Rule::SlackToken, r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    (Rule::SlackToken, r"xapp-[A-Za-z0-9-]{20,}"),
    (Rule::StripeKey, r"[sr]k_(?:live|test)_[A-Za-z0-9]{10,}"),
    (Rule::StripeKey, r"whsec_[A-Za-z0-9+/=]{16,}"),
    (Rule::HuggingfaceToken, r"hf_[A-Za-z0-9]{30,}"),
    (Rule::NpmToken, r"npm_[A-Za-z0-9]{30,}"),
    (Rule::PypiToken, r"pypi-[A-Za-z0-9_-]{32,}"),
    (Rule::ServiceKey, r"gsk_[A-Za-z0-9]{20,}"),
    (Rule::ServiceKey, r"(?:xai|pplx|nvapi|tvly)-[A-Za-z0-9_-]{20,}"),
    (Rule::ServiceKey, r"r8_[A-Za-z0-9]{30,}"),
    (Rule::ServiceKey, r"lsv2_(?:pt|sk)_[A-Za-z0-9_]{20,}"),
    (Rule::ServiceKey, r"dop_v1_[a-f0-9]{40,}"),
    (Rule::ServiceKey, r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
];

/// Letters of an AWS secret access key.
const AWS_SECRET_BYTES: usize = 40;

pub(super) struct ProviderKeys(Regex);

impl ProviderKeys {
    pub(super) fn compile() -> Result<Self, PolicyError> {
        // The character before belongs to the match: a key does not start inside a word.
        let patterns: Vec<String> =
            PATTERNS.iter().map(|(_, key)| format!("(?:^|[^0-9A-Za-z]){key}")).collect();
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        Ok(Self(compile("provider_keys", &patterns)?))
    }

    pub(super) fn find(&self, text: &str, found: &mut Vec<Finding>) {
        for matched in self.0.find_iter(text) {
            let Some((rule, _)) = PATTERNS.get(matched.pattern().as_usize()) else { continue };
            let Some(with_lead) = text.get(matched.range()) else { continue };
            let key = with_lead.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
            let start = matched.end() - key.len();
            let real = match rule {
                // `sk-` is also the beginning of ordinary names (`sk-fading-circle`).
                Rule::OpenaiKey => is_key_body(key.get(3..).unwrap_or_default()),
                Rule::AwsAccessKey => ends_word(text, matched.end()),
                _ => true,
            };
            if !real || !starts_word(text, start) {
                continue;
            }
            found.push(Finding { start, end: matched.end(), rule: *rule });
            if *rule == Rule::AwsAccessKey {
                found.extend(secret_beside(text, matched.end()));
            }
        }
    }
}

/// True for long or mixed runs of letters and digits, not for words joined by hyphens.
fn is_key_body(body: &str) -> bool {
    let digits = body.bytes().filter(u8::is_ascii_digit).count();
    (digits >= 6 && body.len() >= 20)
        || names::looks_random(body, 10)
        || body.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| run.len() >= 20)
}

/// The secret access key that is written right after its id (`AKIA... wJalr...`).
fn secret_beside(text: &str, id_end: usize) -> Option<Finding> {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+');
    let rest = text.as_bytes().get(id_end..)?;
    let gap = rest.iter().take(8).take_while(|b| !is_part(b) && b.is_ascii()).count();
    let value = rest.get(gap..)?;
    let length = value.iter().take(AWS_SECRET_BYTES + 1).take_while(|b| is_part(b)).count();
    let value = value.get(..length)?;
    let mixed = value.iter().any(u8::is_ascii_digit)
        && value.iter().any(u8::is_ascii_uppercase)
        && value.iter().any(u8::is_ascii_lowercase);
    let start = id_end + gap;
    (length == AWS_SECRET_BYTES && mixed).then_some(Finding {
        start,
        end: start + length,
        rule: Rule::AwsSecretKey,
    })
}
