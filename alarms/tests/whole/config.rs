//! What a configuration may say, and what is said of a wrong one.

use std::{sync::Arc, time::Duration};
use themecast_alarms::{Config, Desk, Detector, Policy, Silent};

#[test]
fn everything_can_be_said() {
    let config = Config::from_toml(
        r#"
        listen = "elsewhere"
        [alarms]
        log = "alarms.jsonl"
        include_text = true
        [alarms.policy]
        martingale = "webhook"
        watch = "stop"
        page_hinkley = "shadow_webhook"
        out_of_distribution = "shadow"
        [alarms.webhook]
        url = "https://example.org/alarms/a-key"
        secret_env = "A_SECRET"
        timeout_secs = 0.5
        attempts = 7
        backoff_secs = 2
        queue = 9
        "#,
    )
    .unwrap();
    assert_eq!(config.policy.of(Detector::Cusum), Policy::Annotate);
    assert_eq!(config.policy.of(Detector::OutOfDistribution), Policy::Shadow);
    assert!(!format!("{config:?}").contains("a-key"));
    let webhook = config.webhook.unwrap();
    assert_eq!((webhook.attempts, webhook.queue), (7, 9));
    let durations = (webhook.timeout, webhook.backoff);
    assert_eq!(durations, (Duration::from_millis(500), Duration::from_secs(2)));
}

#[test]
fn what_is_not_said_has_a_default() {
    assert_eq!(Config::from_toml("").unwrap(), Config::default());
    assert_eq!(Config::from_toml("[alarms]").unwrap(), Config::default());
    let config = Config::from_toml("[alarms.webhook]\nurl = \"http://localhost:1\"").unwrap();
    let webhook = config.webhook.unwrap();
    assert_eq!(webhook.secret_env, "THEMECAST_WEBHOOK_SECRET");
    assert_eq!((webhook.attempts, webhook.queue), (5, 256));
    let durations = (webhook.timeout, webhook.backoff);
    assert_eq!(durations, (Duration::from_secs(5), Duration::from_millis(500)));
}

#[track_caller]
fn check(toml: &str, expected: &str) {
    let error = Config::from_toml(toml).unwrap_err().to_string();
    assert_eq!(error, expected);
    assert!(!error.contains('\n'));
}

#[test]
fn a_wrong_policy_is_named() {
    let check = |line: &str, expected: &str| check(&format!("[alarms.policy]\n{line}"), expected);
    check(
        "watch = \"block\"",
        "alarms.policy.watch: is no policy: use annotate, webhook, stop, shadow, shadow_webhook \
         or off",
    );
    check("watch = 3", "alarms.policy.watch: invalid type: integer `3`, expected a string");
    check(
        "martingal = \"stop\"",
        "alarms.policy.martingal: unknown field `martingal`, expected one of `martingale`, \
         `cusum`, `page_hinkley`, `watch`, `out_of_distribution`",
    );
    check(
        "watch = \"webhook\"",
        "alarms.policy.watch: is \"webhook\", but nobody would be told: add [alarms.webhook] with \
         the receiver's url",
    );
}

#[test]
fn a_wrong_table_is_named() {
    check("alarms = 1", "alarms: invalid type: integer `1`, expected a table, [alarms]");
    check("[alarms", "the file: unclosed table, expected `]`");
    let check = |line: &str, expected: &str| check(&format!("[alarms]\n{line}"), expected);
    check("log = 5", "alarms.log: invalid type: integer `5`, expected path string");
    check(
        "include_text = \"yes\"",
        "alarms.include_text: invalid type: string \"yes\", expected a boolean",
    );
    check("fail = \"shut\"", "alarms.fail: unknown variant `shut`, expected `open` or `closed`");
    check(
        "file = \"a\"",
        "alarms.file: unknown field `file`, expected one of `log`, `include_text`, `fail`, `policy`, \
         `webhook`",
    );
    check(
        "webhook = true",
        "alarms.webhook: invalid type: boolean `true`, expected a table, [alarms.webhook]",
    );
}

