//! The names of files, twice: as everybody sees them, and as the disk has them.

use crate::random::Random;
use std::collections::{BTreeMap, BTreeSet};

/// A change of names that was not synced yet; it belongs to one folder.
#[derive(Clone, Debug)]
enum Change {
    Folder { path: String },
    Link { path: String, file: u64 },
    Rename { from: String, to: String, file: u64 },
    Remove { path: String },
}

#[derive(Clone, Debug, Default)]
struct Table {
    files: BTreeMap<String, u64>,
    folders: BTreeSet<String>,
}

/// Names of files and folders; the root (`""`) is always there.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    visible: Table,
    durable: Table,
    unsynced: Vec<Change>,
}

/// The folder that holds `path`.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl Change {
    fn folder(&self) -> &str {
        match self {
            Self::Folder { path } | Self::Link { path, .. } | Self::Remove { path } => parent(path),
            Self::Rename { to, .. } => parent(to),
        }
    }
}

impl Table {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Folder { path } => {
                self.folders.insert(path.clone());
            }
            Change::Link { path, file } => {
                self.files.insert(path.clone(), *file);
            }
            Change::Rename { from, to, file } => {
                self.files.remove(from);
                self.files.insert(to.clone(), *file);
            }
            Change::Remove { path } => {
                self.files.remove(path);
            }
        }
    }

    /// A name below a folder that is not there cannot be reached.
    fn drop_unreachable(&mut self) {
        let folders = self.folders.clone();
        let reachable = |path: &str| {
            let mut rest = parent(path);
            while !rest.is_empty() {
                if !folders.contains(rest) {
                    return false;
                }
                rest = parent(rest);
            }
            true
        };
        self.files.retain(|path, _| reachable(path));
        self.folders.retain(|path| reachable(path));
    }
}

impl Names {
    pub(super) fn file(&self, path: &str) -> Option<u64> {
        self.visible.files.get(path).copied()
    }

    pub(super) fn has_folder(&self, path: &str) -> bool {
        path.is_empty() || self.visible.folders.contains(path)
    }

    pub(super) fn files(&self) -> impl Iterator<Item = (&String, u64)> {
        self.visible.files.iter().map(|(path, file)| (path, *file))
    }

    fn change(&mut self, change: Change) {
        self.visible.apply(&change);
        self.unsynced.push(change);
    }

    pub(super) fn make_folder(&mut self, path: &str) {
        self.change(Change::Folder { path: path.to_owned() });
    }

    pub(super) fn link(&mut self, path: &str, file: u64) {
        self.change(Change::Link { path: path.to_owned(), file });
    }

    pub(super) fn rename(&mut self, from: &str, to: &str, file: u64) {
        self.change(Change::Rename { from: from.to_owned(), to: to.to_owned(), file });
    }

    pub(super) fn remove(&mut self, path: &str) {
        self.change(Change::Remove { path: path.to_owned() });
    }

    /// The names in one folder become durable.
    pub(super) fn sync(&mut self, folder: &str) {
        let (durable, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.unsynced).into_iter().partition(|c| c.folder() == folder);
        durable.iter().for_each(|change| self.durable.apply(change));
        self.unsynced = rest;
    }

    /// The names after a power cut.
    pub(super) fn after_power_cut(&self, percent: u64, random: &mut Random) -> Self {
        let mut durable = self.durable.clone();
        for change in &self.unsynced {
            if random.percent(percent) {
                durable.apply(change);
            }
        }
        durable.drop_unreachable();
        Self { visible: durable.clone(), durable, unsynced: Vec::new() }
    }
}
