//! Names that say that their value is secret: of JSON members, of assignments in text, of headers.
//!
//! Case and separators do not count: `apiKey`, `API_KEY`, `X-Api-Key` and `api key` are one name.

use crate::marker;
use crate::rule::Rule;

/// What a name promises about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// The value is secret, whatever it looks like.
    Strong,
    /// The value is secret if it looks so: `key` and `token` are ordinary words too.
    Weak,
    /// An `Authorization` header.
    Authorization,
    /// A `Cookie` or `Set-Cookie` header.
    Cookie,
}

/// Most letters that decide about a name: no known one has more.
const LETTERS_MAX: usize = 16;

/// The last letters of a name, small ones, the last in the lowest byte: compared all at once,
/// because hostile texts have a name every few bytes.
#[derive(Clone, Copy)]
struct Letters {
    bits: u128,
    /// How many the name has, if not more than are looked at.
    count: usize,
}

impl Letters {
    /// Those of a name, by its end; what is neither letter, digit nor separator begins it.
    fn of(name: &str) -> Self {
        let (mut letters, mut count) = ([0; LETTERS_MAX], 0);
        let mut places = letters.iter_mut().rev();
        for byte in name.bytes().rev() {
            if byte.is_ascii_alphanumeric() {
                count += 1;
                let Some(place) = places.next() else { break };
                *place = byte.to_ascii_lowercase();
            } else if !is_separator(byte) {
                break;
            }
        }
        Self { bits: u128::from_be_bytes(letters), count }
    }

    fn last(self) -> u8 {
        self.bits as u8
    }
}

/// A word that names are compared with.
struct Word {
    text: &'static str,
    bits: u128,
    /// Which bits of a name it is compared with.
    mask: u128,
}

/// The word that these small letters write.
const fn word(text: &'static str) -> Word {
    let letters = text.as_bytes();
    assert!(!letters.is_empty() && letters.len() <= LETTERS_MAX);
    let (mut bits, mut at) = (0, 0);
    while at < letters.len() {
        bits = bits << 8 | letters[at] as u128;
        at += 1;
    }
    Word { text, bits, mask: u128::MAX >> (8 * (LETTERS_MAX - letters.len())) }
}

impl Word {
    fn ends(&self, name: Letters) -> bool {
        name.count >= self.text.len() && (name.bits ^ self.bits) & self.mask == 0
    }

    fn is(&self, name: Letters) -> bool {
        name.count == self.text.len() && name.bits == self.bits
    }
}

/// Names that are secret alone and as the end of a longer one (`db_password`, `openaiApiKey`), by
/// their last letter.
const STRONG_ENDINGS: &[(u8, &[Word])] = &[
    (b'd', &[word("password"), word("passwd"), word("wachtwoord"), word("privatekeyid")]),
    (
        b'y',
        &[
            word("apikey"),
            word("secretkey"),
            word("privatekey"),
            word("accesskey"),
            word("accountkey"),
            word("signingkey"),
            word("encryptionkey"),
            word("masterkey"),
            word("sshkey"),
            word("deploykey"),
            word("sharedkey"),
            word("sessionkey"),
            word("serverkey"),
            word("storagekey"),
            word("hmackey"),
            word("authkey"),
            word("passkey"),
        ],
    ),
    (
        b'n',
        &[
            word("apitoken"),
            word("accesstoken"),
            word("refreshtoken"),
            word("authtoken"),
            word("idtoken"),
            word("sessiontoken"),
            word("bearertoken"),
        ],
    ),
    (b't', &[word("secret"), word("passwort"), word("kennwort")]),
    (
        b'e',
        &[
            word("passphrase"),
            word("recoverycode"),
            word("backupcode"),
            word("seedphrase"),
            word("motdepasse"),
        ],
    ),
    (b'l', &[word("credential")]),
    (b's', &[word("credentials")]),
    (b'c', &[word("mnemonic")]),
    (b'a', &[word("contrasena"), word("senha")]),
];

/// The same in letters that are not ASCII.
const STRONG_FOREIGN: &[&str] = &[
    "contraseña",
    "пароль",
    "密码",
    "密碼",
    "密钥",
    "密鑰",
    "口令",
    "パスワード",
    "秘密鍵",
    "비밀번호",
];

/// Names that are secret only when they stand alone.
const STRONG_ALONE: &[Word] = &[
    word("jwt"),
    word("bearer"),
    word("cvv"),
    word("cvc"),
    word("otp"),
    word("passcode"),
    word("subscriptionkey"),
];

