//! Tokens of forges, registries and of what builds and watches programs.

use super::Examples;
use super::forms::Check::{Ends, Mixed, Sum};
use super::forms::Part::{Run, Text};
use super::forms::{Check, ENDLESS, Form, Part};
use super::letters::{
    ALPHANUMERIC, ANY_HEX, BASE64, BASE64_URL, DOT, EQUALS, HEX, UPPER_DIGIT, WORD,
};
use crate::rule::Rule;

pub(super) const FORMS: &[Form] = &[
    github("ghp_"),
    github("gho_"),
    github("ghu_"),
    github("ghs_"),
    github("ghr_"),
    Form::new(Rule::GithubToken, "github_pat_", &[Run(WORD, 20, ENDLESS)]),
    gitlab("glpat-"),
    gitlab("gldt-"),
    gitlab("glrt-"),
    gitlab("glptt-"),
    gitlab("glcbt-"),
    gitlab("glsoat-"),
    gitlab("glft-"),
    gitlab("glimt-"),
    gitlab("glagent-"),
    gitlab("glffct-"),
    Form::new(Rule::AtlassianToken, "ATATT3", &[Run(BASE64_URL | EQUALS, 30, ENDLESS)]),
    Form::new(Rule::AtlassianToken, "ATCTT3", &[Run(BASE64_URL | EQUALS, 30, ENDLESS)]),
    Form::new(Rule::AtlassianToken, "ATBB", &[Run(ALPHANUMERIC, 32, 32)]).checked(Ends),
    Form::new(Rule::NpmToken, "npm_", &[Run(ALPHANUMERIC, 30, ENDLESS)]).checked(Sum),
    Form::new(Rule::PypiToken, "pypi-", &[Run(BASE64_URL, 32, ENDLESS)]),
    Form::new(Rule::RubygemsKey, "rubygems_", &[Run(HEX, 48, ENDLESS)]),
    Form::new(
        Rule::GrafanaToken,
        "glsa_",
        &[Run(ALPHANUMERIC, 32, 32), Text("_"), Run(ANY_HEX, 8, 8)],
    ),
    Form::new(Rule::GrafanaToken, "glc_", &[Run(BASE64, 32, ENDLESS)]),
    Form::new(Rule::DatadogKey, "ddapp_", &[Run(ALPHANUMERIC, 30, ENDLESS)]),
    Form::new(Rule::DatadogKey, "ddpat_", &[Run(WORD, 30, ENDLESS)]),
    Form::new(Rule::NewrelicKey, "NRAK-", &[Run(UPPER_DIGIT, 20, ENDLESS)]),
    Form::new(Rule::NewrelicKey, "NRII-", &[Run(BASE64_URL, 19, ENDLESS)]),
    Form::new(Rule::NewrelicKey, "NRIQ-", &[Run(BASE64_URL, 19, ENDLESS)]),
    Form::new(Rule::NewrelicKey, "NRJS-", &[Run(BASE64_URL, 19, ENDLESS)]),
    Form::new(Rule::PostmanKey, "PMAK-", &[Run(HEX, 24, 24), Text("-"), Run(HEX, 34, ENDLESS)]),
    Form::new(Rule::LinearKey, "lin_api_", &[Run(ALPHANUMERIC, 32, ENDLESS)]),
    Form::new(Rule::LinearKey, "lin_oauth_", &[Run(ALPHANUMERIC, 32, ENDLESS)]),
    Form::new(Rule::FigmaToken, "figd_", &[Run(BASE64_URL, 38, ENDLESS)]),
    Form::new(Rule::FigmaToken, "figo_", &[Run(BASE64_URL, 38, ENDLESS)]),
    Form::new(Rule::FigmaToken, "figu_", &[Run(BASE64_URL, 38, ENDLESS)]),
    service("sqp_", &[Run(HEX, 40, 40)], Ends),
    service("squ_", &[Run(HEX, 40, 40)], Ends),
    service("sqa_", &[Run(HEX, 40, 40)], Ends),
    service("CCIPAT_", &[Run(ALPHANUMERIC, 20, 24), Text("_"), Run(HEX, 40, 40)], Ends),
    service("bkua_", &[Run(HEX, 40, 40)], Ends),
    service("sntrys_eyJ", &[Run(BASE64, 60, ENDLESS), Text("_"), Run(BASE64, 40, 46)], Check::None),
    service("sntryu_", &[Run(HEX, 64, 64)], Ends),
    service("phx_", &[Run(ALPHANUMERIC, 40, ENDLESS)], Mixed),
    service(
        "sdk-",
        &[
            Run(HEX, 8, 8),
            Text("-"),
            Run(HEX, 4, 4),
            Text("-"),
            Run(HEX, 4, 4),
            Text("-"),
            Run(HEX, 4, 4),
            Text("-"),
            Run(HEX, 12, 12),
        ],
        Ends,
    ),
    service("hcaik_", &[Run(ALPHANUMERIC, 58, ENDLESS)], Check::None),
    service("oy2", &[Run(ALPHANUMERIC, 43, 43)], Ends),
    service("cio", &[Run(ALPHANUMERIC, 32, 32)], Ends),
    service("CLOJARS_", &[Run(HEX, 60, 60)], Ends),
];

