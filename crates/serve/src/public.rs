//! The public log: a log's checkpoint, tiles and entry bundles as they lie on disk, and the ledger:
//! records of the log's own that it shows to everybody, such as which key took over.
//!
//! C2SP tlog-tiles, "Checkpoints" and "Merkle Tree": <https://c2sp.org/tlog-tiles>.

use crate::about::documents::{AnchorNames, LedgerNames};
use crate::append::respond;
use crate::gate::Granted;
use crate::problem::Problem;
use ::anchor::{ANCHOR_FOLDER, AnchorName};
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, Response, StatusCode, header};
use merkle::TilePath;
use store::StoreError;

/// `GET /log/{log}/checkpoint`.
pub(crate) async fn checkpoint(granted: Granted) -> Result<Response<Body>, Problem> {
    let log = granted.log()?;
    file(
        log.folder().clone(),
        seal::CHECKPOINT_PATH.to_owned(),
        "text/plain; charset=utf-8",
        "no-cache",
    )
    .await
}

/// `GET /log/{log}/cosigned`: the newest checkpoint that enough witnesses have cosigned. It is not
/// the newest one, which waits for nobody.
pub(crate) async fn cosigned(granted: Granted) -> Result<Response<Body>, Problem> {
    let log = granted.log()?;
    let (folder, path) = (log.folder().clone(), reading::COSIGNED_PATH.to_owned());
    file(folder, path, "text/plain; charset=utf-8", "no-cache").await
}

/// `GET /log/{log}/anchors`: the names of what authorities stamped, and of what they answered.
pub(crate) async fn anchors(granted: Granted) -> Result<Response<Body>, Problem> {
    let folder = granted.log()?.folder().clone();
    let list = move || folder.folder.list(ANCHOR_FOLDER);
    let listed = tokio::task::spawn_blocking(list).await.map_err(|_| Problem::internal())?;
    let paths = listed.map_err(|_| Problem::internal())?;
    let names = paths.iter().filter_map(|path| AnchorName::at(path));
    let anchors = names.map(|name| name.to_string()).collect();
    Ok(respond(StatusCode::OK, &AnchorNames { anchors }))
}

/// `GET /log/{log}/anchors/{name}`.
pub(crate) async fn anchor(
    granted: Granted,
    Path((_, name)): Path<(String, String)>,
) -> Result<Response<Body>, Problem> {
    let folder = granted.log()?.folder().clone();
    let Ok(name) = name.parse::<AnchorName>() else {
        return Err(Problem::not_found("this is not the name of an anchor's file"));
    };
    let caching = "public, max-age=31536000, immutable";
    file(folder, name.path(), "application/octet-stream", caching).await
}

/// `GET /log/{log}/tile/{*rest}`.
pub(crate) async fn tile(
    granted: Granted,
    Path((_, rest)): Path<(String, String)>,
) -> Result<Response<Body>, Problem> {
    let log = granted.log()?;
    let path = format!("tile/{rest}");
    // Only what is a tile's path in its one spelling is ever looked for on disk.
    let Ok(wanted) = path.parse::<TilePath>() else {
        return Err(Problem::not_found("this is not the path of a tile"));
    };
    let folder = log.folder().clone();
    let read = move || reading::public_file(&*folder.folder, wanted);
    sent(read, "application/octet-stream", "public, max-age=31536000, immutable").await
}

/// `GET /log/{log}/ledger`: the names of its documents, which no tile tells.
pub(crate) async fn ledger(granted: Granted) -> Result<Response<Body>, Problem> {
    let folder = granted.log()?.folder().clone();
    let list = move || folder.folder.list(segment::LEDGER_FOLDER);
    let listed = tokio::task::spawn_blocking(list).await.map_err(|_| Problem::internal())?;
    let paths = listed.map_err(|_| Problem::internal())?;
    let known = paths.iter().filter(|path| segment::parse_ledger_path(path).is_some());
    let ledger = known.filter_map(|path| path.rsplit('/').next()).map(str::to_owned).collect();
    Ok(respond(StatusCode::OK, &LedgerNames { ledger }))
}

/// `GET /log/{log}/ledger/{name}`.
pub(crate) async fn disclosed(
    granted: Granted,
    Path((_, name)): Path<(String, String)>,
) -> Result<Response<Body>, Problem> {
    let folder = granted.log()?.folder().clone();
    let path = format!("{}/{name}", segment::LEDGER_FOLDER);
    if segment::parse_ledger_path(&path).is_none() {
        return Err(Problem::not_found("this is not the name of a document of the ledger"));
    }
    file(folder, path, "application/json", "public, max-age=31536000, immutable").await
}

async fn file(
    folder: reading::LogFolder,
    path: String,
    kind: &'static str,
    caching: &'static str,
) -> Result<Response<Body>, Problem> {
    sent(move || folder.folder.read(&path), kind, caching).await
}

/// What is read on a thread that may wait for the disk.
async fn sent(
    read: impl FnOnce() -> Result<Option<Vec<u8>>, StoreError> + Send + 'static,
    kind: &'static str,
    caching: &'static str,
) -> Result<Response<Body>, Problem> {
    let bytes = tokio::task::spawn_blocking(read).await.map_err(|_| Problem::internal())?;
    let bytes = bytes.map_err(|_| Problem::internal())?;
    let bytes = bytes.ok_or_else(|| Problem::not_found("the log has no such file (yet)"))?;
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    Ok(response)
}
