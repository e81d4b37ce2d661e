//! Where the demo plays: fresh folders that nobody uses for anything else.

use crate::arguments::{DATA_DEFAULT, Global};
use crate::context::Context;
use crate::environment;
use crate::failure::Failure;
use keys::{Entropy as _, KekSource, SystemEntropy};
use reading::{DataFolder, new_log};
use seal::NewLog;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// The demo's folders.
pub(super) struct Place {
    /// The data folder.
    pub(super) data: PathBuf,
    /// The data folder of the copy that is tampered with.
    pub(super) tampered: PathBuf,
    /// The folder of the tokens for the demo's server; made when that starts.
    pub(super) access: PathBuf,
    /// The key-encryption key's file, if it is the demo's own.
    pub(super) kek_file: Option<PathBuf>,
    /// For everything that is done there; says nothing.
    pub(super) context: Context,
}

impl Place {
    /// Makes fresh folders: where `--data` says, else temporary ones with a key of their own.
    pub(super) fn fresh(context: &Context) -> Result<Self, Failure> {
        let given = &context.global.data;
        // What the environment names is where the user keeps logs, not where the demo is wanted.
        let from_environment =
            environment::path("TACHO_DATA").is_some_and(|it| given == Path::new(&it));
        if from_environment || given == Path::new(DATA_DEFAULT) {
            return Self::temporary(context);
        }
        let given = &std::path::absolute(given).map_err(Failure::io("find", given))?;
        let beside = |end: &str| {
            let mut name = given.file_name().unwrap_or_default().to_owned();
            name.push(end);
            given.with_file_name(name)
        };
        let (tampered, access) = (beside("-tampered"), beside("-access"));
        for folder in [given, &tampered, &access] {
            if !is_empty(folder)? {
                return Err(Failure::new(format!(
                    "{} is not empty; the demo needs a fresh folder: name another with --data, or leave \
                     --data out",
                    folder.display()
                )));
            }
        }
        let mut global = Global { log: "main".to_owned(), quiet: true, ..context.global.clone() };
        global.data = given.clone();
        let context = Context::new(global);
        Ok(Self { data: given.clone(), tampered, access, kek_file: None, context })
    }

    fn temporary(context: &Context) -> Result<Self, Failure> {
        let entropy = SystemEntropy::new();
        let mut id = [0; 4];
        entropy.fill(&mut id)?;
        let root = std::env::temp_dir().join(format!("tacho-demo-{}", hex::encode(id)));
        // Fails when it is there already: nobody else can have prepared it.
        fs::DirBuilder::new().mode(0o700).create(&root).map_err(Failure::io("create", &root))?;
        let (data, kek_file) = (root.join("data"), root.join("kek"));
        let mut global = Global { log: "main".to_owned(), quiet: true, ..context.global.clone() };
        global.data = data.clone();
        global.key.kek_file = Some(kek_file.clone());
        global.key.kek_command = None;
        // Made here, and not by `init`, which would remember it among the user's own logs.
        let kek = KekSource::File(kek_file.clone()).create(&entropy)?;
        let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
        new_log::create(&DataFolder::new(&data), &new, &kek)?;
        let context = Context::new(global);
        let (tampered, access) = (root.join("tampered"), root.join("access"));
        // Nothing is kept elsewhere of a log that is thrown away.
        let context = Context { memory: None, ..context };
        Ok(Self { data, tampered, access, kek_file: Some(kek_file), context })
    }
}

fn is_empty(folder: &Path) -> Result<bool, Failure> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(Failure::io("read", folder)(error)),
    }
}
