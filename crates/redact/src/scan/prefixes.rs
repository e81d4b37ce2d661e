//! Prefixes of keys at whose end an anchor stands: `ghp_`, `xoxb-`, `hvs.`.
//!
//! Each form of key in `rules` has its prefix here, unless a capital or a long run of letters leads
//! to it; a test sees to that.

use super::Families;

const HYPHEN: &[&[u8]] = &[
    b"sk",
    b"xoxa",
    b"xoxb",
    b"xoxe",
    b"xoxo",
    b"xoxp",
    b"xoxr",
    b"xoxs",
    b"xapp",
    b"glpat",
    b"gldt",
    b"glrt",
    b"glptt",
    b"glcbt",
    b"glsoat",
    b"glft",
    b"glimt",
    b"glagent",
    b"glffct",
    b"pypi",
    b"xai",
    b"pplx",
    b"nvapi",
    b"tvly",
    b"csk",
    b"fc",
    b"llx",
    b"GOCSPX",
    b"HRKU",
    b"v1.0",
    b"pul",
    b"tskey",
    b"NRAK",
    b"NRII",
    b"NRIQ",
    b"NRJS",
    b"PMAK",
    b"sdk",
    b"key",
    b"xkeysib",
    b"xsmtpsib",
    b"sq0atp",
    b"sq0csp",
    b"sq0idp",
    b"access-sandbox",
    b"access-production",
    b"pat-na1",
    b"pat-eu1",
    b"CFPAT",
    b"FLWSECK",
];

const UNDERSCORE: &[&[u8]] = &[
    b"ghp",
    b"gho",
    b"ghu",
    b"ghs",
    b"ghr",
    b"github",
    b"sk",
    b"rk",
    b"whsec",
    b"hf",
    b"api_org",
    b"npm",
    b"gsk",
    b"r8",
    b"lsv2",
    b"ls_",
    b"pcsk",
    b"tgp_v1",
    b"fw",
    b"wandb_v1",
    b"jina",
    b"e2b",
    b"dop_v1",
    b"doo_v1",
    b"dor_v1",
    b"cfut",
    b"cfat",
    b"cfk",
    b"dckr_pat",
    b"dckr_oat",
    b"sbp",
    b"sb_secret",
    b"pscale_tkn",
    b"pscale_oauth",
    b"pscale_pw",
    b"fm2",
    b"fo1",
    b"nfp",
    b"rnd",
    b"napi",
    b"ops",
    b"tr_dev",
    b"tr_prod",
    b"pnu",
    b"glsa",
    b"glc",
    b"rubygems",
    b"ddapp",
    b"ddpat",
    b"lin_api",
    b"lin_oauth",
    b"figd",
    b"figo",
    b"figu",
    b"sqp",
    b"squ",
    b"sqa",
    b"CCIPAT",
    b"bkua",
    b"sntrys",
    b"sntryu",
    b"phx",
    b"hcaik",
    b"CLOJARS",
    b"shpat",
    b"shpca",
    b"shppa",
    b"shpss",
    b"ntn",
    b"secret",
    b"rzp_live",
    b"rzp_test",
    b"tfp",
    b"shippo_live",
    b"re",
];

const DOT: &[&[u8]] = &[
    b"ya29",
    b"hvs",
    b"hvb",
    b"hvr",
    b"dp.pt",
    b"dp.st",
    b"dp.ct",
    b"dp.sa",
    b"dp.scim",
    b"dp.audit",
    b"sk",
    b"sl",
    b"mlsn",
    b"dt0c01",
    b"hooks.slack",
];

/// The last two bytes of some prefixes: for the last one, a bit for what the one before may end in.
struct Endings([u32; 256]);

static HYPHEN_ENDINGS: Endings = Endings::of(HYPHEN);
static UNDERSCORE_ENDINGS: Endings = Endings::of(UNDERSCORE);
static DOT_ENDINGS: Endings = Endings::of(DOT);

impl Endings {
    /// Of prefixes of two bytes or more.
    const fn of(prefixes: &[&[u8]]) -> Self {
        let (mut endings, mut at) = ([0; 256], 0);
        while at < prefixes.len() {
            let prefix = prefixes[at];
            endings[prefix[prefix.len() - 1] as usize] |= 1 << (prefix[prefix.len() - 2] % 32);
            at += 1;
        }
        Self(endings)
    }

    /// False for most texts that end in none of the prefixes.
    fn may_end(&self, text: &[u8]) -> bool {
        matches!(text, [.., before, last] if self.0[usize::from(*last)] >> (before % 32) & 1 == 1)
    }
}

/// No key has fewer bytes behind its prefix.
const BODY_BYTES_MIN: usize = 8;

pub(super) fn confirm_hyphen(before: &[u8], after: &[u8], missing: Families) -> Families {
    if before.last() == Some(&b'-') && (after.starts_with(b"BEGIN") || after.starts_with(b"END")) {
        return Families::PRIVATE_KEYS;
    }
    if before.last() == Some(&b' ') && matches!(after.first(), Some(b'-' | b'u' | b'p')) {
        return Families::COMMANDS;
    }
    let known = missing.has(Families::KEYS)
        && HYPHEN_ENDINGS.may_end(before)
        && is_body(after)
        && ends_with_prefix(before, HYPHEN);
    if known { Families::KEYS } else { Families::default() }
}

pub(super) fn underscore(before: &[u8], after: &[u8]) -> bool {
    if UNDERSCORE_ENDINGS.may_end(before) && is_body(after) && ends_with_prefix(before, UNDERSCORE)
    {
        return true;
    }
    before.ends_with(b"access") && after.starts_with(b"token$production$")
}

pub(super) fn confirm_dot(before: &[u8], after: &[u8], missing: Families) -> Families {
    if after.starts_with(b"atlasv1.") {
        return Families::SIGNS;
    }
    if !missing.has(Families::KEYS) {
        return Families::default();
    }
    let known = DOT_ENDINGS.may_end(before) && is_body(after) && ends_with_prefix(before, DOT);
    let webhook = (before.ends_with(b"discord") || before.ends_with(b"discordapp"))
        && after.starts_with(b"com/api/webhooks/");
    // Fourteen letters stand between `pat` and the full stop.
    let airtable = before.last_chunk::<17>().is_some_and(|last| last.starts_with(b"pat"));
    if known || webhook || airtable { Families::KEYS } else { Families::default() }
}

/// True when what follows a prefix may belong to a key.
fn is_body(after: &[u8]) -> bool {
    after.get(..BODY_BYTES_MIN).is_some_and(|body| {
        body.iter().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b'+' | b'=')
        })
    })
}

/// True when one of the prefixes stands at the end of `before` and at the beginning of its word.
/// After a backslash the letter of an escape (`\n`) does not belong to the word.
fn ends_with_prefix(before: &[u8], prefixes: &[&[u8]]) -> bool {
    let Some(last) = before.last() else { return false };
    prefixes.iter().any(|prefix| {
        prefix.last() == Some(last)
            && before.strip_suffix(*prefix).is_some_and(|lead| {
                let mut lead = lead.iter().rev();
                match lead.next() {
                    Some(b) if b.is_ascii_alphanumeric() => lead.next() == Some(&b'\\'),
                    _ => true,
                }
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_ends_as_prefixes_end() {
        for (endings, prefixes) in
            [(&HYPHEN_ENDINGS, HYPHEN), (&UNDERSCORE_ENDINGS, UNDERSCORE), (&DOT_ENDINGS, DOT)]
        {
            assert!(prefixes.iter().all(|prefix| endings.may_end(prefix)));
        }
    }
}
