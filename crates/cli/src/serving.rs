//! `tacho serve`'s wiring: configuration, keys and files become a server.
//!
//! Not here: what a server does (`serve`).

pub(crate) mod configuration;
pub(crate) mod held;
mod tls;
mod variables;

use crate::configuration_folder::ConfigurationFolder;
use crate::context::Context;
use crate::detecting::Detect;
use crate::failure::Failure;
use crate::key_source;
use crate::secret_file;
use crate::telemetry::Telling;
use configuration::Configuration;
use keys::{SecretString, SystemEntropy};
use reading::LogFolder;
use seal::{Clock as _, Options, SystemClock};
use serve::access::oidc::{HttpsFetch, IssuerConfig, Oidc};
use serve::access::policy::Policy;
use serve::access::refusals::RefusalCounter;
use serve::access::tokens::{NewToken, TokenStore};
use serve::access::{Logs as LogNames, Role};
use serve::gate::Keeper;
use serve::{App, KekOf, Logs, NewKek, Settings, Tls};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// A server that is ready to take connections.
pub(crate) struct Ready {
    pub(crate) app: App,
    pub(crate) tls: Option<Tls>,
    /// A name that it is reached by, as its certificate has it.
    pub(crate) name: Option<String>,
    /// Where the token of whoever administers it lies, when it was made just now.
    pub(crate) new_admin_token: Option<PathBuf>,
}

/// Puts a server together.
pub(crate) fn prepare(context: &Context, configuration: &Configuration) -> Result<Ready, Failure> {
    let (tokens, new_admin_token) = tokens(configuration)?;
    let keeper = keeper(configuration, tokens)?;
    let tls =
        configuration.tls.as_ref().map(|it| tls::load(it, &configuration.access)).transpose()?;
    let (kek_of, new_kek) = keks(context);
    let settings = Settings {
        options: Options::system(),
        disk_reserve: configuration.server.disk_reserve_mib << 20,
        retention: configuration.retention,
        memory: context.memory.clone(),
    };
    let witness = configuration.witness.as_ref();
    let witnessing = witness.map(|it| it.watching(context.terminal)).transpose()?.flatten();
    if let Some(witnessing) = &witnessing {
        witnessing.allow(&context.data_folder(), &kek_of)?;
    }
    let logs = Logs::open(context.data_folder(), kek_of, new_kek, settings)?;
    let public = configuration.server.public_logs.iter().cloned().collect();
    let app = App::new(Arc::new(logs), keeper, public);
    let app = app.reached_as(configuration.server.hosts.clone());
    let app = app.limited(configuration.limits.rates());
    let detecting = configuration.detect.as_ref().map(Detect::prepare).transpose()?.flatten();
    let app = match detecting {
        Some(detecting) => app.with_detection(detecting),
        None => app,
    };
    let app = match witnessing {
        Some(witnessing) => app.with_witnesses(witnessing),
        None => app,
    };
    let anchor = configuration.anchor.as_ref();
    let app = match anchor.map(|it| it.anchoring(context.terminal)).transpose()?.flatten() {
        Some(anchoring) => app.with_anchors(anchoring),
        None => app,
    };
    let telemetry = configuration.telemetry.as_ref();
    let app = match telemetry.map(Telling::prepare).transpose()? {
        Some(telemetry) => app.with_telemetry(telemetry),
        None => app,
    };
    let name = configuration.server.hosts.first().cloned();
    Ok(Ready { app, tls, name, new_admin_token })
}

fn keeper(configuration: &Configuration, tokens: TokenStore) -> Result<Keeper, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::new(format!("[access]: {error}"));
    let access = &configuration.access;
    let own = match &access.policies {
        Some(path) => std::fs::read_to_string(path).map_err(Failure::io("read", path))?,
        None => String::new(),
    };
    let policy = Policy::load(&own, &access.roles).map_err(|error| wrong(&error))?;
    let oidc = match issuers(&access.issuers)? {
        none if none.is_empty() => None,
        issuers => {
            let fetch = HttpsFetch::new(&[]).map_err(|error| wrong(&error))?;
            Some(Oidc::new(issuers, Arc::new(fetch)).map_err(|error| wrong(&error))?)
        }
    };
    Ok(Keeper {
        tokens: Some(tokens),
        oidc,
        policy,
        refusals: Mutex::new(RefusalCounter::new()),
        default_log: configuration.server.default_log.clone(),
    })
}

