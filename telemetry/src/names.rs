//! Every name that leaves the process, and how values become OpenTelemetry's.
//!
//! *Source*: OpenTelemetry's semantic conventions for generative AI (`gen_ai.*`) and for HTTP.

use opentelemetry::Value;

/// The target of every span of this crate: only spans and events whose target begins with it are
/// exported.
pub const TARGET: &str = "themecast::trace";

/// What stands for the engine as `gen_ai.provider.name`.
pub(crate) const MISTRAL_RS: &str = "mistral_rs";
/// What the names of evaluations begin with.
pub(crate) const DIVERGENCE: &str = "themecast.divergence.";

pub(crate) const OPERATION: &str = "gen_ai.operation.name";
pub(crate) const PROVIDER: &str = "gen_ai.provider.name";
pub(crate) const REQUEST_MODEL: &str = "gen_ai.request.model";
pub(crate) const REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
pub(crate) const REQUEST_TEMPERATURE: &str = "gen_ai.request.temperature";
pub(crate) const REQUEST_STREAM: &str = "gen_ai.request.stream";
pub(crate) const RESPONSE_ID: &str = "gen_ai.response.id";
pub(crate) const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
pub(crate) const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
pub(crate) const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
pub(crate) const STATUS_CODE: &str = "http.response.status_code";
pub(crate) const ERROR_TYPE: &str = "error.type";

pub(crate) const EVALUATION: &str = "gen_ai.evaluation.result";
pub(crate) const EVALUATION_NAME: &str = "gen_ai.evaluation.name";
pub(crate) const SCORE_VALUE: &str = "gen_ai.evaluation.score.value";
pub(crate) const SCORE_LABEL: &str = "gen_ai.evaluation.score.label";
pub(crate) const EXPLANATION: &str = "gen_ai.evaluation.explanation";

pub(crate) const TOKEN: &str = "themecast.token";
pub(crate) const SEGMENT: &str = "themecast.segment";
pub(crate) const THEME: &str = "themecast.theme";
pub(crate) const SURPRISE_NATS: &str = "themecast.surprise_nats";

/// A count as OTLP has it, which knows no unsigned numbers.
pub(crate) fn count(value: u64) -> Value {
    Value::I64(i64::try_from(value).unwrap_or(i64::MAX))
}

/// An index as OTLP has it.
pub(crate) fn index(value: usize) -> Value {
    Value::I64(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A number that receivers can store: many refuse a whole batch for one that is not finite.
pub(crate) fn finite(value: f64) -> Option<Value> {
    value.is_finite().then_some(Value::F64(value))
}
