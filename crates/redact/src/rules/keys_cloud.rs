//! Keys of clouds and of what runs on them.

use super::forms::Check::Ends;
use super::forms::Part::{Maybe, Run, Text};
use super::forms::{Check, ENDLESS, Form, Part};
use super::letters::{ALPHANUMERIC, BASE64, BASE64_URL, DOT, HEX, PERCENT, UPPER_DIGIT, WORD};
use super::{Examples, Finding};
use crate::rule::Rule;

pub(super) const FORMS: &[Form] = &[
    aws("AKIA"),
    aws("ASIA"),
    aws("ABIA"),
    aws("ACCA"),
    Form::new(Rule::AwsSessionToken, "IQoJb3JpZ2lu", &[Run(BASE64 | PERCENT, 80, ENDLESS)]),
    Form::new(Rule::AwsSessionToken, "FwoGZXIvYXdz", &[Run(BASE64 | PERCENT, 80, ENDLESS)]),
    Form::new(Rule::GoogleKey, "AIza", &[Run(BASE64_URL, 35, ENDLESS)]),
    Form::new(Rule::GoogleKey, "GOCSPX-", &[Run(BASE64_URL, 20, ENDLESS)]),
    Form::new(Rule::GoogleKey, "ya29.", &[Run(BASE64_URL | DOT, 20, ENDLESS)]),
    Form::new(Rule::GoogleKey, "1//0", &[Run(BASE64_URL, 30, ENDLESS)]),
    Form::new(Rule::DigitaloceanToken, "dop_v1_", &[Run(HEX, 40, ENDLESS)]),
    Form::new(Rule::DigitaloceanToken, "doo_v1_", &[Run(HEX, 40, ENDLESS)]),
    Form::new(Rule::DigitaloceanToken, "dor_v1_", &[Run(HEX, 40, ENDLESS)]),
    Form::new(Rule::HerokuKey, "HRKU-", &[Run(BASE64_URL, 36, ENDLESS)]),
    Form::new(Rule::CloudflareKey, "v1.0-", &[Run(HEX, 24, 24), Text("-"), Run(HEX, 100, ENDLESS)]),
    Form::new(Rule::CloudflareKey, "cfut_", &[Run(ALPHANUMERIC, 30, ENDLESS)]),
    Form::new(Rule::CloudflareKey, "cfat_", &[Run(ALPHANUMERIC, 30, ENDLESS)]),
    Form::new(Rule::CloudflareKey, "cfk_", &[Run(ALPHANUMERIC, 30, ENDLESS)]),
    Form::new(
        Rule::DatabricksToken,
        "dapi",
        &[Run(HEX, 32, 32), Maybe("-2"), Maybe("-3"), Maybe("-4")],
    )
    .checked(Ends),
    Form::new(Rule::VaultToken, "hvs.", &[Run(BASE64_URL, 24, ENDLESS)]),
    Form::new(Rule::VaultToken, "hvb.", &[Run(BASE64_URL, 24, ENDLESS)]),
    Form::new(Rule::VaultToken, "hvr.", &[Run(BASE64_URL, 24, ENDLESS)]),
    Form::new(Rule::DockerToken, "dckr_pat_", &[Run(BASE64_URL, 20, ENDLESS)]),
    Form::new(Rule::DockerToken, "dckr_oat_", &[Run(BASE64_URL, 20, ENDLESS)]),
    doppler("dp.pt."),
    doppler("dp.st."),
    doppler("dp.ct."),
    doppler("dp.sa."),
    doppler("dp.scim."),
    doppler("dp.audit."),
    Form::new(Rule::SupabaseKey, "sbp_", &[Run(HEX, 40, ENDLESS)]),
    Form::new(Rule::SupabaseKey, "sb_secret_", &[Run(BASE64_URL, 20, ENDLESS)]),
    Form::new(Rule::PlanetscaleToken, "pscale_tkn_", &[Run(BASE64_URL | DOT, 30, ENDLESS)]),
    Form::new(Rule::PlanetscaleToken, "pscale_oauth_", &[Run(BASE64_URL | DOT, 30, ENDLESS)]),
    Form::new(Rule::PlanetscaleToken, "pscale_pw_", &[Run(BASE64_URL | DOT, 30, ENDLESS)]),
    Form::new(Rule::AgeSecretKey, "AGE-SECRET-KEY-1", &[Run(UPPER_DIGIT, 58, 58)]),
    service("LTAI", &[Run(ALPHANUMERIC, 16, 24)], Check::Mixed),
    service("AKID", &[Run(ALPHANUMERIC, 32, 32)], Check::Mixed),
    service("pul-", &[Run(HEX, 40, 40)], Ends),
    service("fm2_", &[Run(BASE64, 100, ENDLESS)], Check::None),
    service("fo1_", &[Run(BASE64_URL, 43, ENDLESS)], Check::None),
    service("nfp_", &[Run(ALPHANUMERIC, 36, ENDLESS)], Check::None),
    service("rnd_", &[Run(ALPHANUMERIC, 30, ENDLESS)], Check::None),
    service("napi_", &[Run(ALPHANUMERIC, 60, ENDLESS)], Check::None),
    service("ops_eyJ", &[Run(BASE64_URL, 100, ENDLESS)], Check::None),
    service("tskey-", &[Run(BASE64_URL, 20, ENDLESS)], Check::Mixed),
    service("tr_dev_", &[Run(ALPHANUMERIC, 20, ENDLESS)], Check::Mixed),
    service("tr_prod_", &[Run(ALPHANUMERIC, 20, ENDLESS)], Check::Mixed),
    service("pnu_", &[Run(ALPHANUMERIC, 36, ENDLESS)], Check::None),
    service("dt0c01.", &[Run(UPPER_DIGIT, 24, 24), Text("."), Run(WORD, 60, 70)], Check::None),
];

