//! From a call to what mistral.rs runs: the request, its prompt's tokens, its lease of the tap.

use super::{
    load::Engine,
    probe::{PromptTokens, Reading},
};
use crate::host::{HostError, Route, Steering, Tap};
use either::Either;
use mistralrs_core::{
    MistralRs, NormalRequest, Request, RequestMessage, Response, TokenizationRequest,
};
use mistralrs_server_core::{chat_completion, completions};
use std::sync::Arc;
use themecast_plugin_api::Positions;
use themecast_tap::Lease;
use tokio::sync::mpsc;

/// Leases the sites that `tap` wants and steers as told; no lease where nothing is wanted.
pub(super) fn lease(
    engine: &Engine,
    tap: Option<&Tap>,
    steering: Option<&Steering>,
) -> Result<Option<Lease>, HostError> {
    if tap.is_none() && steering.is_none() {
        return Ok(None);
    }
    let ordinal = |site| {
        let unknown = || HostError::Invalid(format!("the model has no site {site}"));
        engine.tap.map().ordinal(site).ok_or_else(unknown)
    };
    let sites = tap.into_iter().flat_map(|tap| &tap.interest.sites);
    let ordinals: Vec<usize> = sites.map(|site| ordinal(*site)).collect::<Result<_, _>>()?;
    let all = tap.is_some_and(|tap| tap.interest.positions == Positions::Prompt);
    let mut lease = engine.tap.lease(&ordinals, all);
    if let Some(Steering { site, direction }) = steering {
        let steered = lease.steer(ordinal(*site)?, direction);
        steered.map_err(|error| HostError::Invalid(error.to_string()))?;
    }
    Ok(Some(lease))
}

/// What the probe reads, and for whom.
pub(super) fn reading(tap: Tap, lease: &Lease) -> Reading {
    let all_positions = tap.interest.positions == Positions::Prompt;
    Reading { ordinals: lease.ordinals().to_vec(), all_positions, sink: tap.sink }
}

/// Asks the engine for the tokens of a request's prompt: what it later shows to logits processors
/// leaves out those that came from the prefix cache. Nothing is asked where they are known.
pub(super) fn prompt_tokens(request: &NormalRequest) -> Option<(Option<Request>, PromptTokens)> {
    let (response, tokens) = mpsc::channel(1);
    let (text, enable_thinking, reasoning_effort) = match &request.messages {
        RequestMessage::Chat { messages, enable_thinking, reasoning_effort } => {
            (Either::Left(messages.clone()), *enable_thinking, *reasoning_effort)
        }
        RequestMessage::Completion { text, .. } => (Either::Right(text.clone()), None, None),
        RequestMessage::CompletionTokens(known) => {
            response.try_send(Ok(known.clone())).ok()?;
            return Some((None, tokens));
        }
        _ => return None,
    };
    let request = TokenizationRequest {
        text,
        tools: request.tools.clone(),
        add_generation_prompt: true,
        add_special_tokens: true,
        enable_thinking,
        reasoning_effort,
        response,
    };
    Some((Some(Request::Tokenize(request)), tokens))
}

/// The tokens of a plain text.
pub(super) async fn tokens(
    text: String,
    engine: &mpsc::Sender<Request>,
) -> Result<Vec<u32>, HostError> {
    let (response, mut tokens) = mpsc::channel(1);
    let ask = TokenizationRequest {
        text: Either::Right(text),
        tools: None,
        add_generation_prompt: false,
        add_special_tokens: false,
        enable_thinking: None,
        reasoning_effort: None,
        response,
    };
    engine.send(Request::Tokenize(ask)).await.map_err(|_| HostError::EngineDied)?;
    let tokens = tokens.recv().await.ok_or(HostError::EngineDied)?;
    tokens.map_err(|error| HostError::Invalid(format!("{error:#}")))
}

/// Lets the answer begin with the tokens `after`, which the model reads behind the prompt's.
pub(super) async fn go_on(
    request: &mut NormalRequest,
    after: &[u32],
    engine: &mpsc::Sender<Request>,
) -> Result<(), HostError> {
    let no_text = || HostError::Invalid("this request has no prompt to go on from".to_owned());
    let (ask, mut tokens) = prompt_tokens(request).ok_or_else(no_text)?;
    if let Some(ask) = ask {
        engine.send(ask).await.map_err(|_| HostError::EngineDied)?;
    }
    let prompt = tokens.recv().await.ok_or(HostError::EngineDied)?;
    let prompt = prompt.map_err(|error| HostError::Invalid(format!("{error:#}")))?;
    request.messages = RequestMessage::CompletionTokens([&prompt, after].concat());
    Ok(())
}

/// Parses a body as mistral.rs's own server does.
pub(super) async fn parse(
    route: Route,
    body: serde_json::Value,
    runner: Arc<MistralRs>,
    responses: mpsc::Sender<Response>,
) -> Result<Box<NormalRequest>, HostError> {
    let invalid = |error: String| HostError::Invalid(error);
    let parsed = match route {
        Route::Chat => {
            let body = serde_json::from_value(body).map_err(|error| invalid(error.to_string()))?;
            chat_completion::parse_request(body, runner, responses).await
        }
        Route::Completion => {
            let body = serde_json::from_value(body).map_err(|error| invalid(error.to_string()))?;
            completions::parse_request(body, runner, responses)
        }
    };
    match parsed.map_err(|error| invalid(format!("{error:#}")))? {
        (Request::Normal(request), _) => Ok(request),
        _ => Err(invalid("this is no request for an answer".to_owned())),
    }
}
