//! Who may ask, and who may administer: bearer keys from files, one a line.

use super::{ApiError, App};
use crate::{host::Route, metrics::Served};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};
use sha2::{Digest, Sha256};
use std::{collections::HashSet, path::Path, sync::Arc};

/// The keys of a server; a set that is not given lets everybody in.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    api: Option<HashSet<[u8; 32]>>,
    admin: Option<HashSet<[u8; 32]>>,
}

impl Keys {
    /// Reads the key files: one key a line, empty lines and lines that begin with `#` left out.
    ///
    /// # Errors
    /// One line that names the file when it can't be read or holds no key.
    pub fn read(api: Option<&Path>, admin: Option<&Path>) -> anyhow::Result<Self> {
        Ok(Self { api: api.map(read).transpose()?, admin: admin.map(read).transpose()? })
    }

    fn knows(keys: &Option<HashSet<[u8; 32]>>, headers: &HeaderMap) -> bool {
        let Some(keys) = keys else { return true };
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let parts = sent.and_then(|value| value.split_once(' '));
        let key = parts.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        // Hashes are looked up, so timing tells nothing of a key.
        key.is_some_and(|(_, key)| keys.contains(&digest(key.trim())))
    }
}

fn read(path: &Path) -> anyhow::Result<HashSet<[u8; 32]>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| anyhow::anyhow!("{}: the keys can't be read: {error}", path.display()))?;
    let lines = text.lines().map(str::trim);
    let keys: HashSet<_> =
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(digest).collect();
    anyhow::ensure!(!keys.is_empty(), "{}: holds no key; write one a line", path.display());
    Ok(keys)
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

pub(super) async fn api(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let (keys, headers) = (&app.keys, request.headers());
    let admin = keys.admin.is_some() && Keys::knows(&keys.admin, headers);
    if !admin && !Keys::knows(&keys.api, headers) {
        if let Some(route) = Route::of(request.uri().path()) {
            app.metrics.answered(Served::Forecast(route), ApiError::Unauthorized.status());
        }
        return Err(ApiError::Unauthorized);
    }
    Ok(next.run(request).await)
}

pub(super) async fn admin(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    match administers(&app, request.headers()) {
        true => Ok(next.run(request).await),
        false => Err(ApiError::Unauthorized),
    }
}

/// Whether whoever sent these headers may administer. Where only API keys are set nobody may: an
/// open door is never the default.
pub(super) fn administers(app: &App, headers: &HeaderMap) -> bool {
    let closed = app.keys.admin.is_none() && app.keys.api.is_some();
    !closed && Keys::knows(&app.keys.admin, headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_checked() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "# team\nalpha\n\n beta \n").unwrap();
        let keys = Keys::read(Some(file.path()), None).unwrap();
        let check = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            Keys::knows(&keys.api, &headers)
        };
        assert!(check("Bearer alpha") && check("Bearer beta") && check("bearer  alpha"));
        assert!(!check("Bearer gamma") && !check("alpha"));
        std::fs::write(file.path(), "# none\n").unwrap();
        assert!(Keys::read(Some(file.path()), None).unwrap_err().to_string().contains("no key"));
    }
}
