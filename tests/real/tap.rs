//! The tap changes nothing, and shows each request its own row.

use crate::world::{
    RUNTIME, ask, batching, block_on, double, model, relative, single, tap, tapped, text,
};
use futures::future::join_all;
use mistralrs_core::{ModelDType, ModelSelected, Request, Response};
use serde_json::{Value, json};
use themecast::host::Host;
use themecast_plugin_api::{Phase, Positions, Site};

const SITES: [Site; 4] = [Site::LayerIn(0), Site::LayerMid(12), Site::LayerIn(24), Site::Final];
const TOLERANCE: f32 = 1e-3;

const TOPICS: [&str; 20] = [
    "rain", "bread", "the sea", "chess", "bees", "trains", "music", "Rome", "winter", "coffee",
    "maps", "clocks", "gardens", "the moon", "salt", "bridges", "cats", "paper", "glass", "tea",
];

/// mistral.rs as it is, without anything of ours on the request.
async fn plain(prompts: &[String]) -> Vec<String> {
    let path = model();
    let selected = ModelSelected::GGUF {
        tok_model_id: None,
        quantized_model_id: path.parent().unwrap().to_str().unwrap().to_owned(),
        quantized_filename: path.file_name().unwrap().to_str().unwrap().to_owned(),
        dtype: ModelDType::Auto,
        topology: None,
        max_seq_len: 4096,
        max_batch_size: 1,
    };
    let runner =
        mistralrs_server_core::mistralrs_for_server_builder::MistralRsForServerBuilder::new()
            .with_model(selected)
            .with_max_seqs(1)
            .with_cpu(true)
            .with_prefix_cache_n(0)
            .build()
            .await
            .unwrap();
    let mut answers = Vec::new();
    for prompt in prompts {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(8);
        let body = serde_json::from_value(ask(prompt, 24)).unwrap();
        let parsed =
            mistralrs_server_core::chat_completion::parse_request(body, runner.clone(), sender);
        let (request, _) = parsed.await.unwrap();
        let Request::Normal(request) = request else { panic!("a normal request") };
        assert!(request.logits_processors.is_none());
        runner.get_sender(None).unwrap().send(Request::Normal(request)).await.unwrap();
        let Some(Response::Done(done)) = receiver.recv().await else { panic!("an answer") };
        answers.push(done.choices[0].message.content.clone().unwrap());
    }
    answers
}

#[test]
fn tapped_answers_are_those_of_plain_mistral_rs() {
    let prompts: Vec<String> = TOPICS.map(|topic| format!("Write about {topic}.")).into();
    let host = single();
    block_on(async {
        let expected = plain(&prompts).await;
        for (prompt, expected) in prompts.iter().zip(&expected) {
            let (answer, steps) = tapped(&*host, ask(prompt, 24), &SITES).await;
            assert_eq!(&answer, expected, "{prompt}");
            assert!(steps.len() >= 20, "{} steps", steps.len());
            assert!(steps.iter().enumerate().all(|(i, step)| step.index == i));
            assert_eq!(steps[0].residuals.len(), SITES.len() * host.model().hidden_size);
        }
    });
}

fn capital(country: &str, extra: &Value) -> Value {
    let mut body = ask(&format!("What is the capital city of {country}?"), 8);
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    body
}

/// Each request's prompt-end residual in a batch of four is that of the same request alone; only
/// those in `tapped_rows` are tapped.
fn check_batch(extra: Value, tapped_rows: &[usize]) {
    let host = batching();
    let countries = ["France", "Brazil", "Poland", "Greece"];
    block_on(async {
        let mut alone = Vec::new();
        for country in countries {
            alone.push(tapped(&*host, capital(country, &extra), &SITES).await.1);
        }
        let runs = countries.iter().enumerate().map(|(row, country)| {
            let (host, body) = (host.clone(), capital(country, &extra));
            let (tap, recorder) = tap(&SITES, Positions::Last);
            let tap = tapped_rows.contains(&row).then_some(tap);
            RUNTIME.spawn(async move {
                text(&*host, body, tap).await;
                recorder.steps()
            })
        });
        let together: Vec<_> = join_all(runs).await.into_iter().map(Result::unwrap).collect();
        let shared = together.iter().flatten().map(|step| step.rows).max().unwrap();
        assert!(shared > 1, "the requests never met in one batch");
        for row in 0..countries.len() {
            let Some(first) = together[row].first() else {
                assert!(!tapped_rows.contains(&row), "row {row} saw nothing");
                continue;
            };
            let own = relative(&alone[row][0].residuals, &first.residuals);
            assert!(own < TOLERANCE, "{}: {own} from itself alone", countries[row]);
            let other = relative(&alone[(row + 1) % 4][0].residuals, &first.residuals);
            assert!(other > 10.0 * TOLERANCE, "{} looks like another: {other}", countries[row]);
        }
    });
}

