//! The built-in rules by name, in order of precedence, and what each is for.
//!
//! Not here: what a rule matches (`rules`, one file per family) and what is then done (`policy`).

/// What a rule looks for, which decides whether a preset switches it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Whoever has it may act as somebody else. On in every preset.
    Secret,
    /// Names one person or account for certain: a check digit, a strict form or a word beside it
    /// says so. On in every preset.
    Identifier,
    /// May name a person, and is what an investigator looks for: on in `strict` and `gdpr`.
    Personal,
    /// Takes what a policy's paths name; without such a path it does nothing.
    Field,
}

impl Group {
    /// The name, as in a policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Identifier => "identifier",
            Self::Personal => "personal",
            Self::Field => "field",
        }
    }
}

/// Declares the rules in order of precedence: where two rules match the same text, the earlier one
/// names the replacement.
macro_rules! rules {
    ($($group:ident $variant:ident = $name:literal $about:literal;)*) => {
        /// One built-in rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $(#[doc = $about] $variant),* }

        impl Rule {
            /// Every rule, in order of precedence.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name, as in a policy, a replacement and a note.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The rule with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// What the rule looks for.
            #[must_use]
            pub fn group(self) -> Group {
                match self { $(Self::$variant => Group::$group),* }
            }

            /// The marker of a value that it took (`marker`).
            pub(crate) fn mask(self) -> &'static str {
                match self { $(Self::$variant => concat!("[redacted:", $name, "]")),* }
            }

            /// What the rule takes, in a sentence for people.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about),* }
            }
        }
    };
}

