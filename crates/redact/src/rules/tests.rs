//! What each rule takes and what it leaves. The made-up keys are broken by `¦`, which is taken out
//! at run time: otherwise scanners of repositories would report them.

use crate::policy::{Action, Policy, Preset};
use crate::redactor::Redactor;
use crate::rule::Rule;
use crate::scan::{self, Families};
use crate::text::Use;

fn redactor() -> Redactor {
    Redactor::new(&Policy::preset(Preset::Strict), [7; 32]).unwrap()
}

/// Every text must lose what stands between `«` and `»`, by this rule, and nothing else.
fn takes(rule: Rule, texts: &[&str]) {
    assert!(texts.len() >= 10, "{rule:?}: {}", texts.len());
    let redactor = redactor();
    for marked in texts {
        let marked = marked.replace('¦', "");
        let (before, rest) = marked.split_once('«').unwrap();
        let (secret, after) = rest.split_once('»').unwrap();
        let text = format!("{before}{secret}{after}");
        let redone = redactor.redact_plain(&text, Use::Value);
        let redone = redone.unwrap_or_else(|| panic!("{rule:?} missed {text}"));
        assert_eq!(redone.text, format!("{before}{}{after}", rule.mask()), "{text}");
        assert_eq!(redone.by, [(rule, Action::Mask)], "{text}");
        // The fast road has to send raw JSON text the same way.
        let raw = serde_json::Value::from(text.as_str()).to_string();
        assert!(!scan::is_clean(raw.as_bytes(), Families::ALL), "{raw}");
    }
}

/// No text may lose anything by the default policy, not even when every family is asked.
fn leaves(rule: Rule, texts: &[&str]) {
    assert!(texts.len() >= 10, "{rule:?}: {}", texts.len());
    let redactor = Redactor::new(&Policy::default(), [7; 32]).unwrap();
    for text in texts {
        let text = &text.replace('¦', "");
        let redone = redactor.redact_plain(text, Use::Value).map(|redone| redone.text);
        assert_eq!(redone, None, "{rule:?} took from {text}");
        let families = Families::ALL.without(Families::PERSONAL);
        assert_eq!(redactor.rules.find(families, text, ""), [], "{rule:?} took from {text}");
    }
}

const LOOK_ALIKES: &[&str] = &[
    "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    "550e8400-e29b-41d4-a716-446655440000",
    "ISBN 978-3-16-148410-0",
    "order 1000234500067891",
    "1767225600123456789",
    "2026-11-20T16:06:56.692536Z",
    "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
    "sketch-book for task-0000012, risk-averse desk-top",
    "@decorator def f(x): return x",
    "key points: first, second",
    "the key: value pairs of a token: next",
    "max_tokens=1024 tokens: 12",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "prompt_tokens: 1234, total_tokens=5678",
    "a Bearer of bad news; basic understanding",
    "primary_key=user_id_1 sort_key=name_2",
    "keyword=abc-123 monkey=banana-1",
    "std::collections::HashMap<String, u64>",
    "https://example.com:8080/path?query=a@b#frag",
    "x = sorted(items, key=lambda item: item.name)",
];

#[test]
fn ordinary_text_is_left_alone_by_all_rules() {
    leaves(Rule::Assignment, LOOK_ALIKES);
}

#[test]
fn model_keys() {
    takes(
        Rule::OpenaiKey,
        &[
            "«sk¦-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV»",
            "used «sk¦-proj-Ab3dEf6hIj9kLmN0pQrS_tUvW-xYz1234567890» today",
            "(«sk¦-1234567890abcdef1234567890abcdef»)",
            "\n«sk¦-svcacct-A1b2C3d4E5f6G7h8I9j0»\n",
            "<«sk¦-or-v1-0123456789abcdef0123456789abcdef»>",
            "«sk¦-lf-550e8400-e29b-41d4-a716-446655440000».",
            "'«sk¦-T3BlbkFJabcdefghijklmnop1»'",
            "x,«sk¦-None-A1b2C3d4E5f6G7h8I9j0K»,y",
            "é«sk¦-admin-0a1b2c3d4e5f6a7b8c9d»",
            "[«sk¦-abcdefghijklmnopqrst»]",
        ],
    );
    leaves(
        Rule::OpenaiKey,
        &[
            "task-0123456789abcdef0123",
            "risk-1234567890abcdef1234567890",
            "sk-fading-circle-delayed",
            "sk-learn-contrib-extras",
            "sk-1234",
            "sk-",
            "sk-this-is-a-long-name-of-a-class",
            "disk-0a1b2c3d4e5f6a7b8c9d",
            "SK-0a1b2c3d4e5f6a7b8c9d",
            "the sk-SK locale",
        ],
    );
    takes(
        Rule::AnthropicKey,
        &[
            "«sk¦-ant-api03-AbCdEfGhIj_0123456789-xyz»",
            "with «sk¦-ant-admin01-0123456789abcdef»",
            "«sk¦-ant-sid01-abcdefghijklmnop».",
            "«sk¦-ant-oat01-abcdefghijklmnop»\n",
            "\"«sk¦-ant-api03-0123456789»\"",
            "(«sk¦-ant-abcdefghij»)",
            "`«sk¦-ant-api03-a_b_c_d_e_f_g»`",
            "→«sk¦-ant-api03-aaaaaaaaaaaaaaaaaaaa»←",
            "«sk¦-ant-api03-AAAAAAAAAAAAAAAA»;",
            "{«sk¦-ant-0000000000»}",
        ],
    );
}