#[test]
fn rows_of_a_batch_belong_to_their_requests() {
    check_batch(json!({}), &[0, 1, 2, 3]);
}

#[test]
fn rows_belong_to_their_requests_with_penalties() {
    check_batch(json!({"frequency_penalty": 0.7, "presence_penalty": 0.3}), &[0, 1, 2, 3]);
}

#[test]
fn rows_belong_to_their_requests_under_a_grammar() {
    check_batch(json!({"grammar": {"type": "regex", "value": "[A-Z]{3,40}"}}), &[0, 1, 2, 3]);
}

#[test]
fn rows_belong_to_their_requests_when_only_some_are_tapped() {
    check_batch(json!({}), &[1, 3]);
}

#[test]
fn engines_that_decode_at_the_same_time_do_not_see_each_other() {
    let host = double();
    block_on(async {
        let (one, other) = (ask("Tell me about bees.", 32), ask("Write a poem on Rome.", 32));
        let alone = [
            tapped(&*host, one.clone(), &SITES).await,
            tapped(&*host, other.clone(), &SITES).await,
        ];
        let (a, b) = tokio::join!(tapped(&*host, one, &SITES), tapped(&*host, other, &SITES));
        for ((text, steps), (expected, reference)) in [a, b].iter().zip(&alone) {
            assert_eq!(text, expected);
            for (step, expected) in steps.iter().zip(reference) {
                let difference = relative(&expected.residuals, &step.residuals);
                assert!(difference < TOLERANCE, "step {}: {difference}", step.index);
            }
        }
    });
}

#[test]
fn every_prompt_position_comes_where_it_is_asked_for() {
    let host = single();
    let (tap, recorder) = tap(&[Site::Final], Positions::Prompt);
    block_on(text(&*host, ask("Name a colour.", 3), Some(tap)));
    let steps = recorder.steps();
    let Phase::Prompt { computed, cached } = steps[0].phase else { panic!("the prompt first") };
    assert_eq!((steps[0].positions, cached), (computed, 0));
    assert_eq!(steps[0].residuals.len(), computed * host.model().hidden_size);
    assert!(steps[1..].iter().all(|step| step.positions == 1 && step.phase == Phase::Decode));
    assert_eq!(steps[0].position + 1, computed);
}

/// The second prompt begins as the first one did, so part of it comes from the prefix cache.
#[test]
fn a_cached_prompt_says_how_much_was_computed() {
    let host = block_on(crate::world::load(themecast::host::mistral::Options {
        self_check: false,
        prefix_cache: Some(16),
        ..Default::default()
    }));
    let fresh = single();
    let body = |end: &str| ask(&format!("List three rivers of Europe and where they {end}."), 4);
    block_on(async {
        tapped(&*host, body("begin"), &[Site::Final]).await;
        let (_, steps) = tapped(&*host, body("end"), &[Site::Final]).await;
        let (_, expected) = tapped(&*fresh, body("end"), &[Site::Final]).await;
        let (Phase::Prompt { computed: all, cached: 0 }, Phase::Prompt { computed, cached }) =
            (expected[0].phase, steps[0].phase)
        else {
            panic!("{:?} {:?}", expected[0].phase, steps[0].phase)
        };
        assert!(cached > 0, "nothing came from the cache");
        assert_eq!(computed + cached, all);
        for (step, expected) in steps.iter().zip(&expected) {
            assert_eq!((step.index, step.position), (expected.index, expected.position));
            assert!(relative(&expected.residuals, &step.residuals) < TOLERANCE);
        }
    });
}
