//! Keys of services that send, sell, pay and keep notes.

use super::Examples;
use super::forms::Check::{Ends, Mixed};
use super::forms::Part::{Run, Text};
use super::forms::{Check, ENDLESS, Form, Part};
use super::letters::{ALPHANUMERIC, BASE64, BASE64_URL, DIGIT, DOT, HEX, HYPHEN, PATH, PERCENT};
use crate::rule::Rule;

pub(super) const FORMS: &[Form] = &[
    slack("xoxa-"),
    slack("xoxb-"),
    slack("xoxe-"),
    slack("xoxo-"),
    slack("xoxp-"),
    slack("xoxr-"),
    slack("xoxs-"),
    Form::new(Rule::SlackToken, "xapp-", &[Run(ALPHANUMERIC | HYPHEN, 20, ENDLESS)]).checked(Mixed),
    Form::new(Rule::SlackWebhook, "hooks.slack.com/services/", &[Run(PATH, 20, ENDLESS)]).keeps(0),
    Form::new(Rule::SlackWebhook, "hooks.slack.com/workflows/", &[Run(PATH, 20, ENDLESS)]).keeps(0),
    Form::new(Rule::SlackWebhook, "hooks.slack.com/triggers/", &[Run(PATH, 20, ENDLESS)]).keeps(0),
    discord("discord.com/api/webhooks/"),
    discord("discordapp.com/api/webhooks/"),
    stripe("sk_live_"),
    stripe("rk_live_"),
    stripe("sk_test_"),
    stripe("rk_test_"),
    Form::new(Rule::StripeKey, "whsec_", &[Run(BASE64, 16, ENDLESS)]),
    Form::new(Rule::SquareToken, "EAAA", &[Run(BASE64_URL, 55, 64)]).checked(Ends),
    Form::new(Rule::SquareToken, "sq0atp-", &[Run(BASE64_URL, 20, ENDLESS)]),
    Form::new(Rule::SquareToken, "sq0csp-", &[Run(BASE64_URL, 20, ENDLESS)]),
    Form::new(Rule::SquareToken, "sq0idp-", &[Run(BASE64_URL, 20, ENDLESS)]),
    Form::new(Rule::ShopifyToken, "shpat_", &[Run(ALPHANUMERIC, 32, ENDLESS)]),
    Form::new(Rule::ShopifyToken, "shpca_", &[Run(ALPHANUMERIC, 32, ENDLESS)]),
    Form::new(Rule::ShopifyToken, "shppa_", &[Run(ALPHANUMERIC, 32, ENDLESS)]),
    Form::new(Rule::ShopifyToken, "shpss_", &[Run(ALPHANUMERIC, 32, ENDLESS)]),
    Form::new(Rule::TwilioKey, "SK", &[Run(HEX, 32, 32)]).checked(Ends),
    Form::new(
        Rule::SendgridKey,
        "SG.",
        &[Run(BASE64_URL, 16, 64), Text("."), Run(BASE64_URL, 16, ENDLESS)],
    ),
    Form::new(Rule::MailgunKey, "key-", &[Run(HEX, 32, 32)]).checked(Ends),
    Form::new(
        Rule::BrevoKey,
        "xkeysib-",
        &[Run(HEX, 64, 64), Text("-"), Run(ALPHANUMERIC, 16, ENDLESS)],
    ),
    Form::new(
        Rule::BrevoKey,
        "xsmtpsib-",
        &[Run(HEX, 64, 64), Text("-"), Run(ALPHANUMERIC, 16, ENDLESS)],
    ),
    Form::new(Rule::NotionToken, "ntn_", &[Run(ALPHANUMERIC, 40, ENDLESS)]),
    Form::new(Rule::NotionToken, "secret_", &[Run(ALPHANUMERIC, 43, 43)]).checked(Ends),
    Form::new(
        Rule::AirtableToken,
        "pat",
        &[Run(ALPHANUMERIC, 14, 14), Text("."), Run(HEX, 64, ENDLESS)],
    ),
    service("access_token$production$", &[Run(ALPHANUMERIC, 16, 16), Text("$"), Run(HEX, 32, 32)]),
    service("rzp_live_", &[Run(ALPHANUMERIC, 14, ENDLESS)]),
    service("rzp_test_", &[Run(ALPHANUMERIC, 14, ENDLESS)]),
    service("access-sandbox-", &[Run(HEX | HYPHEN, 36, 36)]),
    service("access-production-", &[Run(HEX | HYPHEN, 36, 36)]),
    service("tfp_", &[Run(BASE64_URL, 40, ENDLESS)]).checked(Mixed),
    service("pat-na1-", &[Run(HEX | HYPHEN, 36, 36)]),
    service("pat-eu1-", &[Run(HEX | HYPHEN, 36, 36)]),
    service("sk.eyJ", &[Run(BASE64_URL, 40, ENDLESS), Text("."), Run(BASE64_URL, 20, ENDLESS)]),
    service("AAAAAAAAAAAAAAAAAAAAA", &[Run(ALPHANUMERIC | PERCENT, 60, ENDLESS)]).checked(Mixed),
    service("sl.", &[Run(BASE64_URL | DOT, 100, ENDLESS)]).checked(Mixed),
    service("CFPAT-", &[Run(BASE64_URL, 40, ENDLESS)]),
    service("shippo_live_", &[Run(HEX, 40, ENDLESS)]),
    service("FLWSECK-", &[Run(ALPHANUMERIC | HYPHEN, 20, ENDLESS)]),
    service("mlsn.", &[Run(HEX, 60, ENDLESS)]),
    service("re_", &[Run(ALPHANUMERIC, 8, 8), Text("_"), Run(ALPHANUMERIC, 24, 24)]).checked(Ends),
];

