//! Alarms, desks and what an alarm looks like as JSON.

use crate::{counts::Counts, receiver::Receiver};
use std::sync::Arc;
use themecast_alarms::{Action, Alarm, Config, Desk, Detector, Likely, Notice};

pub(crate) const SECRET: &str = "only the receiver knows";

/// An alarm about the `n`th answer.
pub(crate) fn alarm(n: usize, detector: Detector) -> Alarm {
    Alarm::new(format!("chatcmpl-{n}"), "a-model", detector)
}

/// A desk for this `[alarms]` table, and what it counts.
pub(crate) fn desk(toml: &str) -> (Desk, Arc<Counts>) {
    let config = Config::from_toml(toml).unwrap();
    let counts = Arc::new(Counts::default());
    let lookup = |name: &str| (name == "A_SECRET").then(|| SECRET.to_owned());
    (Desk::open_with(&config, counts.clone(), lookup).unwrap(), counts)
}

/// A desk whose martingale alarms go to `receiver`; `more` are further keys of the webhook.
pub(crate) fn desk_for(receiver: &Receiver, more: &str) -> (Desk, Arc<Counts>) {
    let url = &receiver.url;
    desk(&format!(
        "[alarms.policy]\nmartingale = \"webhook\"\nout_of_distribution = \"shadow_webhook\"\n\
         [alarms.webhook]\nurl = \"{url}\"\nsecret_env = \"A_SECRET\"\n{more}"
    ))
}

#[test]
fn a_notice_is_flat_json_with_the_text_only_where_there_is_one() {
    let mut alarm = alarm(1, Detector::PageHinkley);
    alarm.time = "2026-01-02T03:04:05.678Z".parse().unwrap();
    alarm.score = 1.25;
    alarm.forecast = vec![Likely { theme: "tips".into(), p: 0.61 }];
    alarm.in_distribution = Some(0.97);
    let notice = Notice { id: "n".into(), action: Action::WouldStop, alarm };
    let expected = r#"{"id":"n","action":"would_stop","time":"2026-01-02T03:04:05.678Z","completion_id":"chatcmpl-1","trace_id":null,"model":"a-model","detector":"page_hinkley","label":null,"score":1.25,"token":0,"segment":0,"came":null,"forecast":[{"theme":"tips","p":0.61}],"in_distribution":0.97}"#;
    assert_eq!(serde_json::to_string(&notice).unwrap(), expected);
    assert_eq!(serde_json::from_str::<Notice>(expected).unwrap(), notice);
}
