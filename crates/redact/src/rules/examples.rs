//! What each rule takes and what it leaves, as data: for the tests, for the documentation, and for
//! whoever asks the program.

use super::{
    births, cards, commands, connection_strings, iban, ids_europe, ids_world, keys_ai, keys_cloud,
    keys_code, keys_services, network, phones, places, words,
};
use crate::rule::Rule;

/// Examples of one rule. Made-up keys are broken by `¦`, which does not belong to them: whole, they
/// would alarm the scanners of repositories.
#[derive(Clone, Copy, Debug)]
pub struct Examples {
    /// The rule.
    pub rule: Rule,
    /// Texts from which the rule takes what stands between `«` and `»`.
    pub takes: &'static [&'static str],
    /// Texts that look like it, from which no rule takes anything.
    pub leaves: &'static [&'static str],
}

/// Every family's examples.
pub(crate) fn all() -> impl Iterator<Item = &'static Examples> {
    const FAMILIES: &[&[Examples]] = &[
        GENERAL,
        keys_ai::EXAMPLES,
        keys_cloud::EXAMPLES,
        keys_code::EXAMPLES,
        keys_services::EXAMPLES,
        words::EXAMPLES,
        connection_strings::EXAMPLES,
        commands::EXAMPLES,
        cards::EXAMPLES,
        iban::EXAMPLES,
        ids_europe::EXAMPLES,
        ids_world::EXAMPLES,
        phones::EXAMPLES,
        network::EXAMPLES,
        places::EXAMPLES,
        births::EXAMPLES,
    ];
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// Those of the families that know no provider.
const GENERAL: &[Examples] = &[
    Examples {
        rule: Rule::PrivateKey,
        takes: &[
            "«-----BEGIN¦ PRIVATE KEY-----\nMC4CAQ\n-----END¦ PRIVATE KEY-----»",
            "cut: «-----BEGIN¦ RSA PRIVATE KEY-----\\nMIIEpAIBAAKC»",
        ],
        leaves: &[
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        ],
    },
    Examples {
        rule: Rule::AzureKey,
        takes: &[
            "AccountName=x;AccountKey=«abcDEF123+/==»;EndpointSuffix=y",
            "?sv=2024&sig=«abcdefghijklmnopqrstuvwxyz%2F0123456789%3D»&se=x",
        ],
        leaves: &["sig=short", "AccountName=x"],
    },
    Examples {
        rule: Rule::Jwt,
        takes: &["«eyJ¦hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N»"],
        leaves: &["eyJpZCI6MTIzfQ==", "heyJude.dontmakeitbad.takeasadsong"],
    },
    Examples {
        rule: Rule::Authorization,
        takes: &[
            "Authorization: Bearer «whatever»",
            "Basic «dXNlcjpwYXNzd29yZA==»",
            "{'Authorization': 'Token «9944b09199c62bcf9418»'}",
        ],
        leaves: &["Bearer authentication is used", "basic training for dogs"],
    },
    Examples {
        rule: Rule::SessionCookie,
        takes: &["Set-Cookie: «id=a3fWa; Expires=Thu; Secure»", "JSESSIONID=«1A530637289A03B0»"],
        leaves: &["cookie: chocolate", "session_id=sess-00012"],
    },
    Examples {
        rule: Rule::UrlPassword,
        takes: &["postgres://user:«hunter2»@db.example.com:5432/app", "redis://:«hunter2»@cache/0"],
        leaves: &["https://example.com:8080/a@b", "https://medium.com:443/@author"],
    },
    Examples {
        rule: Rule::Assignment,
        takes: &[
            "password=«hunter2»",
            "api_key: '«abcdef»'",
            "**API key:** «abc-def-123»",
            "contraseña: «hunter2»",
            "„password=«hunter2»“",
            "password = «Kitten(42»",
            "{\"name\":\"db_password\",\"value\":\"«hunter2»\"} and more",
            "- name: DB_PASSWORD\n  value: «hunter2»",
        ],
        leaves: &[
            "{\"name\":\"password\"},{\"value\":\"hunter2\"} and more",
            "- name: color\n  value: hunter2",
            "password = getpass()",
            "api_key=YOUR_API_KEY",
            "password = Column(String(167), nullable=False)",
            "api_key=os.environ[\"API_KEY\"]",
            "token=${TOKEN}",
            "key: value",
        ],
    },
    Examples {
        rule: Rule::Email,
        takes: &["write to «ada.lovelace+x@mail.example.co.uk».", "q=«ada%40example.com»&x"],
        leaves: &["@decorator", "icon@2x.png", "lodash@4.17.21", "'git@github.com:owner/repo.git'"],
    },
];
