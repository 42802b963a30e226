//! Held-out groups and other bundles, on a made-up collection.

use super::{BOTH, EvalConfig, GroupReport, OURS, TRUE_THEMES, run};
use crate::{
    dataset::{CollectionInfo, Document, DocumentReader, Load, PartWriter, Shard, to_half},
    label,
    synthetic::{self, ByWord, SMALL, WordEmbedder},
    train::{self, TrainConfig},
};
use std::path::{Path, PathBuf};

/// Copies the made-up collection; a fifth of it becomes the held-out group `odd`, with residuals
/// that are stretched in one direction.
fn with_held_out(from: &Path, to: &Path) {
    let info = CollectionInfo::load(from).unwrap();
    info.save(to).unwrap();
    let all = DocumentReader::open(from, Load::Residuals(info.sites.clone())).unwrap();
    let odd = |(number, document): (usize, crate::Result<Document>)| {
        let mut document = document.unwrap();
        if number % 5 == 4 {
            document.split = Some("held-out".into());
            document.group = Some("odd".into());
            for residuals in document.tokens.iter_mut().filter_map(|row| row.residuals.as_mut()) {
                let mut values: Vec<f32> = residuals.iter().map(|x| x.to_f32()).collect();
                let last = values.len() - 1;
                values[last] = 2.0 - values[last - 1];
                *residuals = to_half(&values);
            }
        }
        document
    };
    let documents: Vec<Document> = all.enumerate().map(odd).collect();
    PartWriter::new(to, Shard::WHOLE, &info).unwrap().write(&documents).unwrap();
}

/// Trains the linear bundle `name` of one horizon.
fn trained(dir: &Path, name: &str, seed: u64) -> PathBuf {
    let config = TrainConfig { horizons: 1, seed, ..TrainConfig::new(dir.join(name)) };
    train::run(dir, &config, None, &|_| {}).unwrap();
    config.out
}

#[test]
fn held_out_groups_are_scored_apart_and_recognised() {
    let made = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(made.path(), &SMALL);
    with_held_out(made.path(), dir.path());
    label::run(dir.path(), &ByWord, &|_| {}).unwrap();
    let config = EvalConfig {
        other_bundles: vec![trained(dir.path(), "b", 2)],
        curve_draws: 2,
        resamples: 100,
        ..EvalConfig::new(trained(dir.path(), "a", 1))
    };
    let report = run(dir.path(), &config, Some(&WordEmbedder), &|_| {}).unwrap();
    assert_eq!(report.test_documents, 12);
    let held_out = report.held_out.as_ref().unwrap();
    let odd = held_out.groups.iter().find(|one| one.group == "odd" && one.model == OURS).unwrap();
    assert_eq!((odd.documents, odd.ahead), (12, 1));
    assert!(odd.scores.top1 > 0.5 && odd.intervals.top1.is_some(), "{odd:?}");
    assert!(held_out.groups.iter().any(|one| one.group == "test"));
    let within = |one: &&GroupReport| one.group == "odd" && one.place == "4 tokens in";
    let within: Vec<_> = held_out.groups.iter().filter(within).collect();
    assert!(within.len() > 2 && within.iter().all(|one| one.documents == 12), "{within:?}");
    let measure = |name: &str| {
        let found = held_out.recognisers.iter().find(|one| one.name.contains(name)).unwrap();
        (found.auroc, &found.by_group)
    };
    let (auroc, groups) = measure("Mahalanobis, final, mean over the answer");
    assert!(auroc > 0.95 && groups[0].0 == "odd", "{auroc} {groups:?}");
    let text = held_out.groups.iter().find(|one| one.group == "odd" && one.model != OURS).unwrap();
    let apart = text.ours_minus.unwrap().nll_nats;
    assert!((apart - (odd.scores.nll_nats - text.scores.nll_nats)).abs() < 1e-9, "{text:?}");
    let places = ["prompt end", "boundary", "4 tokens in", "8 tokens in", "16 tokens in"];
    let others: Vec<(&str, usize)> = report.others[report.others.len() / 2..]
        .iter()
        .map(|one| (&*one.place, one.ahead))
        .collect();
    let reached: Vec<(&str, usize)> = places
        .into_iter()
        .flat_map(|place| {
            (usize::from(!place.ends_with("in"))..=1).map(move |ahead| (place, ahead))
        })
        .filter(|(place, ahead)| report.horizon(place, *ahead).is_some())
        .collect();
    assert_eq!(others, reached);
    assert!(report.others.iter().all(|one| one.scores.coverage.is_some()));
    // Within segments every kind of model is there, and both together know what either does.
    let inner = report.horizon("4 tokens in", 0).unwrap();
    let nats = |name: &str| {
        let model = inner.models.iter().find(|model| model.name == name);
        model.map(|model| model.scores.nll_nats).unwrap()
    };
    assert!(nats(BOTH) < nats("Markov 1") - 0.3 && nats(TRUE_THEMES) < nats("Markov 1") - 0.3);
    assert!(inner.increment.is_some() && inner.told.is_some());
    let points = |share: f64| report.curves.iter().find(|one| one.share == share).unwrap();
    assert_eq!((points(0.25).nll_nats.len(), points(1.0).nll_nats.len()), (2, 1));
    assert!(points(0.25).documents < points(1.0).documents);
    assert!(report.curves[0].gain.is_none() && points(1.0).gain.is_some());
    let page = report.to_html();
    assert!(page.contains("<svg") && page.contains("odd") && !page.contains("NaN"));
    // Without fits the same bundles score the same, beside what is counted.
    let config = EvalConfig { fitted: false, ..config };
    let quick = run(dir.path(), &config, Some(&WordEmbedder), &|_| {}).unwrap();
    assert_eq!(quick.others, report.others);
    let horizon = quick.horizon("boundary", 1).unwrap();
    let names: Vec<&str> = horizon.models.iter().map(|model| &*model.name).collect();
    let counted = ["marginal", "marginal at the position", "persistence", "Markov 1", "Markov 2"];
    assert_eq!(names, [&[OURS], &counted[..]].concat());
    assert_eq!(horizon.models, report.horizon("boundary", 1).unwrap().models[..6]);
    assert!(quick.curves.is_empty() && quick.notes.last().unwrap().starts_with("Only baselines"));
}