#[test]
fn a_wrong_number_is_named() {
    let check = |line: &str, expected: &str| {
        let table = format!("[alarms.webhook]\nurl = \"https://example.org\"\n{line}");
        let key = line.split(' ').next().unwrap();
        check(&table, &format!("alarms.webhook.{key}: invalid {expected}"));
    };
    let seconds = |found| format!("{found}, expected seconds from 0.01 to 60");
    check("timeout_secs = 0", &seconds("value: integer `0`"));
    check("timeout_secs = nan", &seconds("value: floating point `NaN`"));
    check("timeout_secs = \"5\"", &seconds("type: string \"5\""));
    check("backoff_secs = 61", &seconds("value: integer `61`"));
    let whole = |found, most| format!("{found}, expected a whole number from 1 to {most}");
    check("attempts = 0", &whole("value: integer `0`", 20));
    check("attempts = 2.5", &whole("type: floating point `2.5`", 20));
    check("queue = 100000", &whole("value: integer `100000`", 65_536));
}

/// Neither a secret nor an address, which may hold one, is repeated.
#[test]
fn a_secret_in_the_wrong_place_is_named_but_not_shown() {
    let check = |line: &str, expected: &str| {
        check(&format!("[alarms.webhook]\nurl = \"https://example.org\"\n{line}"), expected);
    };
    check(
        "secret = \"s3cret\"",
        "alarms.webhook.secret: unknown field `secret`, expected one of `url`, `secret_env`, \
         `timeout_secs`, `attempts`, `backoff_secs`, `queue`",
    );
    check(
        "secret_env = \"s3cret-itself\"",
        "alarms.webhook.secret_env: is no name of an environment variable (A-Z, 0-9 and _): \
         write the variable's name, not the secret",
    );
}

#[test]
fn a_wrong_address_is_named() {
    check("[alarms.webhook]\nattempts = 3", "alarms.webhook: missing field `url`: add it");
    for url in ["", "example.org", "ftp://example.org", "https://", "file:///etc/passwd"] {
        check(
            &format!("[alarms.webhook]\nurl = \"{url}\""),
            "alarms.webhook.url: is no web address: write one like https://example.org/alarms",
        );
    }
}

/// As part of a server's own settings the message is the same.
#[test]
fn a_table_within_others_says_the_same() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        alarms: Config,
    }
    let read = |toml| toml::from_str::<Settings>(toml);
    let settings = read("[alarms.policy]\nwatch = \"stop\"").unwrap();
    assert_eq!(settings.alarms.policy.watch, Policy::Stop);
    let error = read("[alarms.webhook]\nurl = \"https://a.org\"\nattempts = 0").unwrap_err();
    assert_eq!(
        error.message(),
        "alarms.webhook.attempts: invalid value: integer `0`, expected a whole number from 1 to 20"
    );
}

const WEBHOOK: &str =
    "[alarms.policy]\nwatch = \"webhook\"\n[alarms.webhook]\nurl = \"https://example.org\"";

fn opening(toml: &str, secret: Option<&str>) -> String {
    let config = Config::from_toml(toml).unwrap();
    let opened = Desk::open_with(&config, Arc::new(Silent), |_| secret.map(str::to_owned));
    opened.err().unwrap().to_string()
}

#[tokio::test]
async fn what_is_missing_at_the_start_is_said() {
    let missing = "alarms.webhook.secret_env: the environment variable THEMECAST_WEBHOOK_SECRET \
                   is not set or empty: set it to the secret that the receiver verifies \
                   signatures with";
    assert_eq!(opening(WEBHOOK, None), missing);
    assert_eq!(opening(WEBHOOK, Some("")), missing);
    let error = opening("[alarms]\nlog = \"/nowhere/at/all.jsonl\"", None);
    assert_eq!(
        error,
        "alarms.log: cannot append to /nowhere/at/all.jsonl: No such file or directory (os error \
         2): name a file in a folder that exists and is writable"
    );
}

#[test]
fn without_a_runtime_a_webhook_is_refused() {
    assert!(opening(WEBHOOK, Some("secret")).contains("tokio runtime"));
}
