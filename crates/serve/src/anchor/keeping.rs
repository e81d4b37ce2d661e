//! Anchors as files: a checkpoint and the answers about it, written once and never changed. What
//! lies there already is evidence, whoever made it.

use super::asking::{Authority, Unstamped};
use ::anchor::{AnchorName, Stamp, verify};
use checkpoint::{Checkpoint, CheckpointText, Note};
use store::{Folder, StoreError};

/// A checkpoint to be stamped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The bytes that are stamped.
    pub note: Vec<u8>,
}

impl Head {
    /// Of the bytes of a signed checkpoint; `None` when they are none.
    #[must_use]
    pub fn parse(note: Vec<u8>) -> Option<Self> {
        let text = Note::parse(&note).ok()?;
        let checkpoint = CheckpointText::parse(text.text()).ok()?.checkpoint;
        Some(Self { checkpoint, note })
    }

    /// The one that a log published last, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] when the folder cannot be read.
    pub fn published(folder: &dyn Folder) -> Result<Option<Self>, StoreError> {
        Ok(folder.read(seal::CHECKPOINT_PATH)?.and_then(Self::parse))
    }
}

/// Where anchors are kept. What goes wrong is told in words.
pub trait Place {
    /// Where a file of this name lies, for people.
    fn path(&self, name: &AnchorName) -> String;

    /// A whole file, if it is there.
    ///
    /// # Errors
    /// In words.
    fn read(&self, name: &AnchorName) -> Result<Option<Vec<u8>>, String>;

    /// Writes a whole file durably; after a crash it is there or not.
    ///
    /// # Errors
    /// In words.
    fn write(&self, name: &AnchorName, bytes: &[u8]) -> Result<(), String>;
}

/// The folder of the log itself.
pub struct Beside<'f>(pub &'f dyn Folder);

impl Place for Beside<'_> {
    fn path(&self, name: &AnchorName) -> String {
        name.path()
    }

    fn read(&self, name: &AnchorName) -> Result<Option<Vec<u8>>, String> {
        self.0.read(&name.path()).map_err(|error| error.to_string())
    }

    fn write(&self, name: &AnchorName, bytes: &[u8]) -> Result<(), String> {
        self.0.replace(&name.path(), bytes).map_err(|error| error.to_string())
    }
}

/// A checkpoint that is stamped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// What was stamped.
    pub head: Head,
    /// What the authority says.
    pub stamp: Stamp,
    /// Its answer.
    pub answer: Vec<u8>,
    /// Where the answer is kept.
    pub path: String,
    /// Whether it was there before.
    pub is_old: bool,
}