const fn github(prefix: &'static str) -> Form {
    Form::new(Rule::GithubToken, prefix, &[Run(ALPHANUMERIC, 30, ENDLESS)]).checked(Sum)
}

const fn gitlab(prefix: &'static str) -> Form {
    Form::new(Rule::GitlabToken, prefix, &[Run(BASE64_URL | DOT, 16, ENDLESS)])
}

const fn service(prefix: &'static str, parts: &'static [Part], check: Check) -> Form {
    Form::new(Rule::ServiceKey, prefix, parts).checked(check)
}

pub(super) const EXAMPLES: &[Examples] = &[
    Examples {
        rule: Rule::GithubToken,
        takes: &[
            "«ghp¦_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17»",
            "one letter wrong: «ghp¦_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18»",
            "«github¦_pat_11AAAAAAA0A1b2C3d4E5f6_G7h8I9j0K1l2M3n4O5»",
        ],
        leaves: &[
            "ghp_0123456789abcdefghijABCDEFGHIJ012345",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "ghp_short",
            "x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",
        ],
    },
    Examples {
        rule: Rule::GitlabToken,
        takes: &["«glpat¦-A1b2C3d4E5f6G7h8I9j0»", "«glrt¦-t1_A1b2C3d4E5f6G7h8I9j0»"],
        leaves: &["glpat-", "glrt-short", "xglpat-A1b2C3d4E5f6G7h8I9j0"],
    },
    Examples {
        rule: Rule::AtlassianToken,
        takes: &[
            "«ATATT3¦xFfGF0A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0_U1v2=4A5B6C7D»",
            "«ATBB¦A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6»",
        ],
        leaves: &["ATATT3", "ATBB short"],
    },
    Examples {
        rule: Rule::NpmToken,
        takes: &["//registry.example/:«npm¦_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17»"],
        leaves: &["npm_config_registry", "npm_0123456789abcdefghijABCDEFGHIJ012345"],
    },
    Examples {
        rule: Rule::PypiToken,
        takes: &["«pypi¦-AgEIcHlwaS5vcmcCJDAxMjM0NTY3LTg5YWItY2RlZi0wMTIz»"],
        leaves: &["pypi-server", "pypi-attestations-and-more"],
    },
    Examples {
        rule: Rule::RubygemsKey,
        takes: &["«rubygems¦_0123456789abcdef0123456789abcdef0123456789abcdef»"],
        leaves: &["rubygems_version", "rubygems_0123456789abcdef"],
    },
    Examples {
        rule: Rule::GrafanaToken,
        takes: &["«glsa¦_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6_0a1B2c3D»"],
        leaves: &["glsa_short_0a1b2c3d", "glc_short"],
    },
    Examples {
        rule: Rule::DatadogKey,
        takes: &[
            "«ddapp¦_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7»",
            "datadog key «0123¦456789abcdef0123456789abcdef»",
        ],
        leaves: &["ddapp_", "datadog run 0123456789abcdef0123456789abcdef"],
    },
    Examples {
        rule: Rule::NewrelicKey,
        takes: &[
            "«NRAK¦-A1B2C3D4E5F6G7H8I9J0K1L2M3N»",
            "licence «0123¦456789abcdef0123456789abcdef0123NRAL»",
        ],
        leaves: &["NRAK-1", "NRAL", "nral0123456789abcdef"],
    },
    Examples {
        rule: Rule::PostmanKey,
        takes: &["«PMAK¦-0123456789abcdef01234567-0123456789abcdef0123456789abcdef01»"],
        leaves: &["PMAK-0123", "PMAK-0123456789abcdef01234567"],
    },
    Examples {
        rule: Rule::LinearKey,
        takes: &["«lin¦_api_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0»"],
        leaves: &["lin_api_", "lin_api_short"],
    },
    Examples {
        rule: Rule::FigmaToken,
        takes: &["«figd¦_A1b2C3d4-E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0»"],
        leaves: &["figd_", "figd_short"],
    },
];
