//! Spans of requests and events of alarms, exported over OTLP.