const fn slack(prefix: &'static str) -> Form {
    Form::new(Rule::SlackToken, prefix, &[Run(ALPHANUMERIC | HYPHEN, 10, ENDLESS)])
}

const fn stripe(prefix: &'static str) -> Form {
    Form::new(Rule::StripeKey, prefix, &[Run(ALPHANUMERIC, 10, ENDLESS)])
}

const fn discord(prefix: &'static str) -> Form {
    Form::new(
        Rule::DiscordWebhook,
        prefix,
        &[Run(DIGIT, 15, 22), Text("/"), Run(BASE64_URL, 30, ENDLESS)],
    )
    .keeps(2)
}

const fn service(prefix: &'static str, parts: &'static [Part]) -> Form {
    Form::new(Rule::ServiceKey, prefix, parts).checked(Check::None)
}

pub(super) const EXAMPLES: &[Examples] = &[
    Examples {
        rule: Rule::SlackToken,
        takes: &[
            "«xox¦b-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx»",
            "«xapp¦-1-A0B1C2D3E4F-1234567890123-0123456789abcdef»",
        ],
        leaves: &["xoxb-", "xoxb-short", "xapp-something-in-words-only"],
    },
    Examples {
        rule: Rule::SlackWebhook,
        takes: &[
            "POST https://hooks.slack.com/services/«T00000000/B00000000/AbCd¦EfGhIjKlMnOpQrStUvWx»",
        ],
        leaves: &["https://hooks.slack.com/services/", "https://slack.com/services/T0/B0/x"],
    },
    Examples {
        rule: Rule::DiscordToken,
        takes: &["«MTk4NjIyNDgzNDcxOTI1MjQ4¦.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs»"],
        leaves: &[
            "MTk4NjIyNDgzNDcxOTI1MjQ4",
            "NotBase64OfDigitsAtAllX.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs",
        ],
    },
    Examples {
        rule: Rule::DiscordWebhook,
        takes: &[
            "https://discord.com/api/webhooks/198622483471925248/«AbCdEfGhIj¦0123456789_-AbCdEfGhIj0123456789»",
        ],
        leaves: &["https://discord.com/api/webhooks/198622483471925248", "discord.com/api/v10"],
    },
    Examples {
        rule: Rule::TelegramToken,
        takes: &["bot«123456789:AA¦F1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q»/getMe"],
        leaves: &["123456789:AA", "12:AAF1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q", "ratio 123456789:1"],
    },
    Examples {
        rule: Rule::StripeKey,
        takes: &["«sk¦_live_A1b2C3d4E5f6G7h8I9j0»", "«whsec¦_A1b2C3d4E5f6G7h8I9j0+/=»"],
        leaves: &["sk_live_", "pk_live_A1b2C3d4E5f6G7h8I9j0", "sk_test_short"],
    },
    Examples {
        rule: Rule::SquareToken,
        takes: &[
            "«sq0¦atp-A1b2C3d4E5f6G7h8I9j0-_»",
            "«EAAA¦A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v2W3x4Y5z6A7b8C9d0»",
        ],
        leaves: &["EAAA", "sq0atp-"],
    },
    Examples {
        rule: Rule::ShopifyToken,
        takes: &["«shpat¦_0123456789abcdef0123456789abcdef»"],
        leaves: &["shpat_", "shpat_0123"],
    },
    Examples {
        rule: Rule::TwilioKey,
        takes: &["«SK¦0123456789abcdef0123456789abcdef»"],
        leaves: &["SK0123456789", "TASK0123456789abcdef0123456789abcdef", "SKU-0123456789abcdef"],
    },
    Examples {
        rule: Rule::SendgridKey,
        takes: &["«SG¦.A1b2C3d4E5f6G7h8I9j0K1.A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v»"],
        leaves: &["SG.", "SG.short.short"],
    },
    Examples {
        rule: Rule::MailgunKey,
        takes: &[
            "«key¦-0123456789abcdef0123456789abcdef»",
            "«0123456789abcdef0123456789abcdef¦-01234567-89abcdef»",
        ],
        leaves: &["key-points", "key-0123456789abcdef", "0123456789abcdef0123456789abcdef-01"],
    },
    Examples {
        rule: Rule::MailchimpKey,
        takes: &["«0123456789abcdef0123456789abcdef¦-us12»"],
        leaves: &["0123456789abcdef0123456789abcdef-use", "0123456789abcdef-us12"],
    },
    Examples {
        rule: Rule::BrevoKey,
        takes: &[
            "«xkeysib¦-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef-A1b2C3d4E5f6G7h8»",
        ],
        leaves: &["xkeysib-", "xkeysib-0123456789abcdef"],
    },
    Examples {
        rule: Rule::NotionToken,
        takes: &[
            "«ntn¦_1234567890AbCdEfGhIjKlMnOpQrStUvWxYz0123456789»",
            "«secret¦_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v»",
        ],
        leaves: &["ntn_", "secret_santa", "secret_of_the_old_house"],
    },
    Examples {
        rule: Rule::AirtableToken,
        takes: &[
            "«patA1b2C3d4E5f6G7¦.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef»",
        ],
        leaves: &["pattern.matching", "patA1b2C3d4E5f6G7.0123"],
    },
];
