//! The client's span, as the request's headers name it.

use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;

/// How many hex digits the fields of a `traceparent` have: version, trace, span, flags.
const DIGITS: [usize; 4] = [2, 32, 16, 2];

/// The client's span, or none where the headers say nothing or nothing that is well formed.
///
/// *Source*: W3C Trace Context, section 3.2.
pub(crate) fn remote(traceparent: Option<&str>, tracestate: Option<&str>) -> Option<Context> {
    let traceparent = traceparent.filter(|header| well_formed(header))?;
    let headers = Headers { traceparent, tracestate };
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &headers);
    let valid = context.span().span_context().is_valid();
    valid.then_some(context)
}

/// The id of the client's trace as 32 hex digits, or none where `traceparent` names none.
pub fn client_trace_id(traceparent: &str) -> Option<String> {
    let client = remote(Some(traceparent), None)?;
    let id = client.span().span_context().trace_id();
    Some(id.to_string())
}

/// The propagator takes shorter fields and signs for numbers, too.
fn well_formed(traceparent: &str) -> bool {
    let mut fields = traceparent.trim().split('-');
    DIGITS.iter().all(|&digits| {
        let is_hex = |field: &str| field.bytes().all(|byte| byte.is_ascii_hexdigit());
        fields.next().is_some_and(|field| field.len() == digits && is_hex(field))
    })
}

struct Headers<'a> {
    traceparent: &'a str,
    tracestate: Option<&'a str>,
}

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => Some(self.traceparent),
            "tracestate" => self.tracestate,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}