/// Ordinary words, secret only with a value to match.
const WEAK_ALONE: &[Word] =
    &[word("key"), word("auth"), word("pass"), word("pwd"), word("sig"), word("token")];

const COOKIES: &[Word] = &[word("cookie"), word("cookies"), word("setcookie")];
const AUTHORIZATION: Word = word("authorization");
const KEY: Word = word("key");
const TOKEN: Word = word("token");

/// Judges a name by its letters and digits.
pub(crate) fn judge(name: &str) -> Option<Name> {
    if ends_in_foreign(name) {
        return Some(Name::Strong);
    }
    let name = Letters::of(name);
    match name.last() {
        b'y' if name.count == 3 => return KEY.is(name).then_some(Name::Weak),
        b'n' if AUTHORIZATION.ends(name) => return Some(Name::Authorization),
        b'e' | b's' if COOKIES.iter().any(|word| word.is(name)) => return Some(Name::Cookie),
        _ => {}
    }
    let endings = STRONG_ENDINGS.iter().find(|(letter, _)| *letter == name.last());
    if endings.is_some_and(|(_, words)| words.iter().any(|word| word.ends(name)))
        || STRONG_ALONE.iter().any(|word| word.is(name))
    {
        return Some(Name::Strong);
    }
    let weak = WEAK_ALONE.iter().any(|word| word.is(name)) || TOKEN.ends(name);
    weak.then_some(Name::Weak)
}

/// True for names that end in a word of letters that are not ASCII; of those, one ends in an `a`.
fn ends_in_foreign(name: &str) -> bool {
    if !matches!(name.as_bytes(), [.., 0x80..=0xFF | b'a' | b'A']) || name.is_ascii() {
        return false;
    }
    let name = name.to_lowercase();
    STRONG_FOREIGN.iter().any(|end| name.ends_with(end))
}

/// What may stand between and after the letters of a name. Anything else begins a new one.
fn is_separator(byte: u8) -> bool {
    matches!(byte, b'_' | b'-' | b'.' | b' ' | b'!' | b'?')
}

/// The cheap question for the fast road: could the name that ends right before `end` be one of the
/// above? True for every name that [`judge`] knows and for some more (`keyword`, `database`).
pub(crate) fn may_end_secret_name(bytes: &[u8], end: usize) -> bool {
    let byte = |back: usize| {
        end.checked_sub(back).and_then(|at| bytes.get(at)).map_or(0, u8::to_ascii_lowercase)
    };
    match byte(1) {
        b'd' => {
            matches!(
                (byte(3), byte(2)),
                (b'o', b'r') | (b's' | b'p', b'w') | (b's', b'i') | (b'n', b'i') | (b'y', b'i')
            ) || (byte(2) == b'i' && is_separator(byte(3)) && byte(4) == b'y')
        }
        b'y' => byte(2) == b'e' && byte(3) == b'k',
        b't' => matches!((byte(3), byte(2)), (b'r', b'e') | (b'j', b'w') | (b'o', b'r')),
        b'n' => {
            (byte(2), byte(3)) == (b'e', b'k')
                || (byte(2) == b'o' && byte(5) == b'a' && byte(6) == b'z')
        }
        b'e' => matches!(
            (byte(4), byte(3), byte(2)),
            (b'r', b'a', b's')
                | (b'o' | b'k', b'k' | b'i', b'i')
                | (b'c', b'o', b'd')
                | (b'a', b's', b's')
        ),
        b'l' => (byte(3), byte(2)) == (b'i', b'a'),
        b's' => matches!((byte(3), byte(2)), (b'a', b'l' | b's') | (b'i', b'e')),
        b'h' => (byte(3), byte(2)) == (b'u', b't'),
        b'r' => (byte(3), byte(2)) == (b'r', b'e'),
        b'v' => byte(2) == b'v' && byte(3) == b'c',
        b'c' => matches!((byte(3), byte(2)), (b'c', b'v') | (b'n', b'i')),
        b'a' => {
            matches!((byte(3), byte(2)), (b'n', b'h') | (b'e', b'n') | (b'\xC3', b'\xB1' | b'\x91'))
        }
        b'p' => byte(2) == b't' && byte(3) == b'o',
        b'g' => byte(2) == b'i' && byte(3) == b's',
        // The end of a letter that is not ASCII.
        0x80.. => true,
        byte => is_separator(byte),
    }
}

