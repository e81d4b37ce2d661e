//! Keys of model providers and of what people build around models.

use super::Examples;
use super::forms::Check::{Ends, Mixed};
use super::forms::Part::{Maybe, Run};
use super::forms::{ENDLESS, Form};
use super::letters::{ALPHANUMERIC, BASE64_URL, HEX, WORD};
use crate::rule::Rule;

pub(super) const FORMS: &[Form] = &[
    Form::new(Rule::AnthropicKey, "sk-ant-", &[Run(BASE64_URL, 10, ENDLESS)]),
    Form::new(Rule::OpenaiKey, "sk-", &[Run(BASE64_URL, 16, ENDLESS)]).checked(Mixed),
    Form::new(Rule::HuggingfaceToken, "hf_", &[Run(ALPHANUMERIC, 30, ENDLESS)]),
    Form::new(Rule::HuggingfaceToken, "api_org_", &[Run(ALPHANUMERIC, 30, ENDLESS)]),
    service("gsk_", &[Run(ALPHANUMERIC, 20, ENDLESS)]),
    service("xai-", &[Run(BASE64_URL, 20, ENDLESS)]).checked(Mixed),
    service("pplx-", &[Run(BASE64_URL, 20, ENDLESS)]).checked(Mixed),
    service("nvapi-", &[Run(BASE64_URL, 20, ENDLESS)]).checked(Mixed),
    service("tvly-", &[Maybe("dev-"), Run(BASE64_URL, 20, ENDLESS)]).checked(Mixed),
    service("r8_", &[Run(ALPHANUMERIC, 30, ENDLESS)]),
    service("lsv2_pt_", &[Run(WORD, 20, ENDLESS)]),
    service("lsv2_sk_", &[Run(WORD, 20, ENDLESS)]),
    service("ls__", &[Run(HEX, 32, 32)]).checked(Ends),
    service("pcsk_", &[Run(WORD, 40, ENDLESS)]),
    service("tgp_v1_", &[Run(BASE64_URL, 30, ENDLESS)]),
    service("fw_", &[Run(ALPHANUMERIC, 22, 30)]).checked(Mixed),
    service("wandb_v1_", &[Run(WORD, 40, ENDLESS)]),
    service("sk_", &[Run(HEX, 48, 48)]).checked(Ends),
    service("csk-", &[Run(ALPHANUMERIC, 40, ENDLESS)]),
    service("jina_", &[Run(BASE64_URL, 40, ENDLESS)]).checked(Mixed),
    service("fc-", &[Run(HEX, 32, 32)]).checked(Ends),
    service("llx-", &[Run(BASE64_URL, 40, ENDLESS)]).checked(Mixed),
    service("e2b_", &[Run(HEX, 40, ENDLESS)]),
];

const fn service(prefix: &'static str, parts: &'static [super::forms::Part]) -> Form {
    Form::new(Rule::ServiceKey, prefix, parts)
}

pub(super) const EXAMPLES: &[Examples] = &[
    Examples {
        rule: Rule::AnthropicKey,
        takes: &[
            "«sk¦-ant-api03-AbCdEfGhIj_0123456789-xyz»",
            "with «sk¦-ant-admin01-0123456789abcdef» and",
            "(«sk¦-ant-oat01-abcdefghijklmnop»).",
        ],
        leaves: &["sk-ant-", "task-ant-api03-0123456789abcdef", "sk-ant-api03"],
    },
    Examples {
        rule: Rule::OpenaiKey,
        takes: &[
            "«sk¦-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV»",
            "used «sk¦-proj-Ab3dEf6hIj9kLmN0pQrS_tUvW-xYz1234567890» today",
            "«sk¦-lf-550e8400-e29b-41d4-a716-446655440000».",
        ],
        leaves: &["sk-fading-circle-delayed", "sk-learn-contrib-extras", "the sk-SK locale"],
    },
    Examples {
        rule: Rule::HuggingfaceToken,
        takes: &[
            "HF: «hf¦_aBcDeFgHiJkLmNoPqRsTuVwXyZ01234567»",
            "«api_org¦_aBcDeFgHiJkLmNoPqRsTuVwXyZ01234567»",
        ],
        leaves: &["hf_hub_download", "hf_transfer=1", "shelf_0123456789abcdefghijABCDEFGHIJ01"],
    },
    Examples {
        rule: Rule::ServiceKey,
        takes: &[
            "«gsk¦_A1b2C3d4E5f6G7h8I9j0K1l2»",
            "«xai¦-A1b2C3d4E5f6G7h8I9j0K1l2M3n4» works",
            "«r8¦_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S»",
            "«lsv2¦_pt_0123456789abcdef0123456789abcdef_0123456789»",
            "login «tskey¦-auth-kA1b2C3d4CNTRL-E5f6G7h8I9j0K1l2»",
        ],
        leaves: &[
            "fw_update_everything",
            "xai-explainability-toolkit-docs",
            "sk_learn_pipeline_step_number_one_of_two_and_more",
            "fc-cache --force",
        ],
    },
];
