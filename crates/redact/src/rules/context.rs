//! What stands before a text says what it is: `SSN 123456789`, `the token is a8F3...`.
//!
//! All words are looked for at once, in the name of the member that the text is the value of and in
//! the few bytes before the finding. A word counts whole: in base64 any three letters occur.

use crate::policy::PolicyError;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// A set of subjects that words speak of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subjects(u64);

macro_rules! subjects {
    ($($name:ident = $words:expr;)*) => {
        subjects!(@number 0u32; $($name)*);
        const WORDS: &[(Subjects, &[&str])] = &[$((Subjects::$name, $words)),*];
    };
    (@number $at:expr; $name:ident $($rest:ident)*) => {
        impl Subjects { pub(super) const $name: Self = Self(1 << ($at)); }
        subjects!(@number $at + 1; $($rest)*);
    };
    (@number $at:expr;) => {};
}

subjects! {
    SECRET = &[
        "token", "secret", "password", "passwd", "passphrase", "passcode", "credential",
        "credentials", "api key", "api-key", "api_key", "apikey", "access key", "access_key",
        "private key", "secret key", "signing key", "contraseña", "clave secreta", "mot de passe",
        "jeton", "passwort", "kennwort", "geheimnis", "schlüssel", "senha", "segredo", "chave",
        "пароль", "токен", "密码", "密钥", "令牌", "パスワード", "トークン", "秘密鍵",
    ];
    KEY = &[
        "key", "keys", "token", "secret", "apikey", "api_key", "credential", "sid", "auth",
        "clave", "clé", "schlüssel", "chave", "密钥", "キー",
    ];
    PROVIDER = &[
        "cohere", "mistral", "pagerduty", "cloudflare", "heroku", "wandb", "weights", "together",
        "algolia", "twilio", "deepgram", "assemblyai", "elevenlabs", "pinecone", "weaviate",
        "voyage", "fireworks", "cerebras", "stability", "openrouter", "perplexity", "okta",
        "auth0", "zendesk", "intercom", "segment", "mixpanel", "amplitude", "rollbar", "bugsnag",
        "sentry", "fastly", "vercel", "netlify", "circleci", "travis", "codecov", "sonarqube",
        "snyk", "jfrog", "artifactory", "bitbucket", "asana", "trello", "jira", "confluence",
        "dropbox", "box", "twitter", "facebook", "linkedin", "spotify", "twitch", "mapbox",
        "openweather", "openweathermap", "newsapi", "alchemy", "infura", "etherscan", "coinbase",
        "kraken", "binance", "plaid", "adyen", "razorpay", "paypal", "vonage", "nexmo",
        "messagebird", "mailjet", "postmark", "sparkpost", "serpapi", "rapidapi", "airbrake",
        "logdna", "loggly", "sumologic", "splunk", "elastic", "langfuse", "langsmith",
    ];
    DATADOG = &["datadog", "dd_api_key", "dd_app_key", "dd-api-key"];
    SSN = &["ssn", "ssns", "social security"];
    NINO = &["nino", "national insurance", "ni number"];
    NHS = &["nhs"];
    TAX_DE = &[
        "steuer-id", "steuerid", "steuer id", "steuernummer", "steueridentifikationsnummer",
        "steuer-identifikationsnummer", "idnr", "tax id", "tax_id", "taxid", "tin",
        "identifikationsnummer",
    ];
    BSN = &["bsn", "burgerservicenummer", "sofinummer", "sofi", "burgerservice"];
    PESEL = &["pesel"];
    PERSONNUMMER = &["personnummer", "fødselsnummer", "fodselsnummer", "fnr", "pnr"];
    BELGIAN = &["rijksregister", "rijksregisternummer", "registre national", "niss", "insz"];
    CPF = &["cpf"];
    CNPJ = &["cnpj"];
    RUT = &["rut", "run"];
    AADHAAR = &["aadhaar", "aadhar", "uidai"];
    PAN = &["pan", "income tax", "permanent account"];
    MY_NUMBER = &["my number", "mynumber", "my_number", "マイナンバー", "個人番号"];
    SIN = &["sin", "social insurance", "nas"];
    TFN = &["tfn", "tax file"];
    MEDICARE = &["medicare"];
    ZA = &[
        "id number", "id_number", "identity number", "identity", "za id", "rsa id", "said",
        "id no", "sa id", "za_id",
    ];
    KIMLIK = &["kimlik", "tckn", "t.c.", "tc no", "tc"];
    PHONE = &[
        "phone", "phones", "telephone", "tel", "call", "called", "mobile", "cell", "whatsapp",
        "sms", "fax", "telefon", "telefonnummer", "handy", "rufnummer", "téléphone", "telephone",
        "portable", "teléfono", "telefono", "móvil", "movil", "celular", "telefone", "cellulare",
        "telefoon", "gsm", "phone_number", "phonenumber", "电话", "手机", "電話", "携帯", "전화",
        "телефон",
    ];
    BIRTH = &[
        "born", "birth", "birthday", "birthdate", "birth_date", "dob", "date_of_birth", "geboren",
        "geburtsdatum", "geburtstag", "né le", "née le", "naissance", "nacido", "nacida",
        "nacimiento", "nascimento", "nascido", "nascida", "nato il", "nata il", "nascita",
        "geboortedatum", "生年月日", "出生", "生日", "дата рождения",
    ];
    LATITUDE = &["lat", "latitude"];
    LONGITUDE = &["lon", "lng", "long", "longitude"];
}

