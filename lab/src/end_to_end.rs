//! A made-up collection through labelling, training and evaluation.

use crate::{
    Split,
    dataset::{DocumentReader, Load},
    label::{self, Cluster, ClusterConfig, Labels},
    synthetic::{self, ByWord, SMALL, WordEmbedder},
    train::{self, TrainConfig},
};
use themecast_forecast::bundle::Bundle;

#[test]
fn clusters_find_the_made_up_themes_and_name_them() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    let config = ClusterConfig { themes: 4, seed: 1, starts: 10 };
    let cluster = Cluster { config, embedder: &WordEmbedder };
    let card = label::run(dir.path(), &cluster, &|_| {}).unwrap();
    assert_eq!((card.documents, card.looping_left_out), (60, 1));
    assert!(card.train_segments > 200 && card.test_segments > 90);
    let labels = Labels::load(dir.path()).unwrap();
    assert_eq!(labels.card, card);
    assert_eq!(labels.segments.len(), 59 * 8);
    let shares: Vec<f32> = labels.themes.iter().map(|theme| theme.share).collect();
    assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-5 && shares.is_sorted_by(|a, b| a >= b));
    for label in &labels.segments {
        let words = synthetic::WORDS.iter().find(|words| words.iter().any(|w| label.text.contains(w)));
        let name = &labels.themes[label.theme as usize].name;
        assert!(words.unwrap().iter().all(|word| name.contains(word)), "{name}: {}", label.text);
    }
    assert!(card.agreement.unwrap().adjusted_rand_index > 0.9);
}

#[test]
fn training_is_deterministic_and_its_bundle_loads() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    label::run(dir.path(), &ByWord, &|_| {}).unwrap();
    let train = |name: &str| {
        let config = TrainConfig { horizons: 2, ..TrainConfig::new(dir.path().join(name)) };
        let report = train::run(dir.path(), &config, &|_| {}).unwrap();
        (report, Bundle::load(&dir.path().join(name)).unwrap())
    };
    let (report, first) = train("a");
    let (_, second) = train("b");
    assert_eq!(first.predictor, second.predictor);
    assert_eq!(report.heads.len(), 8);
    let now = &report.heads[0];
    assert!(now.validation_top1 > 0.95, "{now:?}");
    let next = &report.heads[1];
    assert!(next.validation_top1 > 0.8 && next.validation_nll_nats < 0.8, "{next:?}");
    let far = &report.heads[2];
    assert!(far.validation_nll_nats < 1.6, "{far:?}"); // nothing to know: near ln 4
    let layout = first.layout();
    let now = &first.predictor.heads(themecast_forecast::linear::RowKind::Boundary)[0];
    for row in now.weight.chunks(layout.len()) {
        assert!(row[layout.history()].iter().all(|&weight| weight == 0.0));
    }
}

#[test]
fn too_many_horizons_are_named() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    label::run(dir.path(), &ByWord, &|_| {}).unwrap();
    let config = TrainConfig { horizons: 12, ..TrainConfig::new(dir.path().join("bundle")) };
    let message = train::run(dir.path(), &config, &|_| {}).unwrap_err().to_string();
    assert!(message.contains("answers are too short for 12 horizons"), "{message}");
}

#[test]
fn the_test_split_changes_nothing_in_training() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    let documents = DocumentReader::open(dir.path(), Load::Documents).unwrap();
    let splits = documents.map(|document| Split::of(&document.unwrap()).unwrap());
    assert_eq!(splits.filter(|&split| split == Split::Test).count(), 12);
}
