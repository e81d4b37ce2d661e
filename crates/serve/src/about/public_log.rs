//! The public log.

use super::documents::{AnchorNames, Disclosed, LedgerNames};
use super::{About, Group, Media};

pub(crate) fn checkpoint() -> About {
    About::new(Group::PublicLog, "getCheckpoint", "The log's newest checkpoint")
        .answers(200, "A signed note.", [Media::text("text/plain; charset=utf-8")])
        .refuses(404, &["not_found"])
}

pub(crate) fn cosigned() -> About {
    About::new(Group::PublicLog, "getCosigned", "The newest checkpoint that enough witnesses cosigned")
        .detail("Enough by the policy of the server's configuration. The newest checkpoint waits for nobody.")
        .answers(
            200,
            "A signed note with cosignatures.",
            [Media::text("text/plain; charset=utf-8")],
        )
        .refuses(404, &["not_found"])
}

pub(crate) fn anchors() -> About {
    About::new(Group::PublicLog, "listAnchors", "What time-stamping authorities stamped")
        .detail(
            "The names of its files: of each size that was stamped a `.checkpoint`, and a `.tsr` of each authority \
             (RFC 3161). Whoever keeps a copy can show later whether the log is what it was.",
        )
        .answers(200, "Their names.", [Media::json::<AnchorNames>()])
}

pub(crate) fn anchor() -> About {
    About::new(
        Group::PublicLog,
        "getAnchor",
        "A checkpoint that was stamped, or an authority's answer",
    )
    .names("Its name in the list.")
    .answers(200, "Its bytes, which never change.", [Media::bytes("application/octet-stream")])
    .refuses(404, &["not_found"])
}

pub(crate) fn tile() -> About {
    About::new(Group::PublicLog, "getTile", "A tile, or a bundle of entries")
        .names("Level and place, such as `0/000.p/12`, or `entries/000`.")
        .detail("Its path as https://c2sp.org/tlog-tiles spells it; the slashes in it stay as they are.")
        .answers(200, "Its bytes, which never change.", [Media::bytes("application/octet-stream")])
        .refuses(404, &["not_found"])
}

pub(crate) fn ledger() -> About {
    About::new(Group::PublicLog, "listLedger", "What the log says of itself")
        .detail(
            "The names of its documents: segments, removals, keys. Each discloses a record of the log's own, which \
             the tree commits to.",
        )
        .answers(200, "Their names.", [Media::json::<LedgerNames>()])
}

pub(crate) fn disclosed() -> About {
    About::new(Group::PublicLog, "getDisclosed", "A document of the ledger")
        .names("Its name in the list.")
        .answers(
            200,
            "The record with its salts, which never changes.",
            [Media::json::<Disclosed>()],
        )
        .refuses(404, &["not_found"])
}