impl Subjects {
    /// No subject: nothing need be spoken of.
    pub(super) const NONE: Self = Self(0);

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// How far before a finding a word may begin, in bytes.
const WINDOW_BYTES: usize = 48;

/// Every word, ready to be looked for.
pub(crate) struct Context {
    words: AhoCorasick,
    subjects: Vec<Subjects>,
}

impl Context {
    pub(super) fn compile() -> Result<Self, PolicyError> {
        let all = WORDS.iter().flat_map(|(subjects, words)| words.iter().map(|w| (*w, *subjects)));
        let (words, subjects): (Vec<&str>, Vec<Subjects>) = all.unzip();
        let words = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(words)
            .map_err(|error| PolicyError::Pattern {
                family: "context",
                reason: error.to_string(),
            })?;
        Ok(Self { words, subjects })
    }

    /// What the words before `at` speak of, those of the member's `name` included.
    pub(super) fn before(&self, text: &str, at: usize, name: &str) -> Subjects {
        let start = boundary(text, at.saturating_sub(WINDOW_BYTES));
        let window = text.get(start..at).unwrap_or_default();
        // Cut inside a word, its end is not a word.
        let cut =
            start > 0 && text.as_bytes().get(start - 1).is_some_and(u8::is_ascii_alphanumeric);
        let mut subjects = self.of(window, cut);
        if start == 0 && !name.is_empty() {
            subjects.0 |= self.of(name, false).0;
        }
        subjects
    }

    fn of(&self, text: &str, cut: bool) -> Subjects {
        let mut subjects = Subjects::default();
        for word in self.words.find_overlapping_iter(text) {
            let whole = is_edge(text, word.start()) && is_edge(text, word.end());
            if whole && !(cut && word.start() == 0) {
                let own = self.subjects.get(word.pattern().as_usize());
                subjects.0 |= own.map_or(0, |own| own.0);
            }
        }
        subjects
    }
}

/// The next position from `at` on that does not cut a character.
fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// True where a word may begin or end: beside what is neither letter nor digit, where capitals
/// begin (`phoneNumber`), and anywhere beside a character that is not ASCII.
fn is_edge(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    match (before, bytes.get(at)) {
        (Some(before), Some(after)) => {
            !before.is_ascii_alphanumeric()
                || !after.is_ascii_alphanumeric()
                || (before.is_ascii_lowercase() && after.is_ascii_uppercase())
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_before_the_place_count_and_nothing_else() {
        let context = Context::compile().unwrap();
        let has = |text: &str, name: &str, subject: Subjects| {
            context.before(text, text.len(), name).has(subject)
        };
        assert!(has("her SSN is ", "", Subjects::SSN));
        assert!(has("", "customer_ssn", Subjects::SSN));
        assert!(has("", "phoneNumber", Subjects::PHONE));
        assert!(has("電話は", "", Subjects::PHONE));
        assert!(!has("lessness ", "", Subjects::SSN));
        assert!(!has("", "basin", Subjects::SIN));
        assert!(!has(&format!("ssn {}", "x ".repeat(40)), "", Subjects::SSN));
        assert!(!has(&format!("{}ssn", "a".repeat(45)), "", Subjects::SSN));
    }
}
