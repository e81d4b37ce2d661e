//! The built-in rules by name, and sets of rule families.
//!
//! Not here: what a rule matches (`rules`, one file per family) and what is then done (`policy`).

/// Declares the rules in order of precedence: where two rules match the same text, the earlier one
/// names the replacement.
macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// One built-in rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $($(#[$doc])* $variant),* }

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
        }
    };
}

rules! {
    /// PEM and PGP private key blocks, whole or truncated.
    PrivateKey = "private_key",
    /// The value of a JSON member whose name says that it is secret.
    SensitiveMember = "sensitive_member",
    /// `sk-ant-...`.
    AnthropicKey = "anthropic_key",
    /// `sk-...`, `sk-proj-...`, and the many services that copied the form.
    OpenaiKey = "openai_key",
    /// `AKIA...`, `ASIA...`.
    AwsAccessKey = "aws_access_key",
    /// The forty characters beside an access key id.
    AwsSecretKey = "aws_secret_key",
    /// `AIza...`, `ya29....`, `GOCSPX-...`.
    GoogleKey = "google_key",
    /// `ghp_...` and its relatives, `github_pat_...`.
    GithubToken = "github_token",
    /// `glpat-...`.
    GitlabToken = "gitlab_token",
    /// `xoxb-...` and its relatives, `xapp-...`.
    SlackToken = "slack_token",
    /// `sk_live_...`, `rk_live_...`, the same for `test`, `whsec_...`.
    StripeKey = "stripe_key",
    /// `hf_...`.
    HuggingfaceToken = "huggingface_token",
    /// `npm_...`.
    NpmToken = "npm_token",
    /// `pypi-...`.
    PypiToken = "pypi_token",
    /// `AccountKey=`, `SharedAccessKey=`, `sig=` of a shared access signature.
    AzureKey = "azure_key",
    /// Keys of other services, known by their prefix (`gsk_`, `xai-`, `nvapi-`, ...).
    ServiceKey = "service_key",
    /// JSON Web Tokens.
    Jwt = "jwt",
    /// Credentials after `Bearer`, `Basic` or `Authorization:`.
    Authorization = "authorization",
    /// `Cookie:` headers and session cookies.
    SessionCookie = "session_cookie",
    /// The password in `scheme://user:password@host`.
    UrlPassword = "url_password",
    /// Card numbers: digits that pass Luhn, with a known issuer prefix.
    CardNumber = "card_number",
    /// `key=...`, `password: ...` and the like.
    Assignment = "assignment",
    /// E-mail addresses.
    Email = "email",
}