#[test]
fn another_bundle_that_cannot_be_replayed_is_refused_before_anything_is_read() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    label::run(dir.path(), &ByWord, &|_| {}).unwrap();
    let train = |name: &str, text: Option<String>| {
        let config = TrainConfig { horizons: 1, text, ..TrainConfig::new(dir.path().join(name)) };
        train::run(dir.path(), &config, Some(&WordEmbedder), &|_| {}).unwrap();
        config.out
    };
    let reads_text = train("b", Some("words".to_owned()));
    let config =
        EvalConfig { other_bundles: vec![reads_text], ..EvalConfig::new(train("a", None)) };
    let begun = |line: &str| panic!("it had begun: {line}");
    let refused = run(dir.path(), &config, None, &begun).unwrap_err().to_string();
    assert!(refused.contains("/b: it reads the text: a sentence embedder is needed"), "{refused}");
}

/// Writes a reader's answers about every segment: the theme `further` than its label.
fn said(dir: &Path, further: usize) -> PathBuf {
    let labels = label::Labels::load(dir).unwrap();
    let (themes, path) = (&labels.themes, dir.join(format!("said-{further}.jsonl")));
    let line = |one: &label::SegmentLabel| {
        let theme = &themes[(one.theme as usize + further) % themes.len()].id;
        let (document, segment) = (&one.document, one.segment);
        format!(r#"{{"document":"{document}","segment":{segment},"theme":"{theme}"}}"#)
    };
    std::fs::write(&path, labels.segments.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap();
    path
}

#[test]
fn other_bundles_are_held_against_a_reader_too() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    label::run(dir.path(), &ByWord, &|_| {}).unwrap();
    let config = EvalConfig {
        other_bundles: vec![trained(dir.path(), "b", 2)],
        fitted: false,
        resamples: 20,
        ..EvalConfig::new(trained(dir.path(), "a", 1))
    };
    let judged = |further| {
        let config = EvalConfig { answers: Some(said(dir.path(), further)), ..config.clone() };
        run(dir.path(), &config, None, &|_| {}).unwrap()
    };
    let (agrees, differs) = (judged(0), judged(1));
    assert!(agrees.others.iter().any(|one| one.ours_minus.is_some()));
    for (same, other) in agrees.others.iter().zip(&differs.others) {
        let read = same.reader.as_ref().unwrap();
        assert_eq!((read.scores, read.ours_minus), (same.scores, same.ours_minus));
        let read = other.reader.as_ref().unwrap();
        assert!(read.scores.nll_nats > other.scores.nll_nats, "{other:?}");
    }
    assert!(differs.to_markdown().contains("## By what a reader said: other bundles"));
}
