//! What stands before a text says what it is: `SSN 123456789`, `the token is a8F3...`.
//!
//! All words are looked for at once, in the name of the member that the text is the value of and in
//! the few bytes before the finding. A word counts whole: in base64 any three letters occur.

use super::kinds::Kinds;
use super::lexicon::Lexicon;
use std::cell::{Cell, OnceCell};

/// A set of subjects that words speak of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subjects(u32);

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

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// How far before a finding a word may begin, in bytes.
const WINDOW_BYTES: usize = 48;

/// A text is looked through once so many answers as it has pieces of this length were looked for.
const BYTES_EACH: usize = 4 * WINDOW_BYTES;

/// The same for doubts, where something else may be looked at instead, which costs less.
const BYTES_EACH_DOUBT: usize = 16;

/// Every word, ready to be looked for.
pub(crate) struct Context(Lexicon<Subjects>);

impl Context {
    pub(super) fn new() -> Self {
        let all = WORDS.iter().flat_map(|(subjects, words)| words.iter().map(|w| (*w, *subjects)));
        Self(Lexicon::new(all))
    }

    /// Calls `found` with the whole words of a text from `from` to `to`, by where they start.
    fn words(
        &self,
        (text, kinds): (&str, &Kinds),
        (from, to): (usize, usize),
        mut found: impl FnMut(Word),
    ) {
        for start in kinds.name_starts(from, to) {
            let rest = text.as_bytes().get(start..to).unwrap_or_default();
            for (word, subjects) in self.0.candidates(rest) {
                let written = rest.get(..word.len());
                if written.is_some_and(|written| written.eq_ignore_ascii_case(word.as_bytes())) {
                    let end = start + word.len();
                    found(Word {
                        start: u32::try_from(start).unwrap_or(u32::MAX),
                        end: u32::try_from(end).unwrap_or(u32::MAX),
                        subjects: *subjects,
                        ends: is_edge(text, end),
                    });
                }
            }
        }
    }
}

/// A word that speaks of something, with nothing before it that would make it the end of another.
#[derive(Clone, Copy, Debug)]
struct Word {
    start: u32,
    end: u32,
    subjects: Subjects,
    /// Nothing follows that would make it the beginning of another word.
    ends: bool,
}

impl Word {
    /// What it speaks of, if it stands in the window before `at`.
    fn before(self, at: usize) -> Subjects {
        let (start, end) = (self.start as usize, self.end as usize);
        let whole = end <= at && (end == at || self.ends);
        if whole && start + WINDOW_BYTES >= at { self.subjects } else { Subjects::NONE }
    }
}

/// What is spoken of in one text, asked at many places.
///
/// A few answers are looked for in the bytes before the place; after that all words of the text are
/// found in one go, so that no text is walked more than twice.
pub(super) struct Spoken<'t> {
    context: &'t Context,
    text: (&'t str, &'t Kinds),
    /// The name of the member that the text is the value of.
    name: &'t str,
    named: OnceCell<Subjects>,
    asked: Cell<usize>,
    wondered: Cell<usize>,
    words: OnceCell<Words>,
}

/// All words of a text.
struct Words {
    words: Vec<Word>,
    subjects: Subjects,
    /// The number of words that start before the place that was asked last.
    passed: Cell<usize>,
}

impl<'t> Spoken<'t> {
    pub(super) fn new(context: &'t Context, text: (&'t str, &'t Kinds), name: &'t str) -> Self {
        let (named, words) = (OnceCell::new(), OnceCell::new());
        let (asked, wondered) = (Cell::new(0), Cell::new(0));
        Self { context, text, name, named, asked, wondered, words }
    }

    /// What the words before `at` speak of, those of the member's name included.
    pub(super) fn before(&self, at: usize) -> Subjects {
        let named = if at <= WINDOW_BYTES { self.named() } else { Subjects::NONE };
        let before = match self.words.get() {
            Some(words) => words.before(at),
            None if (self.asked.get() + 1) * BYTES_EACH <= self.text.0.len() => {
                self.asked.set(self.asked.get() + 1);
                let from = at.saturating_sub(WINDOW_BYTES);
                let mut all = Subjects::NONE;
                self.context.words(self.text, (from, at), |word| all = all.and(word.before(at)));
                all
            }
            None => self.words().before(at),
        };
        named.and(before)
    }

    /// True when something before `at` speaks of one of the subjects.
    pub(super) fn speaks_of(&self, subjects: Subjects, at: usize) -> bool {
        !self.is_silent(subjects, at) && self.before(at).has(subjects)
    }

    /// True when it is known already that nothing speaks of them.
    pub(super) fn is_silent(&self, subjects: Subjects, at: usize) -> bool {
        self.words.get().is_some_and(|words| !words.subjects.has(subjects))
            && !(at <= WINDOW_BYTES && self.named().has(subjects))
    }

    /// The same, but looks for words when it was asked often.
    pub(super) fn is_surely_silent(&self, subjects: Subjects, at: usize) -> bool {
        if self.words.get().is_none() {
            self.wondered.set(self.wondered.get() + 1);
            if self.wondered.get() * BYTES_EACH_DOUBT > self.text.0.len() {
                self.words();
            }
        }
        self.is_silent(subjects, at)
    }

    fn named(&self) -> Subjects {
        *self.named.get_or_init(|| {
            let mut all = Subjects::NONE;
            let kinds = Kinds::of(self.name.as_bytes());
            self.context.words((self.name, &kinds), (0, self.name.len()), |word| {
                all = all.and(if word.ends { word.subjects } else { Subjects::NONE });
            });
            all
        })
    }

    fn words(&self) -> &Words {
        self.words.get_or_init(|| {
            let (mut words, mut subjects) = (Vec::new(), Subjects::NONE);
            self.context.words(self.text, (0, self.text.0.len()), |word| {
                subjects = subjects.and(word.subjects);
                words.push(word);
            });
            Words { words, subjects, passed: Cell::new(0) }
        })
    }
}

impl Words {
    fn before(&self, at: usize) -> Subjects {
        let start = |number: usize| self.words.get(number).map(|word| word.start as usize);
        // Places are asked in order, mostly.
        let mut passed = self.passed.get();
        while start(passed).is_some_and(|start| start < at) {
            passed += 1;
        }
        while passed.checked_sub(1).and_then(start).is_some_and(|start| start >= at) {
            passed -= 1;
        }
        self.passed.set(passed);
        let near = self.words.get(..passed).unwrap_or_default().iter().rev();
        near.take_while(|word| word.start as usize + WINDOW_BYTES >= at)
            .fold(Subjects::NONE, |all, word| all.and(word.before(at)))
    }
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
    fn every_word_begins_where_words_are_looked_for() {
        let words = WORDS.iter().flat_map(|(_, words)| words.iter());
        for word in words {
            let first = word.chars().next().unwrap();
            assert!(
                word.len() >= 2 && (first.is_ascii_alphabetic() || !first.is_ascii()),
                "{word}"
            );
        }
    }

    #[test]
    fn whole_words_before_the_place_count_and_nothing_else() {
        let context = Context::new();
        let has = |text: &str, name: &str, subject: Subjects| {
            let kinds = Kinds::of(text.as_bytes());
            Spoken::new(&context, (text, &kinds), name).before(text.len()).has(subject)
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
