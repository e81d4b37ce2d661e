//! The public log.

use super::{About, Group, Media};

pub(crate) fn checkpoint() -> About {
    About::new(Group::PublicLog, "getCheckpoint", "The log's newest checkpoint")
        .answers(200, "A signed note.", [Media::text("text/plain; charset=utf-8")])
        .refuses(404, &["not_found"])
}

pub(crate) fn tile() -> About {
    About::new(Group::PublicLog, "getTile", "A tile, or a bundle of entries")
        .names("Level and place, such as `0/000.p/12`, or `entries/000`.")
        .detail("Its path as https://c2sp.org/tlog-tiles spells it; the slashes in it stay as they are.")
        .answers(200, "Its bytes, which never change.", [Media::bytes("application/octet-stream")])
        .refuses(404, &["not_found"])
}