const fn aws(prefix: &'static str) -> Form {
    Form::new(Rule::AwsAccessKey, prefix, &[Run(UPPER_DIGIT, 16, 16)]).checked(Ends)
}

const fn doppler(prefix: &'static str) -> Form {
    Form::new(Rule::DopplerToken, prefix, &[Run(BASE64_URL | DOT, 40, ENDLESS)])
}

const fn service(prefix: &'static str, parts: &'static [Part], check: Check) -> Form {
    Form::new(Rule::ServiceKey, prefix, parts).checked(check)
}

/// Letters of an AWS secret access key.
const AWS_SECRET_BYTES: usize = 40;

/// The secret access key that is written right after its id (`AKIA... wJalr...`).
pub(super) fn secret_beside(text: &str, id_end: usize) -> Option<Finding> {
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

pub(super) const EXAMPLES: &[Examples] = &[
    Examples {
        rule: Rule::AgeSecretKey,
        takes: &[
            "# key\n«AGE-SECRET-KEY¦-1QQPQYH3VZ0R9D8S7A6K5J4G3F2E1W0T9Y8U7X6C5V4N3M2L1K0J9H8G7F6»\n",
        ],
        leaves: &[
            "AGE-SECRET-KEY-1",
            "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
        ],
    },
    Examples {
        rule: Rule::AwsAccessKey,
        takes: &[
            "«AKIA¦IOSFODNN7EXAMPLE»",
            "id «ASIA¦IOSFODNN7EXAMPLE» used",
            "/«AKIA¦0123456789ABCDEF»/20260101/us-east-1",
        ],
        leaves: &["AKIA is a prefix", "AKIAIOSFODNN7EXAMPLES", "SLOVAKIA0123456789ABCDEF"],
    },
    Examples {
        rule: Rule::AwsSecretKey,
        takes: &["aws_secret_access_key = «wJalrXUtnFEMI¦/K7MDENG/bPxRfiCYEXAMPLEKEY»"],
        leaves: &["2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", "SecretAccessKey: None"],
    },
    Examples {
        rule: Rule::AwsSessionToken,
        takes: &[
            "token «IQoJ¦b3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDsWZ8A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0==»",
        ],
        leaves: &["IQoJb3JpZ2lu", "a FwoGZXIvYXdz token"],
    },
    Examples {
        rule: Rule::GoogleKey,
        takes: &[
            "«AIza¦SyA0123456789abcdefghijklmnopqrstuv»",
            "«GOCSPX¦-0123456789abcdefghij»",
            "(«ya29¦.a0AfH6SMBx1234567890abcdefghij-KL_mn»)",
            "«1//0¦gA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8-S9t0»",
        ],
        leaves: &["AIza", "xAIzaSyA0123456789abcdefghijklmnopqrstuv", "ya29. Then", "1//0.5"],
    },
    Examples {
        rule: Rule::GcpServiceAccount,
        takes: &["\"private_key_id\": \"«0123¦456789abcdef0123456789abcdef01234567»\""],
        leaves: &["private_key_id: None", "the private_key_id is optional"],
    },
    Examples {
        rule: Rule::DigitaloceanToken,
        takes: &["«dop¦_v1_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef»"],
        leaves: &["dop_v1_", "dop_v1_something_else"],
    },
    Examples {
        rule: Rule::HerokuKey,
        takes: &["«HRKU¦-AAe8Xq2mT5pL0vN7wYzR3sK9dJ6hG1fB4cU_E-a»"],
        leaves: &["HRKU-1", "heroku-24-build-stack"],
    },
    Examples {
        rule: Rule::CloudflareKey,
        takes: &["«cfut¦_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0»"],
        leaves: &["v1.0-beta", "cfut_short"],
    },
    Examples {
        rule: Rule::DatabricksToken,
        takes: &[
            "«dapi¦0123456789abcdef0123456789abcdef»",
            "DB «dapi¦0123456789abcdef0123456789abcdef-2»",
        ],
        leaves: &["dapi", "dapi0123456789", "dapi0123456789abcdef0123456789abcdef01"],
    },
    Examples {
        rule: Rule::VaultToken,
        takes: &["export «hvs¦.CAESIJ2f0a1b2c3d4e5f6g7h8i9j0KLMN»"],
        leaves: &["hvs.short", "the hvs. And more"],
    },
    Examples {
        rule: Rule::TerraformToken,
        takes: &[
            "«AbCdEfGhIj0123¦.atlasv1.A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v2W3x4Y5z6A7b8C9d0»",
        ],
        leaves: &["x.atlasv1.y", "AbCdEfGhIj0123.atlasv1.short"],
    },
    Examples {
        rule: Rule::DockerToken,
        takes: &["docker login -u ada, «dckr¦_pat_A1b2C3d4E5f6G7h8I9j0K1l2M3n»"],
        leaves: &["dckr_pat_", "dckr_pat_short"],
    },
    Examples {
        rule: Rule::DopplerToken,
        takes: &["«dp¦.pt.A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v2»"],
        leaves: &["dp.pt.short", "adp.st.x"],
    },
    Examples {
        rule: Rule::SupabaseKey,
        takes: &[
            "«sbp¦_0123456789abcdef0123456789abcdef01234567»",
            "«sb_secret¦_A1b2C3d4E5f6G7h8I9j0K1_l2M3n4O5»",
        ],
        leaves: &["sb_secret_", "sb_publishable_A1b2C3d4E5f6G7h8I9j0K1"],
    },
    Examples {
        rule: Rule::PlanetscaleToken,
        takes: &["«pscale¦_tkn_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0U1v»"],
        leaves: &["pscale_tkn_", "pscale_database_of_the_year"],
    },
];