/// True when a value looks like a secret rather than a word, a number, a path or a count: no white
/// space, and an unbroken run of at least `run_min` letters and digits that holds both.
pub(crate) fn looks_random(value: &str, run_min: usize) -> bool {
    if value.starts_with("sk-") && value.len() > 6 {
        return true;
    }
    // In one pass: hostile texts have a name, and so a value to judge, every few bytes.
    let (mut run, mut digit, mut letter, mut found) = (0, false, false, false);
    for byte in value.bytes() {
        match byte {
            b'0'..=b'9' => (run, digit) = (run + 1, true),
            b'a'..=b'z' | b'A'..=b'Z' => (run, letter) = (run + 1, true),
            _ if byte.is_ascii_whitespace() => return false,
            _ => (run, digit, letter) = (0, false, false),
        }
        found |= run >= run_min && digit && letter;
    }
    found && !value.contains("://")
}

/// True when the value of the JSON member `name`, which [`judge`]d as weak, is to be treated as
/// secret.
pub(crate) fn weak_member_is_secret(name: &str, value: &str) -> bool {
    // `key` and `pwd` name database keys and folders more often than secrets.
    let run_min = if name.len() <= 3 { 16 } else { 8 };
    // Around a marker stands what was looked at before.
    looks_random(value, run_min) && !is_identifier(value) && !marker::is_within(value)
}

/// The rule that takes the value of a member with this secret name.
pub(crate) fn member_rule(name: &str) -> Rule {
    let letters = name.bytes().filter(|b| !is_separator(*b)).map(|b| b.to_ascii_lowercase());
    if letters.eq(*b"privatekeyid") { Rule::GcpServiceAccount } else { Rule::SensitiveMember }
}

/// True for UUIDs and plain hexadecimal digests, which name things.
fn is_identifier(value: &str) -> bool {
    matches!(value.len(), 32 | 36 | 40 | 64)
        && value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_separators_do_not_count() {
        for name in
            ["password", "PASSWORD", "db_password", "Pass-Word", "apiKey", "X-API-Key", "api key"]
        {
            assert_eq!(judge(name), Some(Name::Strong), "{name}");
        }
        assert_eq!(judge("Proxy-Authorization"), Some(Name::Authorization));
        assert_eq!(judge("Set-Cookie"), Some(Name::Cookie));
        assert_eq!(judge("next_page_token"), Some(Name::Weak));
        for name in
            ["", "keyword", "tokens", "max_tokens", "primary_key", "author", "monkey", "session_id"]
        {
            assert_eq!(judge(name), None, "{name}");
        }
        assert_eq!(judge(&format!("{}password", "x".repeat(1000))), Some(Name::Strong));
    }

    #[test]
    fn the_cheap_question_never_misses_a_name() {
        let words = STRONG_ENDINGS.iter().flat_map(|(_, words)| words.iter());
        let words = words.chain(STRONG_ALONE).chain(WEAK_ALONE).map(|word| &word.text);
        let words = words.chain(STRONG_FOREIGN);
        let headers =
            ["authorization", "cookie", "cookies", "set-cookie", "JSESSIONID", "phpsessid"];
        for word in words.chain(&headers) {
            for word in [word.to_string(), word.to_uppercase(), format!("{word}_")] {
                assert!(may_end_secret_name(word.as_bytes(), word.len()), "{word}");
            }
        }
        for word in
            ["query", "limit", "action", "session", "duration", "tokens", "model", "content"]
        {
            assert!(!may_end_secret_name(word.as_bytes(), word.len()), "{word}");
        }
        assert!(!may_end_secret_name(b"", 0) && !may_end_secret_name(b"y", 9));
    }

    #[test]
    fn weak_names_need_a_value_to_match() {
        assert!(weak_member_is_secret("token", "a8f3k2m9x1"));
        assert!(weak_member_is_secret("key", "sk-secret"));
        assert!(weak_member_is_secret("key", "4f9a8b7c6d5e4f3g2h1"));
        for (name, value) in [
            ("token", " the"),
            ("token", "Hello"),
            ("key", "color"),
            ("key", "order-2026-11-20"),
            ("token", "12345678"),
            ("key", "550e8400-e29b-41d4-a716-446655440000"),
            ("key", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"),
            ("pwd", "/srv/agent/work"),
        ] {
            assert!(!weak_member_is_secret(name, value), "{name} {value}");
        }
    }
}