rules! {
    Secret PrivateKey = "private_key"
        "PEM, OpenSSH and PGP private key blocks, whole or truncated.";
    Secret AgeSecretKey = "age_secret_key" "Keys of `age`: `AGE-SECRET-KEY-1...`.";
    Secret SensitiveMember = "sensitive_member"
        "The value of a JSON member whose name says that it is secret.";
    Secret AnthropicKey = "anthropic_key" "`sk-ant-...`.";
    Secret OpenaiKey = "openai_key"
        "`sk-...`, `sk-proj-...`, and the many services that copied the form.";
    Secret AwsAccessKey = "aws_access_key" "`AKIA...`, `ASIA...`, `ABIA...`, `ACCA...`.";
    Secret AwsSecretKey = "aws_secret_key" "The forty characters beside an access key id.";
    Secret AwsSessionToken = "aws_session_token" "Temporary session tokens of AWS STS.";
    Secret GoogleKey = "google_key" "`AIza...`, `ya29....`, `GOCSPX-...`, `1//0...`.";
    Secret GcpServiceAccount = "gcp_service_account"
        "The `private_key_id` of a Google service account.";
    Secret GithubToken = "github_token"
        "`ghp_...` and its relatives (with their CRC32), `github_pat_...`.";
    Secret GitlabToken = "gitlab_token" "`glpat-...` and its relatives.";
    Secret AtlassianToken = "atlassian_token" "`ATATT3...`, `ATCTT3...`, `ATBB...`.";
    Secret SlackToken = "slack_token" "`xoxb-...` and its relatives, `xapp-...`.";
    Secret SlackWebhook = "slack_webhook" "The secret path of a Slack webhook.";
    Secret DiscordToken = "discord_token" "Tokens of Discord bots and users.";
    Secret DiscordWebhook = "discord_webhook" "The secret end of a Discord webhook.";
    Secret TelegramToken = "telegram_token" "Tokens of Telegram bots: `123456789:AA...`.";
    Secret StripeKey = "stripe_key"
        "`sk_live_...`, `rk_live_...`, the same for `test`, `whsec_...`.";
    Secret SquareToken = "square_token" "`EAAA...`, `sq0atp-...`, `sq0csp-...`.";
    Secret ShopifyToken = "shopify_token" "`shpat_...` and its relatives.";
    Secret TwilioKey = "twilio_key" "`SK` and 32 hexadecimal digits.";
    Secret SendgridKey = "sendgrid_key" "`SG....`.";
    Secret MailgunKey = "mailgun_key" "`key-` and 32 hexadecimal digits; the newer triples.";
    Secret MailchimpKey = "mailchimp_key" "32 hexadecimal digits and a data centre (`-us12`).";
    Secret BrevoKey = "brevo_key" "`xkeysib-...`, `xsmtpsib-...`.";
    Secret HuggingfaceToken = "huggingface_token" "`hf_...`, `api_org_...`.";
    Secret NpmToken = "npm_token" "`npm_...` (with its CRC32).";
    Secret PypiToken = "pypi_token" "`pypi-...`.";
    Secret RubygemsKey = "rubygems_key" "`rubygems_...`.";
    Secret DockerToken = "docker_token" "`dckr_pat_...`, `dckr_oat_...`.";
    Secret DigitaloceanToken = "digitalocean_token" "`dop_v1_...`, `doo_v1_...`, `dor_v1_...`.";
    Secret HerokuKey = "heroku_key" "`HRKU-...`.";
    Secret CloudflareKey = "cloudflare_key" "`v1.0-...` of the origin CA, `cfut_...`, `cfat_...`.";
    Secret DatabricksToken = "databricks_token" "`dapi` and 32 hexadecimal digits.";
    Secret GrafanaToken = "grafana_token" "`glsa_...`, `glc_...`.";
    Secret VaultToken = "vault_token" "`hvs....`, `hvb....`, `hvr....`.";
    Secret TerraformToken = "terraform_token" "`....atlasv1....`.";
    Secret DatadogKey = "datadog_key"
        "`ddapp_...`, `ddpat_...`; 32 or 40 hexadecimal digits beside the name.";
    Secret NewrelicKey = "newrelic_key" "`NRAK-...` and its relatives, `...NRAL`.";
    Secret PostmanKey = "postman_key" "`PMAK-...`.";
    Secret LinearKey = "linear_key" "`lin_api_...`, `lin_oauth_...`.";
    Secret NotionToken = "notion_token" "`ntn_...`, `secret_...`.";
    Secret AirtableToken = "airtable_token" "`pat....` of Airtable.";
    Secret FigmaToken = "figma_token" "`figd_...` and its relatives.";
    Secret SupabaseKey = "supabase_key" "`sbp_...`, `sb_secret_...`.";
    Secret PlanetscaleToken = "planetscale_token" "`pscale_tkn_...` and its relatives.";
    Secret DopplerToken = "doppler_token" "`dp.pt....` and its relatives.";
    Secret AzureAdSecret = "azure_ad_secret" "Client secrets of Entra ID: `...8Q~...`.";
    Secret AzureKey = "azure_key"
        "`AccountKey=`, `SharedAccessKey=`, `sig=` of a shared access signature.";
    Secret ServiceKey = "service_key"
        "Keys of other services, known by their prefix (`gsk_`, `xai-`, `nvapi-`, `tskey-`, ...).";
    Secret ContextKey = "context_key"
        "A bare key beside the name of its provider (Cohere, Mistral, PagerDuty, ...).";
    Secret Jwt = "jwt" "JSON Web Tokens.";
    Secret Authorization = "authorization"
        "Credentials after `Bearer`, `Basic` or `Authorization:`.";
    Secret SessionCookie = "session_cookie" "`Cookie:` headers and session cookies.";
    Secret UrlPassword = "url_password" "The password in `scheme://user:password@host`.";
    Secret ConnectionString = "connection_string"
        "The password in ADO, ODBC and JDBC connection strings.";
    Secret CommandPassword = "command_password"
        "Passwords on command lines: `curl -u`, `--password`, `sshpass -p`, `mysql -p`.";
    Identifier CardNumber = "card_number"
        "Payment card numbers: a known issuer and a right check digit (Luhn).";
    Identifier Iban = "iban" "Bank accounts: the country's length and mod 97.";
    Secret Assignment = "assignment" "`key=...`, `password: ...` and the like.";
    Secret EntropySecret = "entropy_secret"
        "A random-looking word after `token`, `secret`, `password` or `API key`.";
    Identifier Email = "email" "E-mail addresses.";
    Identifier UsSsn = "us_ssn" "Social security numbers of the United States.";
    Identifier UkNino = "uk_nino" "National insurance numbers of the United Kingdom.";
    Identifier UkNhs = "uk_nhs" "NHS numbers, beside their name.";
    Identifier DeTaxId = "de_tax_id" "German tax ids, beside their name.";
    Identifier FrNir = "fr_nir" "French social security numbers.";
    Identifier EsDni = "es_dni" "Spanish DNI and NIE.";
    Identifier ItCodiceFiscale = "it_codice_fiscale" "Italian tax codes.";
    Identifier NlBsn = "nl_bsn" "Dutch citizen service numbers, beside their name.";
    Identifier PlPesel = "pl_pesel" "Polish PESEL numbers, beside their name.";
    Identifier SePersonnummer = "se_personnummer" "Swedish personal identity numbers.";
    Identifier FiHetu = "fi_hetu" "Finnish personal identity codes.";
    Identifier NoFodselsnummer = "no_fodselsnummer"
        "Norwegian national identity numbers, beside their name.";
    Identifier BeNationalNumber = "be_national_number" "Belgian national register numbers.";
    Identifier ChAhv = "ch_ahv" "Swiss social security numbers: `756....`.";
    Identifier BrCpf = "br_cpf" "Brazilian taxpayer numbers of people.";
    Identifier BrCnpj = "br_cnpj" "Brazilian taxpayer numbers of companies.";
    Identifier ArCuil = "ar_cuil" "Argentine CUIL and CUIT.";
    Identifier ClRut = "cl_rut" "Chilean RUT.";
    Identifier InAadhaar = "in_aadhaar" "Indian Aadhaar numbers (Verhoeff).";
    Identifier InPan = "in_pan" "Indian permanent account numbers, beside their name.";
    Identifier CnResidentId = "cn_resident_id" "Chinese resident identity numbers.";
    Identifier KrRrn = "kr_rrn" "Korean resident registration numbers.";
    Identifier JpMyNumber = "jp_my_number" "Japanese individual numbers, beside their name.";
    Identifier CaSin = "ca_sin" "Canadian social insurance numbers, beside their name.";
    Identifier AuTfn = "au_tfn" "Australian tax file numbers, beside their name.";
    Identifier AuMedicare = "au_medicare" "Australian Medicare numbers, beside their name.";
    Identifier MxCurp = "mx_curp" "Mexican CURP.";
    Identifier ZaId = "za_id" "South African identity numbers, beside their name.";
    Identifier TrKimlik = "tr_kimlik" "Turkish identity numbers, beside their name.";
    Identifier SgNric = "sg_nric" "Singaporean NRIC and FIN.";
    Personal PhoneNumber = "phone_number"
        "Telephone numbers with `+`, and national ones beside a word that says so.";
    Personal IpAddress = "ip_address" "IPv4 and IPv6 addresses, but for reserved ones and versions.";
    Personal MacAddress = "mac_address" "MAC addresses: six pairs of hexadecimal digits.";
    Personal GeoCoordinates = "geo_coordinates" "Latitude and longitude to four decimals or more.";
    Personal PostalAddress = "postal_address"
        "Street addresses in the forms of the US, UK, Germany and France.";
    Personal DateOfBirth = "date_of_birth" "Dates after a word for birth.";
    Field Field = "field" "Whatever a policy's path names.";
}
