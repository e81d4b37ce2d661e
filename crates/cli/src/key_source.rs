//! Where the key-encryption key comes from, in this order: `--kek-file` (`TACHO_KEK_FILE`),
//! `--kek-command` (`TACHO_KEK_COMMAND`), `TACHO_KEK`, `TACHO_KEK_PASSPHRASE`, and the file `kek`
//! in the user's configuration folder.

use crate::arguments::{KeyArguments, NewKekArguments};
use crate::configuration_folder::ConfigurationFolder;
use crate::environment;
use crate::failure::Failure;
use keys::{Entropy, Kek, KekOrigin, KekSource, Keyring, PassphraseKdf, SecretString};
use std::path::PathBuf;
use store::Folder;

/// A key-encryption key for a new log, and where a person finds it again.
pub(crate) struct NewKek {
    pub(crate) kek: Kek,
    /// Where it lies.
    pub(crate) place: String,
    /// Whether it was made just now: then it must be backed up.
    pub(crate) is_new: bool,
}

/// Where it would come from.
enum Place {
    File(PathBuf),
    Command(String),
    Environment(&'static str, SecretString),
    Passphrase(&'static str, SecretString),
}

/// What to do when there is no key.
pub(crate) fn none() -> Failure {
    Failure::new(
        "there is no key-encryption key: without it the log can neither be read nor written; give it \
         with --kek-file, --kek-command, TACHO_KEK or TACHO_KEK_PASSPHRASE",
    )
}

/// The key-encryption key of the log in `folder`; `None` when no source has one.
pub(crate) fn kek_of(
    arguments: &KeyArguments,
    folder: &dyn Folder,
) -> Result<Option<Kek>, Failure> {
    let Some(place) = place(arguments, false) else { return Ok(None) };
    if let Place::Passphrase(_, passphrase) = place {
        let bytes = folder.read(seal::KEYRING_PATH)?.unwrap_or_default();
        let KekOrigin::Passphrase(kdf) = Keyring::header(&bytes)?.origin else {
            return Err(Failure::new(
                "the keyring of this log was not made with a passphrase; unset TACHO_KEK_PASSPHRASE \
                 and give the key-encryption key itself",
            ));
        };
        return Ok(Some(KekSource::Passphrase { passphrase, kdf }.load()?));
    }
    Ok(Some(source(place)?.load()?))
}

/// The key-encryption key for a new log; a file that is not there yet is made.
pub(crate) fn kek_for_new_log(
    arguments: &KeyArguments,
    entropy: &dyn Entropy,
) -> Result<NewKek, Failure> {
    let Some(place) = place(arguments, true) else {
        return Err(Failure::new(
            "there is no place for the key-encryption key, because neither XDG_CONFIG_HOME nor HOME is \
             set; name one with --kek-file",
        ));
    };
    made(place, entropy)
}

/// The key-encryption key that takes the place of another; a file that is not there yet is made.
pub(crate) fn new_kek(
    arguments: &NewKekArguments,
    entropy: &dyn Entropy,
) -> Result<NewKek, Failure> {
    let named = |value: Option<String>| value.filter(|it| !it.trim().is_empty());
    let secret = |variable| {
        let value = environment::text(variable)?;
        Some((variable, SecretString::new(value)))
    };
    let place = if let Some(path) = &arguments.new_kek_file {
        Place::File(path.clone())
    } else if let Some(command) = named(arguments.new_kek_command.clone()) {
        Place::Command(command)
    } else if let Some((variable, value)) = secret("TACHO_NEW_KEK") {
        Place::Environment(variable, value)
    } else if let Some((variable, value)) = secret("TACHO_NEW_KEK_PASSPHRASE") {
        Place::Passphrase(variable, value)
    } else {
        return Err(Failure::usage(
            "name the new key-encryption key with --new-kek-file (made when it is not there), \
             --new-kek-command, TACHO_NEW_KEK or TACHO_NEW_KEK_PASSPHRASE",
        ));
    };
    made(place, entropy)
}

/// The key at a place, made there where that can be done.
fn made(place: Place, entropy: &dyn Entropy) -> Result<NewKek, Failure> {
    let fine = |kek, place: &str| NewKek { kek, place: place.to_owned(), is_new: false };
    match place {
        Place::Passphrase(variable, passphrase) => {
            let kdf = PassphraseKdf::generate(entropy)?;
            let kek = KekSource::Passphrase { passphrase, kdf }.load()?;
            Ok(fine(kek, &format!("the passphrase in {variable}")))
        }
        Place::File(path) => {
            let is_new = !path.exists();
            let file = KekSource::File(path.clone());
            let kek = if is_new { file.create(entropy)? } else { file.load()? };
            Ok(NewKek { kek, place: path.display().to_string(), is_new })
        }
        Place::Command(command) => {
            let name = format!("the output of `{command}`");
            Ok(fine(source(Place::Command(command))?.load()?, &name))
        }
        Place::Environment(variable, value) => {
            Ok(fine(source(Place::Environment(variable, value))?.load()?, variable))
        }
    }
}

/// The first place that is named; `or_new`: the user's own file counts although it is not there
/// yet.
fn place(arguments: &KeyArguments, or_new: bool) -> Option<Place> {
    if let Some(path) = arguments.kek_file.as_ref().filter(|path| !path.as_os_str().is_empty()) {
        return Some(Place::File(path.clone()));
    }
    if let Some(command) = arguments.kek_command.as_ref().filter(|it| !it.trim().is_empty()) {
        return Some(Place::Command(command.clone()));
    }
    if let Some(value) = environment::text("TACHO_KEK") {
        return Some(Place::Environment("TACHO_KEK", SecretString::new(value)));
    }
    if let Some(value) = environment::text("TACHO_KEK_PASSPHRASE") {
        return Some(Place::Passphrase("TACHO_KEK_PASSPHRASE", SecretString::new(value)));
    }
    let path = ConfigurationFolder::locate()?.kek_path();
    (or_new || path.exists()).then_some(Place::File(path))
}

fn source(place: Place) -> Result<KekSource, Failure> {
    Ok(match place {
        Place::File(path) => KekSource::File(path),
        Place::Environment(variable, value) => {
            KekSource::Environment { variable: variable.to_owned(), value }
        }
        Place::Command(command) => {
            let mut words = command.split_whitespace().map(str::to_owned);
            let program = words.next().ok_or_else(none)?.into();
            KekSource::Command { program, args: words.collect() }
        }
        Place::Passphrase(..) => return Err(none()),
    })
}
