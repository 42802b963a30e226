//! Alarms as events of the request.

use crate::traced::{finished, named, of_event, request, spans};
use themecast_telemetry::{Evaluation, evaluation, finish, request_span};

fn raised(score: f64) -> Evaluation<'static> {
    Evaluation {
        detector: "martingale",
        response_id: "chatcmpl-1",
        score,
        label: "alarm",
        token: 57,
        segment: 4,
        explanation: "wealth 23.1 over the level 20",
    }
}

#[test]
fn an_alarm_is_the_result_of_an_evaluation() {
    let spans = spans("", || {
        let request = request_span(request());
        evaluation(&request, raised(1.155));
        finish(&request, finished(200));
    });
    let [event] = &named(&spans, "chat a-model").events[..] else { panic!("one event") };
    assert_eq!(event.name, "gen_ai.evaluation.result");
    let expected = [
        r#"gen_ai.evaluation.explanation = "wealth 23.1 over the level 20""#,
        r#"gen_ai.evaluation.name = "themecast.divergence.martingale""#,
        r#"gen_ai.evaluation.score.label = "alarm""#,
        "gen_ai.evaluation.score.value = 1.155",
        r#"gen_ai.response.id = "chatcmpl-1""#,
        "themecast.segment = 4",
        "themecast.token = 57",
    ];
    assert_eq!(of_event(event), expected);
}

#[test]
fn alarms_keep_their_order_and_may_come_after_the_end() {
    let spans = spans("", || {
        let request = request_span(request());
        evaluation(&request, raised(f64::INFINITY));
        finish(&request, finished(200));
        evaluation(&request, Evaluation { detector: "cusum", ..raised(1.0) });
    });
    let events = &named(&spans, "chat a-model").events;
    let lines: Vec<_> = events.iter().map(of_event).collect();
    assert_eq!(lines.len(), 2);
    assert!(!lines[0].iter().any(|line| line.contains("score.value")), "{:?}", lines[0]);
    let cusum = r#"gen_ai.evaluation.name = "themecast.divergence.cusum""#.to_owned();
    assert!(lines[1].contains(&cusum));
    assert!(events[0].time_unix_nano <= events[1].time_unix_nano);
}
