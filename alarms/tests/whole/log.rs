//! The log of alarms, read back.

use crate::{
    alarms::{alarm, desk},
    counts::LONG,
};
use std::{fs, path::Path};
use themecast_alarms::{Action, Alarm, Detector, Likely, Notice, Outcome, PolicyLabel, Verdict};

fn table(path: &Path, include_text: bool) -> String {
    let path = path.display();
    format!(
        "[alarms]\nlog = '{path}'\ninclude_text = {include_text}\n\
         [alarms.policy]\nwatch = \"stop\"\ncusum = \"off\"\npage_hinkley = \"shadow\""
    )
}

fn read(path: &Path) -> Vec<Notice> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An alarm with text of two lines and more themes than go out.
fn talkative(n: usize, detector: Detector) -> Alarm {
    let forecast = (0..5).map(|i| Likely { theme: format!("theme-{i}"), p: 0.2 }).collect();
    let excerpt = Some(format!("{} private\nwords", "ü".repeat(600)));
    Alarm { forecast, excerpt, ..alarm(n, detector) }
}

#[tokio::test]
async fn each_alarm_is_one_line_without_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alarms.jsonl");
    let (desk, counts) = desk(&table(&path, false));
    assert!(!desk.wants_text());
    for n in 0..20 {
        let _ = desk.raise(talkative(n, Detector::Martingale));
    }
    assert_eq!(desk.raise(talkative(20, Detector::Watch)), Verdict::Stop);
    let _ = desk.raise(talkative(21, Detector::PageHinkley));
    let _ = desk.raise(talkative(22, Detector::Cusum));
    assert!(desk.close(LONG).await);
    let notices = read(&path);
    let ids: Vec<_> = notices.iter().map(|n| n.alarm.completion_id.clone()).collect();
    assert_eq!(ids, (0..22).map(|n| format!("chatcmpl-{n}")).collect::<Vec<_>>());
    assert_eq!((notices[20].action, notices[21].action), (Action::Stop, Action::WouldStop));
    assert_eq!(notices[0].alarm.forecast.len(), 3);
    assert!(!fs::read_to_string(&path).unwrap().contains("private"));
    let logged = |policy| counts.of(policy, Outcome::Logged);
    let labels = [PolicyLabel::Annotate, PolicyLabel::Stop, PolicyLabel::Shadow];
    assert_eq!(labels.map(logged), [20, 1, 1]);
}

#[tokio::test]
async fn text_that_was_asked_for_is_one_line_and_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alarms.jsonl");
    fs::write(&path, "{}\n").unwrap();
    let (desk, _) = desk(&table(&path, true));
    assert!(desk.wants_text());
    let _ = desk.raise(talkative(0, Detector::Martingale));
    assert!(desk.close(LONG).await);
    let text = fs::read_to_string(&path).unwrap();
    let notice: Notice = serde_json::from_str(text.strip_prefix("{}\n").unwrap()).unwrap();
    let excerpt = notice.alarm.excerpt.unwrap();
    assert!(excerpt.starts_with('ü') && excerpt.ends_with("ü private\nwords"));
    assert_eq!((text.lines().count(), excerpt.chars().count()), (2, 500));
}

#[tokio::test]
async fn a_log_that_was_moved_goes_on_and_one_that_fails_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let path = inner.join("alarms.jsonl");
    let (desk, counts) = desk(&table(&path, false));
    let _ = desk.raise(alarm(0, Detector::Martingale));
    counts.until(PolicyLabel::Annotate, Outcome::Logged, 1).await;
    let moved = folder.path().join("moved");
    fs::rename(&inner, &moved).unwrap();
    let _ = desk.raise(alarm(1, Detector::Martingale));
    counts.until(PolicyLabel::Annotate, Outcome::LogFailed, 1).await;
    fs::create_dir(&inner).unwrap();
    let _ = desk.raise(alarm(2, Detector::Martingale));
    assert!(desk.close(LONG).await);
    let first = |path: &Path| read(path)[0].alarm.completion_id.clone();
    assert_eq!(first(&moved.join("alarms.jsonl")), "chatcmpl-0");
    assert_eq!(first(&path), "chatcmpl-2");
    assert_eq!(counts.of(PolicyLabel::Annotate, Outcome::Logged), 2);
    assert_eq!(counts.of(PolicyLabel::Annotate, Outcome::Done), 3);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_stops_no_verdict() {
    let (desk, counts) = desk(&table(Path::new("/dev/full"), false));
    for n in 0..3 {
        assert_eq!(desk.raise(alarm(n, Detector::Watch)), Verdict::Stop);
    }
    assert!(desk.close(LONG).await);
    let of = |outcome| counts.of(PolicyLabel::Stop, outcome);
    assert_eq!((of(Outcome::Done), of(Outcome::LogFailed), of(Outcome::Logged)), (3, 3, 0));
}
