//! The one map from errors to HTTP statuses, in OpenAI's shape.

use super::BODY_LIMIT;
use crate::host::HostError;
use axum::{
    Json,
    extract::rejection::{BytesRejection, JsonRejection},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// An error as a client sees it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// The request is at fault.
    #[error("{message}")]
    Invalid {
        /// What was wrong and what would be right.
        message: String,
        /// The parameter at fault.
        param: Option<String>,
    },
    /// The body is larger than is read.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The path is there, for other methods: those of the header `allow`.
    #[error("{path} is not for {method}")]
    WrongMethod {
        /// The method that was tried.
        method: Method,
        /// The path.
        path: String,
    },
    /// The key is missing or not known.
    #[error("a valid key is needed: send 'Authorization: Bearer KEY'")]
    Unauthorized,
    /// The model is not loaded yet.
    #[error("the model is still being loaded; ask /health/ready")]
    NotReady,
    /// No detector can watch the answer, and the server writes none that is not watched.
    #[error("this answer can't be watched and is not written: {0}")]
    Unwatched(String),
    /// The host failed.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl ApiError {
    /// A parameter that does not fit.
    pub fn invalid(param: &str, message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), param: Some(param.to_owned()) }
    }

    /// The request's body could not be read, for which axum would answer with this.
    fn unread(status: StatusCode, message: String) -> Self {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge(BODY_LIMIT),
            _ => Self::Invalid { message, param: None },
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Invalid { .. } | Self::Host(HostError::Invalid(_)) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::WrongMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotReady | Self::Unwatched(_) | Self::Host(HostError::EngineDied) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Host(HostError::Busy(_)) => StatusCode::TOO_MANY_REQUESTS,
            Self::Host(HostError::Model(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The body: `{"error": {"message", "type", "param", "code"}}`.
    pub fn body(&self) -> Value {
        let status = self.status();
        let kind = match status {
            StatusCode::UNAUTHORIZED => "authentication_error",
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_client_error() => "invalid_request_error",
            _ => "server_error",
        };
        let param = match self {
            Self::Invalid { param, .. } => param.clone(),
            _ => None,
        };
        let code = match self {
            Self::WrongMethod { .. } => Some("method_not_supported"),
            Self::NotReady => Some("not_ready"),
            Self::Host(HostError::Busy(_)) => Some("busy"),
            Self::Host(HostError::EngineDied) => Some("engine_died"),
            _ => None,
        };
        json!({"error": {"message": self.to_string(), "type": kind, "param": param, "code": code}})
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::unread(rejection.status(), rejection.body_text())
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        Self::unread(rejection.status(), rejection.body_text())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status(), Json(self.body())).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: ApiError, status: u16, kind: &str) {
        assert_eq!(error.status().as_u16(), status);
        let body = error.body();
        assert_eq!(body["error"]["type"], kind);
        assert!(!body["error"]["message"].as_str().unwrap().is_empty());
        assert!(body["error"].get("param").is_some() && body["error"].get("code").is_some());
    }

    #[test]
    fn every_error_has_its_status_and_openais_shape() {
        check(ApiError::invalid("top", "too large"), 400, "invalid_request_error");
        check(HostError::Invalid("no".into()).into(), 400, "invalid_request_error");
        check(ApiError::Unauthorized, 401, "authentication_error");
        let (method, path) = (Method::GET, "/v1/completions".to_owned());
        check(ApiError::WrongMethod { method, path }, 405, "invalid_request_error");
        check(ApiError::TooLarge(1), 413, "invalid_request_error");
        check(HostError::Busy(3).into(), 429, "rate_limit_error");
        check(HostError::Model("x".into()).into(), 500, "server_error");
        check(HostError::EngineDied.into(), 503, "server_error");
        check(ApiError::NotReady, 503, "server_error");
    }
}