/// Issuers, with the secrets that stand in files of their own.
fn issuers(configured: &[IssuerConfig]) -> Result<Vec<IssuerConfig>, Failure> {
    let mut issuers = configured.to_vec();
    for sign_in in issuers.iter_mut().filter_map(|issuer| issuer.sign_in.as_mut()) {
        let secret = sign_in.secret_file.as_deref().map(secret_file::read).transpose()?;
        sign_in.secret = secret.map(|text| Arc::new(SecretString::new(String::clone(&text))));
    }
    Ok(issuers)
}

/// The list of tokens; when there is none yet, one for whoever administers the server is made.
fn tokens(configuration: &Configuration) -> Result<(TokenStore, Option<PathBuf>), Failure> {
    let store = open_tokens(configuration)?;
    if !store.list().map_err(|error| Failure::new(error.to_string()))?.is_empty() {
        return Ok((store, None));
    }
    let path = folder()?.admin_token_path();
    if path.exists() {
        return Ok((store, None));
    }
    let text = admin_token(&store)?;
    write_secret(&path, text.expose()).map_err(Failure::io("write", &path))?;
    Ok((store, Some(path)))
}

/// A token that may do everything.
pub(crate) fn admin_token(store: &TokenStore) -> Result<SecretString, Failure> {
    let wish = NewToken {
        name: "admin".to_owned(),
        roles: vec![Role::ADMIN],
        logs: LogNames::All,
        expires_ms: None,
    };
    let made = store.create(wish, now_ms(), &SystemEntropy::new());
    made.map(|(_, text)| text).map_err(|error| Failure::new(error.to_string()))
}

/// The list of tokens.
pub(crate) fn open_tokens(configuration: &Configuration) -> Result<TokenStore, Failure> {
    let access = &configuration.access;
    let (list, secret) = match (&access.tokens, &access.secret) {
        (Some(list), Some(secret)) => (list.clone(), secret.clone()),
        (list, secret) => {
            let folder = folder()?;
            (
                list.clone().unwrap_or_else(|| folder.tokens_path()),
                secret.clone().unwrap_or_else(|| folder.server_secret_path()),
            )
        }
    };
    for folder in [&list, &secret].into_iter().filter_map(|path| path.parent()) {
        std::fs::create_dir_all(folder).map_err(Failure::io("create", folder))?;
    }
    TokenStore::open(&list, &secret, &SystemEntropy::new())
        .map_err(|error| Failure::new(error.to_string()))
}

/// Now, where times may lie before 1970.
pub(crate) fn now_ms() -> i64 {
    i64::try_from(SystemClock.now_ms()).unwrap_or(i64::MAX)
}

fn folder() -> Result<ConfigurationFolder, Failure> {
    ConfigurationFolder::locate().ok_or_else(|| {
        Failure::new(
            "there is no place for the list of tokens, because neither XDG_CONFIG_HOME nor HOME is set; \
             name `tokens` and `secret` in the section [access] of the configuration",
        )
    })
}

/// A file that only its owner reads.
fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

/// The keys of logs, from wherever the command line says.
fn keks(context: &Context) -> (KekOf, NewKek) {
    let (of, new) = (context.global.key.clone(), context.global.key.clone());
    let kek_of: KekOf = Arc::new(move |log: &LogFolder| {
        let kek =
            key_source::kek_of(&of, &*log.folder).and_then(|kek| kek.ok_or_else(key_source::none));
        kek.map(Arc::new).map_err(|failure| failure.to_string())
    });
    let new_kek: NewKek = Arc::new(move || {
        let made = key_source::kek_for_new_log(&new, &SystemEntropy::new());
        made.map(|made| Arc::new(made.kek)).map_err(|failure| failure.to_string())
    });
    (kek_of, new_kek)
}
