//! The table as operators write it.

use std::collections::BTreeMap;
use themecast_telemetry::{Config, Exporter, StartError};

#[test]
fn an_empty_table_exports_nothing() {
    let config: Config = toml::from_str("").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!((config.endpoint, config.service_name.as_str()), (None, "themecast"));
    assert_eq!((config.sample_ratio, config.timeout_secs), (1.0, 10.0));
    assert!(config.headers.is_empty());
}

#[test]
fn a_full_table_is_read_as_part_of_a_document() {
    #[derive(serde::Deserialize)]
    struct Document {
        telemetry: Config,
    }
    let document = "[telemetry]\nendpoint = 'https://example.org:4318/'\nservice_name = 'a'\n\
                    sample_ratio = 0\nlogs = false\ntimeout_secs = 60\nheaders = { authorization = 'Bearer x' }";
    let config = toml::from_str::<Document>(document).unwrap().telemetry;
    let expected = Config {
        endpoint: Some("https://example.org:4318/".to_owned()),
        service_name: "a".to_owned(),
        sample_ratio: 0.0,
        logs: false,
        timeout_secs: 60.0,
        headers: BTreeMap::from([("authorization".to_owned(), "Bearer x".to_owned())]),
    };
    assert_eq!(config, expected);
    assert!(!format!("{config:?}").contains("Bearer"), "{config:?}");
    assert!(format!("{config:?}").contains("authorization"), "{config:?}");
    let exporter = Exporter::start(&config).unwrap();
    assert!(!format!("{exporter:?}").contains("Bearer"), "{exporter:?}");
}

#[track_caller]
fn refused(table: &str, message: &str) {
    let error = toml::from_str::<Config>(table).expect_err(table).to_string();
    assert!(error.contains(message), "{error}\nshould say\n{message}");
}

#[test]
fn a_wrong_value_is_refused_with_what_would_be_right() {
    let ratio = "write a share from 0 (only what clients ask for) to 1 (every trace)";
    refused("sample_ratio = 1.01", &format!("telemetry.sample_ratio: is 1.01: {ratio}"));
    refused("sample_ratio = -0.1", ratio);
    refused("sample_ratio = nan", ratio);
    refused("timeout_secs = 0", "telemetry.timeout_secs: is 0: write seconds from 0.1 to 60");
    refused("timeout_secs = 61", "write seconds from 0.1 to 60");
    refused("timeout_secs = inf", "write seconds from 0.1 to 60");
    refused("endpoint = ''", "telemetry.endpoint: is no web address");
    refused("endpoint = 'localhost:4318'", "write one like http://localhost:4318");
    refused("endpoint = 'http://'", "is no web address");
    refused(
        "endpoint = 'http://a/v1/traces'",
        "leave /v1/traces and /v1/logs away: they are appended",
    );
    refused("ratio = 1", "unknown field `ratio`");
}

#[test]
fn a_wrong_header_is_refused_without_its_value() {
    refused("headers = { 'a b' = 'x' }", "telemetry.headers.a b: is no name of a header");
    let config = Config {
        headers: BTreeMap::from([("x-key".to_owned(), "sec\nret".to_owned())]),
        ..Config::default()
    };
    let error = Exporter::start(&config).unwrap_err();
    assert!(matches!(error, StartError::Config(_)));
    let expected = "telemetry.headers.x-key: has a value beyond visible ASCII on one line";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn an_address_that_can_not_be_parsed_starts_nothing() {
    let endpoint = Some("http://a host".to_owned());
    let error = Exporter::start(&Config { endpoint, ..Config::default() }).unwrap_err();
    assert!(matches!(error, StartError::Build(_)), "{error}");
}
