//! Running one request: what the client asks for, the session, the host, the reply.

use super::{
    ApiError, App,
    annotate::Annotator,
    app::{Forecast, MOST_ENCODING, Ready},
    ask::{self, Ask},
    meter::Meter,
    refused, stream,
};
use crate::{
    host::{Call, Event, HostError, Route, Tap},
    metrics::Failure,
    session::Annotations,
};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use serde_json::Value;
use std::sync::Arc;
use themecast_plugin_api::{EndReason, PluginError, RequestInfo};
use tokio::sync::OwnedSemaphorePermit;
use tracing::Span;
use uuid::Uuid;

type Body = Result<Json<Value>, JsonRejection>;

pub(super) async fn chat(app: State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    answer(app.0, Route::Chat, headers, body).await
}

pub(super) async fn completion(app: State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    answer(app.0, Route::Completion, headers, body).await
}

async fn answer(app: Arc<App>, route: Route, headers: HeaderMap, body: Body) -> Response {
    let meter = Meter::new(&app, route);
    match run(app, headers, body, meter.clone()).await {
        Ok(response) => response,
        Err(error) => {
            meter.ended(error.status());
            error.into_response()
        }
    }
}

async fn run(
    app: Arc<App>,
    headers: HeaderMap,
    body: Body,
    meter: Arc<Meter>,
) -> Result<Response, ApiError> {
    let Json(mut body) = body?;
    let ready = app.ready()?;
    let asked = ask::take(&mut body, &headers)?;
    refused::check(&body, ready.host.at_once())?;
    let streamed = body.get("stream").and_then(Value::as_bool).unwrap_or(false);
    let id = format!("themecast-{}", Uuid::new_v4().simple());
    meter.trace(&body, &headers, (ready.host.name(), &id));
    let (span, trace_id) = (meter.span(), meter.trace_id(&headers));
    let request = Request { body: &body, id: &id, asked: asked.as_ref(), span, trace_id };
    let Opened { tap, annotations } = session(&app, ready, request).await?;
    let tools = body.get("tools").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    let call = Call { tap, ..Call::new(meter.route, body) };
    let mut events = ready.host.generate(call).await?;
    let mut annotator = Annotator::new(app.clone(), id, asked, annotations).with_tools(tools);
    let first = match streamed {
        true => events.next().await,
        false => annotator.meanwhile(events.next()).await,
    };
    match first {
        None => Err(ApiError::Host(HostError::Model("no answer".to_owned()))),
        Some(Event::Failed(error)) => Err(error.into()),
        Some(first) if streamed => Ok(stream::reply(first, events, annotator, meter)),
        Some(Event::Done { json, finish }) => whole(json, &finish, annotator, &meter).await,
        Some(Event::Chunk { .. }) => {
            Err(ApiError::Host(HostError::Model("chunks were not asked for".to_owned())))
        }
    }
}

/// The session of one request.
struct Opened {
    /// What the host is to tap.
    tap: Option<Tap>,
    /// The annotations; or none; or why there are none.
    annotations: Result<Option<Annotations>, String>,
}

impl Opened {
    /// No session; refused where annotations were asked for.
    fn none(asked: Option<&Ask>, why: ApiError) -> Result<Self, ApiError> {
        match asked {
            None => Ok(Self { tap: None, annotations: Ok(None) }),
            Some(_) => Err(why),
        }
    }
}

/// What a session is opened for.
struct Request<'a> {
    body: &'a Value,
    id: &'a str,
    asked: Option<&'a Ask>,
    span: Span,
    trace_id: Option<String>,
}

/// Opens the session of a request; without one the answer goes out as the host writes it.
async fn session(app: &App, ready: &Ready, request: Request<'_>) -> Result<Opened, ApiError> {
    let Request { body, id, asked, span, trace_id } = request;
    let several = refused::several(body);
    if several && app.stops() {
        let why = "must be 1: this server ends answers on alarms, which it looks for one at a time";
        return Err(ApiError::invalid("n", why));
    }
    if app.stops()
        && let Some(field) = refused::constraint(body)
    {
        let why = "can't be kept to where an answer is stopped, which this server does on alarms";
        return Err(ApiError::invalid(field, why));
    }
    let Some(forecast) = ready.forecast() else {
        let why = "this server runs without a forecast (--no-forecast)";
        return Opened::none(asked, ApiError::invalid("themecast", why));
    };
    if several {
        let why = "must be 1 where 'themecast' is asked for";
        return Opened::none(asked, ApiError::invalid("n", why));
    }
    let options = asked.map(|ask| ask.options.clone()).unwrap_or_default();
    let request = RequestInfo { id: id.to_owned(), options, prompt: ask::prompt(body), trace_id };
    let encoding = encoding(app, asked, &forecast).await?;
    let runner = forecast.runner;
    let fail_closed = runner.fail_closed;
    // Encoding takes a plugin milliseconds, which a request without any does not wait for.
    let opened = tokio::task::spawn_blocking(move || {
        let opened = span.in_scope(|| runner.open(&request));
        drop(encoding); // here, also where the client has left
        opened
    });
    let opened = opened.await;
    match opened.unwrap_or_else(|error| Err(PluginError::failed(error.to_string()))) {
        Ok((tap, annotations)) => Ok(Opened { tap: Some(tap), annotations: Ok(Some(annotations)) }),
        Err(PluginError::InvalidOption { option, message }) => {
            Err(ApiError::invalid(&format!("themecast.{option}"), format!("{option} {message}")))
        }
        Err(error) => {
            app.metrics.plugin_failed(Failure::Open);
            if fail_closed {
                return Err(ApiError::Unwatched(error.to_string()));
            }
            Ok(Opened { tap: None, annotations: Err(error.to_string()) })
        }
    }
}

/// A place among those who have a thread while texts are encoded: with phrases a request
/// that finds none free is refused, where the prompt alone is to be read it is waited for.
async fn encoding(
    app: &App,
    asked: Option<&Ask>,
    forecast: &Forecast,
) -> Result<Option<OwnedSemaphorePermit>, ApiError> {
    let places = app.encoding.clone();
    if asked.is_some_and(Ask::phrases) {
        let place = places.try_acquire_owned();
        return Ok(Some(place.map_err(|_| HostError::Busy(MOST_ENCODING))?));
    }
    match forecast.card.as_ref().is_some_and(|card| card.text.is_some()) {
        true => Ok(places.acquire_owned().await.ok()),
        false => Ok(None),
    }
}

/// The reply to a request that is not streamed.
async fn whole(
    json: String,
    finish: &str,
    mut annotator: Annotator,
    meter: &Meter,
) -> Result<Response, ApiError> {
    let json = annotator.whole(json, EndReason::from_finish_reason(finish)).await;
    meter.usage(&json, annotator.finish(finish));
    meter.ended(StatusCode::OK);
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}
