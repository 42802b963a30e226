//! A receiver as an operator would write it: it verifies what it gets.

use crate::{alarms::SECRET, counts::LONG};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use themecast_alarms::Notice;
use tokio::{net::TcpListener, sync::mpsc};

/// What the receiver does with a request.
#[derive(Clone, Copy)]
pub(crate) enum Reply {
    Status(u16),
    /// 429 with this many seconds.
    RetryAfter(u64),
    /// 307 to the same address.
    Redirect,
    Never,
}

/// A request that has come in.
pub(crate) struct Request {
    pub(crate) at: Instant,
    pub(crate) key: String,
    pub(crate) notice: Notice,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    requests: mpsc::UnboundedReceiver<Request>,
}

struct Script<F> {
    reply: F,
    count: AtomicUsize,
    requests: mpsc::UnboundedSender<Request>,
}

impl Receiver {
    /// Starts one that answers the `n`th request with `reply(n)`.
    pub(crate) async fn start<F>(reply: F) -> Self
    where
        F: Fn(usize) -> Reply + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/alarms?token=in-the-url", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::unbounded_channel();
        let script = Arc::new(Script { reply, count: AtomicUsize::new(0), requests: sender });
        let router = Router::new().route("/alarms", post(answer::<F>)).with_state(script);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, requests }
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Request {
        tokio::time::timeout(LONG, self.requests.recv()).await.expect("nothing came").unwrap()
    }

    /// Whatever has come and was not taken yet.
    pub(crate) fn rest(&mut self) -> Vec<Request> {
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }
}

async fn answer<F: Fn(usize) -> Reply>(
    State(script): State<Arc<Script<F>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    verify(&headers, &body);
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let notice = serde_json::from_slice(&body).unwrap();
    script.requests.send(Request { at: Instant::now(), key, notice }).unwrap();
    let status = |code| StatusCode::from_u16(code).unwrap();
    match (script.reply)(script.count.fetch_add(1, Ordering::SeqCst)) {
        Reply::Status(code) => status(code).into_response(),
        Reply::RetryAfter(seconds) => {
            (status(429), [(header::RETRY_AFTER, seconds.to_string())]).into_response()
        }
        Reply::Redirect => (status(307), [(header::LOCATION, "/alarms")]).into_response(),
        Reply::Never => pending().await,
    }
}

/// Ends the request, and so the test, where the signature is not the secret's or is old.
fn verify(headers: &HeaderMap, body: &[u8]) {
    let timestamp = headers["x-themecast-timestamp"].to_str().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now - timestamp.parse::<u64>().unwrap() < 60);
    let signature = headers["x-themecast-signature"].to_str().unwrap();
    let digits = signature.strip_prefix("sha256=").unwrap().as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    let signature: Vec<u8> = digits.chunks(2).map(|d| digit(d[0]) * 16 + digit(d[1])).collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(body);
    mac.verify_slice(&signature).unwrap();
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
}
