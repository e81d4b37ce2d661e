//! The public log: a log's checkpoint, tiles and entry bundles as they lie on disk.
//!
//! C2SP tlog-tiles, "Checkpoints" and "Merkle Tree": <https://c2sp.org/tlog-tiles>.

use crate::gate::Granted;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, Response, header};
use merkle::TilePath;

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

/// `GET /log/{log}/tile/{*rest}`.
pub(crate) async fn tile(
    granted: Granted,
    Path((_, rest)): Path<(String, String)>,
) -> Result<Response<Body>, Problem> {
    let log = granted.log()?;
    let path = format!("tile/{rest}");
    // Only what is a tile's path in its one spelling is ever looked for on disk.
    if path.parse::<TilePath>().is_err() {
        return Err(Problem::not_found("this is not the path of a tile"));
    }
    file(
        log.folder().clone(),
        path,
        "application/octet-stream",
        "public, max-age=31536000, immutable",
    )
    .await
}

async fn file(
    folder: reading::LogFolder,
    path: String,
    kind: &'static str,
    caching: &'static str,
) -> Result<Response<Body>, Problem> {
    let read = move || folder.folder.read(&path);
    let bytes = tokio::task::spawn_blocking(read).await.map_err(|_| Problem::internal())?;
    let bytes = bytes.map_err(|_| Problem::internal())?;
    let bytes = bytes.ok_or_else(|| Problem::not_found("the log has no such file (yet)"))?;
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    Ok(response)
}