#[test]
fn cloud_keys() {
    takes(
        Rule::AwsAccessKey,
        &[
            "«AKIA¦IOSFODNN7EXAMPLE»",
            "id «ASIA¦IOSFODNN7EXAMPLE» used",
            "(«AKIA¦0123456789ABCDEF»)",
            "\"«AKIA¦ZZZZZZZZZZZZZZZZ»\"",
            "aws:«AKIA¦IOSFODNN7EXAMPL2»",
            "«AKIA¦IOSFODNN7EXAMPLE».",
            "\t«ASIA¦0123456789ABCDEF»\t",
            "é«AKIA¦0123456789ABCDEF»é",
            "/«AKIA¦0123456789ABCDEF»/20260101/us-east-1",
            "«AKIA¦0123456789ABCDEF»,rest",
        ],
    );
    takes(
        Rule::GoogleKey,
        &[
            "«AIza¦SyA0123456789abcdefghijklmnopqrstuv»",
            "?q=1 «AIza¦SyB-_0123456789abcdefghijklmnopqrst»",
            "(«AIza¦SyC0123456789abcdefghijklmnopqrstuv»)",
            "\"«AIza¦SyD0123456789abcdefghijklmnopqrstuv»\"",
            "«GOCSPX¦-0123456789abcdefghij»",
            "use «GOCSPX¦-abcdefghijklmnopqrst_-12»",
            "«AIza¦SyE0123456789abcdefghijklmnopqrstuv»,",
            "\n«AIza¦SyF0123456789abcdefghijklmnopqrstuv»",
            "'«GOCSPX¦-ABCDEFGHIJKLMNOPQRSTUV»'",
            "ü«AIza¦SyG0123456789abcdefghijklmnopqrstuv»",
        ],
    );
    leaves(
        Rule::AwsAccessKey,
        &[
            "AKIA is a prefix",
            "AKIAIOSFODNN7",
            "XAKIAIOSFODNN7EXAMPLE",
            "AKIAIOSFODNN7EXAMPLES",
            "AKIAiosfodnn7example",
            "ASIA PACIFIC REGION",
            "ASIA-PACIFIC-REGION1",
            "AIza",
            "AIzaShort",
            "xAIzaSyA0123456789abcdefghijklmnopqrstuv",
            "SLOVAKIA0123456789ABCDEF",
        ],
    );
}

#[test]
fn the_secret_beside_an_access_key_id_goes_with_it() {
    let text =
        "AKIA¦IOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY end".replace('¦', "");
    let redone = redactor().redact_plain(&text, Use::Value).unwrap().text;
    assert_eq!(redone, "[redacted:aws_access_key] [redacted:aws_secret_key] end");
}