/// Has a checkpoint stamped by an authority, unless it was, and keeps the answer. `random`: fresh
/// for each.
///
/// # Errors
/// [`Unstamped`]; nothing that was there is changed.
pub fn stamped(
    authority: &Authority,
    place: &dyn Place,
    head: Head,
    random: u64,
) -> Result<Stamped, Unstamped> {
    let size = head.checkpoint.size;
    let (note, stamp) =
        (AnchorName::Checkpoint(size), AnchorName::Stamp(size, authority.label().clone()));
    let path = place.path(&stamp);
    let there = place.read(&note).map_err(Unstamped::Unkept)?;
    let is_there = there.is_some();
    let head = match there {
        None => head,
        // One tree may be signed anew, with other bytes: those of before have stamps already.
        Some(there) => Head::parse(there)
            .filter(|it| it.checkpoint == head.checkpoint)
            .ok_or_else(|| Unstamped::Another(place.path(&note)))?,
    };
    if let Some(answer) = place.read(&stamp).map_err(Unstamped::Unkept)? {
        let said = verify(&answer, &head.note, authority.authorities());
        let stamp = said.map_err(|why| Unstamped::Invalid { path: path.clone(), why })?;
        return Ok(Stamped { head, stamp, answer, path, is_old: true });
    }
    let (answer, said) = authority.stamp(&head.note, random)?;
    if !is_there {
        place.write(&note, &head.note).map_err(Unstamped::Unkept)?;
    }
    place.write(&stamp, &answer).map_err(Unstamped::Unkept)?;
    Ok(Stamped { head, stamp: said, answer, path, is_old: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::anchor::{Authorities, Label};
    use std::time::Duration;
    use store::MemoryFolder;

    const NOTE: &[u8] = include_bytes!("../../../../testdata/anchor/checkpoint");
    const STAMP: &[u8] = include_bytes!("../../../../testdata/anchor/rsa-sha256.tsr");

    /// One that nobody can reach, so that whoever asks it fails.
    fn authority(pem: &[u8]) -> Authority {
        let authorities = Authorities::from_pem(pem).unwrap();
        let (label, timeout) = ("one".parse().unwrap(), Duration::from_secs(1));
        Authority::new(label, "https://127.0.0.1:1/", authorities, timeout, false).unwrap()
    }

    fn stamp_name() -> AnchorName {
        AnchorName::Stamp(4, "one".parse::<Label>().unwrap())
    }

    #[test]
    fn what_was_stamped_is_not_asked_again_and_a_tree_that_is_signed_anew_is_the_same() {
        let folder = MemoryFolder::default();
        assert_eq!(Head::published(&folder).unwrap(), None);
        // The same tree under other bytes.
        let text = String::from_utf8(NOTE.to_vec()).unwrap();
        let line = text.lines().last().unwrap();
        let other = format!("{text}{}\n", line.replace("format", "other"));
        folder.write(seal::CHECKPOINT_PATH, other.as_bytes()).unwrap();
        let head = Head::published(&folder).unwrap().unwrap();
        assert_eq!((head.checkpoint.size, head.note.as_slice()), (4, other.as_bytes()));
        let one = authority(include_bytes!("../../../../testdata/anchor/authority.pem"));
        let asked = stamped(&one, &Beside(&folder), head.clone(), 1).unwrap_err();
        assert!(matches!(asked, Unstamped::Unreached(_)), "{asked}");
        assert!(folder.list("anchors").unwrap().is_empty());
        folder.write(&AnchorName::Checkpoint(4).path(), NOTE).unwrap();
        folder.write(&stamp_name().path(), STAMP).unwrap();
        let found = stamped(&one, &Beside(&folder), head, 1).unwrap();
        assert_eq!((found.head.note.as_slice(), found.answer.as_slice()), (NOTE, STAMP));
        assert_eq!((found.path, found.is_old), (stamp_name().path(), true));
        assert_eq!(found.stamp.authority, "CN=rsa stamping,O=Example");
    }

    #[test]
    fn what_lies_there_is_never_overwritten() {
        let folder = MemoryFolder::default();
        let head = Head::parse(NOTE.to_vec()).unwrap();
        let stranger = authority(include_bytes!("../../../../testdata/anchor/stranger.pem"));
        folder.write(&stamp_name().path(), STAMP).unwrap();
        let told = stamped(&stranger, &Beside(&folder), head.clone(), 1).unwrap_err();
        assert!(matches!(told, Unstamped::Invalid { .. }), "{told}");
        let text = String::from_utf8(NOTE.to_vec()).unwrap();
        let zeros = format!("{}=", "A".repeat(43));
        let forked = text.replace(text.lines().nth(2).unwrap(), &zeros);
        assert!(Head::parse(forked.clone().into_bytes()).is_some());
        for other in [b"damaged".to_vec(), forked.into_bytes()] {
            folder.write(&AnchorName::Checkpoint(4).path(), &other).unwrap();
            let told = stamped(&stranger, &Beside(&folder), head.clone(), 1).unwrap_err();
            assert!(matches!(told, Unstamped::Another(_)), "{told}");
            assert_eq!(folder.read(&AnchorName::Checkpoint(4).path()).unwrap().unwrap(), other);
        }
        assert_eq!(folder.read(&stamp_name().path()).unwrap().unwrap(), STAMP);
    }
}