/// What the examples of a rule promise, they keep: in text, and on the fast road too.
#[test]
fn every_rule_takes_its_examples_and_leaves_its_look_alikes() {
    let redactor = redactor();
    let mut broken = Vec::new();
    for examples in super::examples() {
        for marked in examples.takes {
            let marked = marked.replace('¦', "");
            let (before, rest) = marked.split_once('«').unwrap();
            let (secret, after) = rest.split_once('»').unwrap();
            let text = format!("{before}{secret}{after}");
            let redone = redactor.redact_plain(&text, Use::Value).map(|redone| redone.text);
            let expected = format!("{before}{}{after}", examples.rule.mask());
            if redone.as_ref() != Some(&expected) {
                broken.push(format!("{text}: {redone:?} instead of {expected}"));
            }
            let raw = serde_json::Value::from(text.as_str()).to_string();
            if redactor.families(&raw).is_empty() {
                broken.push(format!("the fast road misses {raw}"));
            }
        }
        for text in examples.leaves {
            let found = redactor.rules.find(Families::ALL, text, "");
            if let Some(redone) = redactor.redact_plain(text, Use::Value) {
                broken.push(format!("{text} became {}", redone.text));
            } else if !found.is_empty() {
                broken.push(format!("{text}: {found:?}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_rule_that_finds_something_in_text_has_examples() {
    let known: Vec<Rule> = super::examples().map(|examples| examples.rule).collect();
    for rule in Rule::ALL {
        let by_place = matches!(rule, Rule::SensitiveMember | Rule::Field);
        assert_eq!(
            known.iter().filter(|one| *one == rule).count(),
            usize::from(!by_place),
            "{rule:?}"
        );
    }
}

#[test]
fn every_prefix_works_inside_any_quotes_and_not_inside_words() {
    const BODY: &str = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8";
    for prefix in [
        "gh¦p_",
        "gh¦o_",
        "gh¦s_",
        "gh¦u_",
        "gh¦r_",
        "github¦_pat_",
        "glpat¦-",
        "glrt¦-",
        "xox¦b-",
        "xox¦p-",
        "xapp¦-",
        "sk¦_live_",
        "rk¦_live_",
        "whsec¦_",
        "hf¦_",
        "npm¦_",
        "pypi¦-",
        "gsk¦_",
        "xai¦-",
        "pplx¦-",
        "nvapi¦-",
        "r8¦_",
        "lsv2¦_pt_",
        "SG¦.0123456789abcdefghij.",
        "hvs¦.",
        "dckr¦_pat_",
        "shpat¦_",
        "sq0atp¦-",
        "lin¦_api_",
    ] {
        for (before, after) in [
            ("", ""),
            ("a ", " b"),
            ("(", ")"),
            ("\"", "\""),
            ("'", "'"),
            ("\n", "\n"),
            ("é", "é"),
            (",", ","),
            ("<", ">"),
            ("|", "|"),
        ] {
            let text = format!("{before}{prefix}{BODY}{after}").replace('¦', "");
            let redone = redactor().redact_plain(&text, Use::Value);
            let redone = redone.unwrap_or_else(|| panic!("missed {text}")).text;
            assert!(redone.starts_with(before) && redone.ends_with(after), "{redone}");
            assert!(redone.contains("[redacted:") && !redone.contains(BODY), "{redone}");
        }
        for lead in ["x", "7", "Q"] {
            let inside = format!("{lead}{prefix}{BODY}").replace('¦', "");
            assert_eq!(redactor().rules.find(Families::ALL, &inside, ""), [], "{inside}");
        }
    }
}

#[test]
fn json_web_tokens() {
    takes(
        Rule::Jwt,
        &[
            "«eyJ¦hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N»",
            "jwt «eyJ¦hbGciOiJub25lIn0.eyJzdWIiOiIxIn0abc.» end",
            "(«eyJ¦hbGciOiJub25lIn0.eyJzdWIiOiIxIn0abc»)",
            "\"«eyJ¦0eXAiOiJKV1Qi.eyJhIjoxMjM0NX0.sig»\"",
            "\n«eyJ¦0eXAiOiJKV1Qi.eyJhIjoxMjM0NX0.sig»\n",
            "«eyJ¦lbmMiOiJBMjU2.UGhIOguC7Iu.48V1_ALb6U.5eym8TW.XFBoMYUZ»",
            "?x#«eyJ¦0eXAiOiJKV1Qi.eyJhIjoxMjM0NX0.sig»&y",
            "é«eyJ¦0eXAiOiJKV1Qi.eyJhIjoxMjM0NX0.sig»é",
            "/«eyJ¦0eXAiOiJKV1Qi.eyJhIjoxMjM0NX0.s_-g»/",
            "<«eyJ¦0eXAiOiJKV1Qi.eyJhIjoxMjM0NX0.sig»>",
        ],
    );
    leaves(
        Rule::Jwt,
        &[
            "eyJpZCI6MTIzfQ==",
            "eyJ",
            "eyJhbGciOiJIUzI1NiJ9",
            "keyJumping.overTheLazyDog.again",
            "eyJabc.def.ghi",
            "heyJude.dontmakeitbad.takeasadsong",
            "eyJust.looking.around",
            "eYJhbGciOiJIUzI1NiJ9.eYJzdWIiOiIxMjM0.abc",
            "obeyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0.abc",
            "a.b.c eyJ eyJ.eyJ",
        ],
    );
}

#[test]
fn authorization_values() {
    takes(
        Rule::Authorization,
        &[
            "Bearer «abc123def456»",
            "bearer «0123456789»",
            "Authorization: Bearer «whatever»",
            "authorization=Basic «dXNlcjpwYXNz»",
            "Basic «dXNlcjpwYXNzd29yZA==»",
            "Proxy-Authorization: Digest «realm=x, nonce=0123abcd»",
            "{'Authorization': 'Token «9944b09199c62bcf9418»'}",
            "curl -H 'Authorization: Bearer «$ecret-token»' https://example.com",
            "\"authorization\": \"ApiKey «VnVhQ2ZHY0JDZGJr»\"",
            "Authorization: «a1b2c3d4e5f6»",
            "BEARER «aaaaaaaaaaaaaaaaaaaaaaaaaaaa»",
            "Authorization: AWS4-HMAC-SHA256 «Credential=x/20260101/us-east-1, Signature=abc»",
        ],
    );
    leaves(
        Rule::Authorization,
        &[
            "Bearer authentication is used",
            "a bearer token",
            "Basic structure of a cell",
            "basic functionality",
            "basic training for dogs",
            "Authorization: required",
            "authorization: none",
            "the authorization = granted",
            "bearer bonds",
            "Bearers 0123456789abc",
        ],
    );
}

#[test]
fn session_cookies() {
    takes(
        Rule::SessionCookie,
        &[
            "Cookie: «a=b; c=d»",
            "Set-Cookie: «id=a3fWa; Expires=Thu; Secure»",
            "cookie: «theme=dark»\nHost: x",
            "\"Cookie\": \"«a=b»\"",
            "{'Set-Cookie': '«a=b; Path=/»'}",
            "JSESSIONID=«1A530637289A03B0»",
            "x; PHPSESSID=«298zf09hf012fh2»; y",
            "sessionid=«38afes7a8f9d8»",
            "connect.sid=«s%3Aabcdef12345678»",
            "ASP.NET_SessionId=«a1b2c3d4e5f6»",
        ],
    );
    leaves(
        Rule::SessionCookie,
        &[
            "cookie: chocolate",
            "Cookies: none were set",
            "the cookie = sweet",
            "session_id=sess-00012",
            "sessionid=none",
            "cookie jar: full",
            "fortune cookie: you will win",
            "sid=12",
            "session: 38afes7a8f9d8",
            "set-cookie",
        ],
    );
}

#[test]
fn private_key_blocks() {
    let begin = "-----BEGIN¦ RSA PRIVATE KEY-----";
    let end = "-----END¦ RSA PRIVATE KEY-----";
    let texts = [
        format!("«{begin}\nMIIEpAIBAAKC\nAQEA\n{end}»"),
        format!("a «{begin}\\nMIIEpAIBAAKC\\n{end}» b"),
        format!("«{begin}MIIEpAIBAAKC{end}»"),
        format!("cut: «{begin}\nMIIEpAIBAAKC»"),
        format!("«{begin}»"),
        "«-----BEGIN¦ PRIVATE KEY-----\nMC4CAQ\n-----END¦ PRIVATE KEY-----»".into(),
        "«-----BEGIN¦ EC PRIVATE KEY-----\nMC4CAQ\n-----END¦ EC PRIVATE KEY-----»".into(),
        "«-----BEGIN¦ OPENSSH PRIVATE KEY-----\nb3BlbnN\n-----END¦ OPENSSH PRIVATE KEY-----»\n"
            .into(),
        "«-----BEGIN¦ PGP PRIVATE KEY BLOCK-----\n\nxVg=\n-----END¦ PGP PRIVATE KEY BLOCK-----»"
            .into(),
        "«-----BEGIN¦ ENCRYPTED PRIVATE KEY-----\nMC4CAQ\n-----END¦ ENCRYPTED PRIVATE KEY-----»"
            .into(),
        format!("tail: «MIIEpAIBAAKC\n{end}»"),
        format!("«{begin}\nProc-Type: 4,ENCRYPTED\n\nMIIE\n{end}» and more"),
    ];
    takes(Rule::PrivateKey, &texts.each_ref().map(String::as_str));
    leaves(
        Rule::PrivateKey,
        &[
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
            "-----BEGIN PGP MESSAGE-----",
            "----- BEGIN PRIVATE KEY -----",
            "-----BEGIN private key-----",
            "a private key block",
            "| --- | --- |\n|-----|-----|",
            "-----------------",
            "--BEGIN PRIVATE KEY--",
            "-----BEGIN SSH SIGNATURE-----",
        ],
    );
}

#[test]
fn passwords_in_urls() {
    takes(
        Rule::UrlPassword,
        &[
            "postgres://user:«hunter2»@db.example.com:5432/app",
            "redis://:«hunter2»@cache:6379/0",
            "amqp://guest:«guest»@mq/vhost",
            "https://u:«p%40ss»@example.com/x",
            "https://u:«p@ss»@example.com/x",
            "mongodb+srv://u:«pässword»@cluster0.example.net",
            "see ftp://u:«x»@h.",
            "https:\\/\\/u:«hunter2»@example.com",
            "(mysql://root:«toor»@localhost)",
            "jdbc:mysql://a.b:«c:d»@host/db",
        ],
    );
    leaves(
        Rule::UrlPassword,
        &[
            "https://example.com:8080/a@b",
            "https://example.com/user:name@host",
            "http://[::1]:8080/",
            "https://medium.com:443/@author",
            "user:name",
            "ratio 3://4",
            "https://example.com?x=a:b@c",
            "git@github.com:owner/repo.git",
            "redis://cache:6379/0",
            "https://example.com#a:b@c",
        ],
    );
}

#[test]
fn addresses() {
    takes(
        Rule::Email,
        &[
            "«ada@example.com»",
            "write to «ada.lovelace+x@mail.example.co.uk».",
            "<«a@b.co»>",
            "mailto:«a_b-c@example.org»",
            "q=«ada%40example.com»&x",
            "«müller@example.de»",
            "«user@bücher.example»",
            "\n«ADA@EXAMPLE.COM»\n",
            "to:«ada@x-y.example»;",
            "«o'brien@example.ie»,",
        ],
    );
    leaves(
        Rule::Email,
        &[
            "@decorator",
            "user@localhost",
            "icon@2x.png",
            "lodash@4.17.21",
            "react@18.2.0",
            "git@github.com:owner/repo.git",
            "a @ b.com",
            "@scope/package",
            "1@2.3",
            "price @5.00 each",
            "x@y",
        ],
    );
}

#[test]
fn card_numbers() {
    takes(
        Rule::CardNumber,
        &[
            "«4111111111111111»",
            "paid with «4111 1111 1111 1111» today",
            "«4111-1111-1111-1111».",
            "«378282246310005»",
            "«3782 822463 10005»",
            "«5555555555554444»,",
            "\n«6011111111111117»\n",
            "«30569309025904»",
            "«3530111333300000»",
            "v1 «4242 4242 4242 4242» 123 12/27",
            "«2223003122003222»",
            "card:«4222222222222»",
            "on 2026-11-20 «5105 1051 0510 5100»",
        ],
    );
    leaves(
        Rule::CardNumber,
        &[
            "4111111111111112",
            "ISBN 978-3-16-148410-0",
            "9783161484100",
            "1767225600123456",
            "41111111111111111111",
            "a4111111111111111",
            "4111111111111111f",
            "0.4111111111111111",
            "41111111-1111-1111-1111-111111111111",
            "550e8400-4111-1111-1111-111100000000",
            "+49 170 1234567 890",
            "20261120160656",
            "0000000000000000",
            "41 11 11 11 11 11 11 11",
        ],
    );
}

#[test]
fn assignments() {
    takes(
        Rule::Assignment,
        &[
            "provider 503 key=«sk-secret»",
            "password=«hunter2»",
            "DB_PASSWORD=«correct-horse»",
            "\"password\": \"«correct horse battery»\", \"user\": 1",
            "api_key: '«abcdef»'",
            "{\\\"client_secret\\\": \\\"«shhh shhh»\\\"}",
            "**API key:** «abc-def-123»",
            "--token=«a1b2c3d4»",
            "https://x.example/?api_key=«abcdef»&q=1",
            "my secret := «tell-nobody»;",
            "export GH_TOKEN=«abc_def»",
            "passwd => «hunter2»",
            "token: «a8f3k2m9x1»",
            "\tpassword\t=\t«tabbed»",
            "apiKey==«abcdef12»",
            "password = \"«pa\\\"ss»\"",
        ],
    );
    takes(
        Rule::AzureKey,
        &[
            "AccountKey=«abcDEF123+/==»",
            "AccountName=x;AccountKey=«abcDEF123+/==»;EndpointSuffix=y",
            "SharedAccessKey=«abcDEF123+/=»",
            "sharedaccesskey=«abcDEF123»",
            "Endpoint=sb://x/;SharedAccessKey=«abcDEF123+/=»",
            "accountkey: «abcDEF123»",
            "?sv=2024&sig=«abcdefghijklmnopqrstuvwxyz%2F0123456789%3D»&se=x",
            "\"AccountKey\":\"«abcDEF123»\"",
            "SharedAccessKey = «abcDEF123»",
            "&sig=«0123456789012345678901234567890123456789»",
        ],
    );
    leaves(
        Rule::Assignment,
        &[
            "password: None",
            "password: (none)",
            "api_key=YOUR_API_KEY",
            "der Wert „api_key=YOUR_API_KEY“ fehlt",
            "password = Column(String(167), nullable=False)",
            "token: !secret api_token",
            "api_key = settings.API_KEY",
            "if token == Token.Open {",
            "api_key=os.environ[\"API_KEY\"]",
            "password = getpass()",
            "password=$DB_PASSWORD",
            "token=${TOKEN}",
            "secret: <your secret>",
            "password: str",
            "key=value",
            "key: value",
            "Key: 42",
            "token=12345",
            "password: ********",
            "if token == 7: pass",
            "PWD=/srv/agent/work",
            "sig=short",
            "passwords are bad: use keys",
            "session: abc-123-def",
            "cache key: user",
        ],
    );
}

#[test]
fn a_name_and_its_value_in_two_members() {
    takes(
        Rule::Assignment,
        &[
            "env \"name\":\"db_password\",\"value\":\"«hunter2value»\"",
            "at {\"name\": \"API_KEY\", \"value\": \"«two words»\"}, {\"name\": \"x\"",
            "{\\\"key\\\":\\\"db_password\\\",\\\"value\\\":\\\"«hunter2»\\\"} logged",
            "[{'Name': 'db_password', 'Type': 'SecureString', 'Value': '«hunter2»'}] returned",
            "{\n  \"name\": \"GH_TOKEN\",\n  \"value\": \"«a8f3k2m9x1»\"\n}, done",
            "env:\n  - name: DB_PASSWORD\n    value: «hunter2»\n  - name: DB_USER\n    value: ada",
            "- name: \"DB_PASSWORD\"\n  value: \"«hunter2»\"",
            "<add key=\"DbPassword\" value=\"«hunter2»\" />",
            "<input name='password' type='password' value='«hunter2»'>",
            "set name=DB_PASSWORD value=«hunter2» done",
            "{\"variable_type\":\"env_var\",\"key\":\"DB_PASSWORD\",\"value\":\"«hunter2»\",\"masked\"",
            "\"key\":\"db.password\",\"value\":{\"stringValue\":\"«hunter2»\"}}",
            "{\"ParameterKey\":\"DbPassword\",\"ParameterValue\":\"«hunter2»\"},",
            "{\"header\":\"X-Api-Key\",\"value\":\"«hunter2»\"},",
        ],
    );
    leaves(
        Rule::Assignment,
        &[
            "{\"name\":\"color\",\"value\":\"hunter2\"},",
            "{\"name\":\"password\"},{\"value\":\"hunter2\"},",
            "{\"name\":\"password\",\"value\":\"\"},",
            "{\"name\":\"password\",\"value\":null},",
            "{\"name\":\"password\",\"type\":\"password\",\"required\":true},",
            "{\"name\":\"token\",\"value\":\"the\"},",
            "{\"name\":\"max_tokens\",\"value\":\"1024abcd\"},",
            "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: app",
            "- name: DB_PASSWORD\n- value: hunter2",
            "- name: DB_PASSWORD\n  value: $(DB_PASSWORD)",
            "<input name=\"password\" type=\"password\"> <input value=\"hunter2\">",
            "filename: password values: hunter2",
            "the name: password, whatever its value",
        ],
    );
}
