//! A made-up collection through training and evaluation; `labels` has what is found in it first.

mod labels;

use crate::{
    eval::{self, EvalConfig},
    label::{self, Cluster, ClusterConfig, Labels},
    synthetic::{self, ByWord, Plan, SMALL, WordEmbedder},
    train::{self, ChainConfig, Fitting, TrainConfig},
};
use themecast_forecast::{bundle::Bundle, linear::RowKind};
use themecast_plugin_api::Site;

#[test]
fn training_is_deterministic_and_its_bundle_loads() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    label::run(dir.path(), &ByWord, &|_| {}).unwrap();
    let train = |name: &str| {
        let config = TrainConfig { horizons: 2, ..TrainConfig::new(dir.path().join(name)) };
        let report = train::run(dir.path(), &config, None, &|_| {}).unwrap();
        (report, Bundle::load(&dir.path().join(name)).unwrap())
    };
    let (report, first) = train("a");
    let (_, second) = train("b");
    assert_eq!((&first.predictor, &first.ensemble), (&second.predictor, &second.ensemble));
    let [half, other] = &first.ensemble[..] else { panic!("a member for each half") };
    assert_ne!(half, other);
    assert_eq!(report.heads.len(), 8);
    let now = &report.heads[0];
    assert!(now.validation_top1 > 0.95, "{now:?}");
    let next = &report.heads[1];
    assert!(next.validation_top1 > 0.8 && next.validation_nll_nats < 0.8, "{next:?}");
    let far = &report.heads[2];
    assert!(far.validation_nll_nats < 1.6, "{far:?}"); // nothing to know: near ln 4
    let layout = first.layout();
    let now = &first.predictor.heads(RowKind::Boundary)[0];
    for row in now.weight.chunks(layout.len()) {
        assert!(row[layout.history()].iter().all(|&weight| weight == 0.0));
    }
}

#[test]
fn every_kind_of_predictor_learns_the_made_up_themes_and_is_judged() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    label::run(dir.path(), &ByWord, &|_| {}).unwrap();
    let check = |kind: &str, config: TrainConfig, reads: bool| {
        let config = TrainConfig { horizons: 1, ..config };
        let report = train::run(dir.path(), &config, Some(&WordEmbedder), &|_| {}).unwrap();
        assert!(report.heads[0].validation_top1 > 0.9, "{kind}: {:?}", report.heads[0]);
        // What comes next only the residuals know.
        assert_eq!(report.heads[1].validation_top1 > 0.75, config.activations, "{kind}");
        let bundle = Bundle::load(&config.out).unwrap();
        assert_eq!((bundle.card.predictor.as_str(), bundle.card.text.is_some()), (kind, reads));
        let config = EvalConfig { resamples: 20, curve_draws: 0, ..EvalConfig::new(&config.out) };
        let judged = eval::run(dir.path(), &config, Some(&WordEmbedder), &|_| {}).unwrap();
        assert_eq!(judged.horizons[0].models[0].scores.top1 > 0.7, kind != "text", "{kind}");
        assert_eq!((bundle.ensemble.len(), judged.doubt.len()), (2, 2), "{kind}");
        let apart = &judged.doubt[1];
        assert!(apart.mean_nats > 0.0, "{kind}: {apart:?}");
        bundle
    };
    let new = || TrainConfig::new(dir.path().join("bundle"));
    let text = Some("words".to_owned());
    check("closed-form", TrainConfig { fitting: Fitting::ClosedForm, ..new() }, false);
    check("linear", TrainConfig { text: text.clone(), ..new() }, true);
    let normed = check("linear", TrainConfig { layer_norm: true, ..new() }, false).card;
    let (mean, std) = (&normed.reference.residual_mean, &normed.reference.residual_std);
    let squares: f32 = mean.iter().zip(std).map(|(mean, std)| mean * mean + std * std).sum();
    assert!(normed.layer_norm && (squares / mean.len() as f32 - 1.0).abs() < 0.01, "{squares}");
    let alone = check("text", TrainConfig { activations: false, text, ..new() }, true);
    for kind in [RowKind::Boundary, RowKind::Mid] {
        for head in alone.predictor.heads(kind) {
            for row in head.weight.chunks(alone.layout().len()) {
                assert!(row[alone.layout().activations()].iter().all(|&weight| weight == 0.0));
            }
        }
    }
    let config = EvalConfig { resamples: 20, ..EvalConfig::new(dir.path().join("bundle")) };
    let error = eval::run(dir.path(), &config, None, &|_| {}).unwrap_err().to_string();
    assert!(error.contains("embedder is needed"), "{error}");
}

#[test]
fn a_chain_over_normalised_residuals_learns_the_made_up_themes_and_is_judged() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    label::run(dir.path(), &ByWord, &|_| {}).unwrap();
    let chain = ChainConfig { width: 16, epochs: 6, batch: 8, ..ChainConfig::default() };
    let bundle = dir.path().join("bundle");
    let (horizons, layer_norm) = (2, true);
    let config =
        TrainConfig { horizons, layer_norm, chain: Some(chain), ..TrainConfig::new(&bundle) };
    let report = train::run(dir.path(), &config, None, &|_| {}).unwrap();
    let joint = report.chain.unwrap().joint;
    assert!(joint[0].chain_nats < 2.0 * 4f32.ln() - 0.3, "the first theme can be known: {joint:?}");
    let loaded = Bundle::load(&bundle).unwrap();
    assert_eq!((loaded.card.predictor.as_str(), loaded.card.format), ("chain", 3));
    assert!(loaded.link.is_some() && loaded.chain.is_some() && loaded.ensemble.is_empty());
    let other_bundles = vec![bundle.clone()];
    let config =
        EvalConfig { resamples: 20, curve_draws: 0, other_bundles, ..EvalConfig::new(&bundle) };
    let judged = eval::run(dir.path(), &config, Some(&WordEmbedder), &|_| {}).unwrap();
    assert!(judged.horizons[0].models[0].scores.top1 > 0.7);
    assert_eq!(judged.other_joint[0].joint, judged.joint[0], "the same bundle once more");
    assert!(!judged.joint.is_empty() && !judged.served_chains.is_empty());
}

#[test]
fn a_direction_leads_from_one_theme_to_another_and_back() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    label::run(dir.path(), &ByWord, &|_| {}).unwrap();
    let ids: Vec<String> =
        Labels::load(dir.path()).unwrap().themes.into_iter().map(|theme| theme.id).collect();
    let direction = |from: &str, to: &str, strength| {
        crate::steer::direction(dir.path(), Site::LayerIn(2), (from, to), strength)
    };
    let there = direction(&ids[0], &ids[1], 1.0).unwrap();
    let back = direction(&ids[1], &ids[0], 2.0).unwrap();
    assert!(there.iter().any(|x| x.abs() > 1e-3));
    for (there, back) in there.iter().zip(&back) {
        assert!((2.0 * there + back).abs() < 1e-4, "{there} {back}");
    }
    let unknown = direction("nothing", &ids[0], 1.0).unwrap_err().to_string();
    assert!(unknown.contains("no theme 'nothing'") && unknown.contains(&ids[0]), "{unknown}");
}

#[test]
fn layer_norm_of_activations_that_nothing_sees_is_refused() {
    let text = Some("words".to_owned());
    let config = TrainConfig { layer_norm: true, activations: false, text, ..TrainConfig::new("") };
    let error = train::run("".as_ref(), &config, None, &|_| {}).unwrap_err().to_string();
    assert!(error.contains("LayerNorm is of activations"), "{error}");
}

#[test]
fn too_many_horizons_are_named() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    label::run(dir.path(), &ByWord, &|_| {}).unwrap();
    let config = TrainConfig { horizons: 12, ..TrainConfig::new(dir.path().join("bundle")) };
    let message = train::run(dir.path(), &config, None, &|_| {}).unwrap_err().to_string();
    assert!(message.contains("answers are too short for 12 horizons"), "{message}");
}

#[test]
fn the_bundle_beats_the_baselines_where_only_the_residual_knows() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    label::run(dir.path(), &ByWord, &|_| {}).unwrap();
    let bundle = dir.path().join("bundle");
    let config = TrainConfig { horizons: 2, ..TrainConfig::new(&bundle) };
    train::run(dir.path(), &config, None, &|_| {}).unwrap();
    let config = EvalConfig::new(&bundle);
    let report = eval::run(dir.path(), &config, Some(&WordEmbedder), &|_| {}).unwrap();
    assert_eq!((report.test_documents, report.horizons.len(), report.mid.len()), (12, 7, 3));
    for name in [
        "marginal",
        "persistence",
        "Markov 1",
        "Markov 2",
        "text: TF-IDF",
        "text: MiniLM",
        "shuffled labels",
    ] {
        let model = report.model("boundary", 1, name).unwrap();
        let difference = model.difference.unwrap();
        assert!(difference.nll_interval.unwrap().high < -0.2, "{name}: {model:?}");
        assert!(difference.top1_interval.unwrap().low > 0.1, "{name}: {model:?}");
        // Two segments ahead nobody can know.
        let far = report.model("boundary", 2, name).unwrap().difference.unwrap();
        assert!(far.top1_interval.unwrap().low < 0.1, "{name}: {far:?}");
    }
    let ours = report.ours("prompt end", 1).unwrap();
    assert!(ours.scores.top1 > 0.6 && ours.difference.is_none(), "{ours:?}");
    assert!(report.now.as_ref().unwrap().scores.top1 > 0.95);
    assert!(report.mid[0].scores.top1 > 0.9 && report.mid[1].scores.top1 > 0.8);
    let shown = &report.served_chains;
    let places: Vec<_> = shown.iter().map(|one| (one.place.as_str(), one.way.as_str())).collect();
    assert_eq!(places[4..], [("within segments", "served"), ("within segments", "product")]);
    // Eight segments: from the first five the two after them can be seen, from five boundaries too.
    assert_eq!((shown[0].cases, shown[2].cases), (12, 12 * 5));
    for one in shown {
        assert!((one.first_p - one.first_came.mean).abs() < 0.15, "{one:?}");
        assert!(one.any_came.mean >= one.first_came.mean && one.any_p > one.first_p, "{one:?}");
    }
    for one in &report.joint {
        assert!(one.ours_nats < one.rivals[0].nats + 0.05, "beside the product: {one:?}");
    }
    let boundary = report.horizon("boundary", 1).unwrap();
    let (told, covered) = (boundary.told.unwrap(), ours.intervals.coverage.unwrap());
    assert!(told.nll_interval.unwrap().high < -0.2 && boundary.told_changes.is_some(), "{told:?}");
    let coverage = ours.scores.coverage.unwrap();
    assert!(covered.low <= coverage && coverage <= covered.high, "{covered:?}");
    assert!(ours.scores.ece_by_chance_most >= ours.scores.ece_by_chance);
    let page = report.to_html();
    assert!(page.contains("Both told"), "{page}");
    assert!(page.contains("residual only") && !page.contains("http"));
    assert!(report.to_markdown().contains("| persistence |"));
    let json = serde_json::to_string(&report).unwrap();
    let back: eval::EvalReport = serde_json::from_str(&json).unwrap();
    assert_eq!((back.horizons.len(), &back.notes), (7, &report.notes));
    eval::record(&bundle, "test", report.summary_json()).unwrap();
    let card = Bundle::load(&bundle).unwrap().card;
    let test = &card.evaluation["test"];
    assert_eq!(test["test_documents"], 12);
    assert_eq!(test["within_segments"][0]["offset"], 0);
    assert!(card.evaluation["validation"].is_array());
}

#[test]
fn test_documents_change_nothing_in_training() {
    let predictor = |documents: usize| {
        let dir = tempfile::tempdir().unwrap();
        // Document 60 is one of the test split.
        synthetic::write(dir.path(), &Plan { documents, ..SMALL });
        label::run(dir.path(), &ByWord, &|_| {}).unwrap();
        let config = TrainConfig { horizons: 1, ..TrainConfig::new(dir.path().join("bundle")) };
        train::run(dir.path(), &config, None, &|_| {}).unwrap();
        Bundle::load(&config.out).unwrap().predictor
    };
    assert_eq!(predictor(60), predictor(61));
}

/// Run with `cargo test --release -p themecast-lab -- --ignored --nocapture real_size`.
#[test]
#[ignore = "takes minutes: how long training and evaluation take at a real size"]
fn a_collection_of_real_size() {
    let dir = tempfile::tempdir().unwrap();
    let started = std::time::Instant::now();
    let say = |line: &str| println!("{:7.1} s  {line}", started.elapsed().as_secs_f64());
    let plan = Plan { documents: 400, segments: 9, tokens: 22, hidden: 576 };
    synthetic::write(dir.path(), &plan);
    say("written");
    label::run(dir.path(), &ByWord, &say).unwrap();
    let bundle = dir.path().join("bundle");
    let sites = vec![themecast_plugin_api::Site::Final];
    let config = TrainConfig { sites, ..TrainConfig::new(&bundle) };
    train::run(dir.path(), &config, None, &say).unwrap();
    eval::run(dir.path(), &EvalConfig::new(&bundle), None, &say).unwrap();
    say("evaluated");
}

#[test]
fn a_bundle_of_other_themes_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    label::run(dir.path(), &ByWord, &|_| {}).unwrap();
    let bundle = dir.path().join("bundle");
    let config = TrainConfig { horizons: 1, ..TrainConfig::new(&bundle) };
    train::run(dir.path(), &config, None, &|_| {}).unwrap();
    let config = ClusterConfig { themes: Some(3), seed: 1, starts: 2 };
    label::run(dir.path(), &Cluster::new(config, &WordEmbedder), &|_| {}).unwrap();
    let error = eval::run(dir.path(), &EvalConfig::new(&bundle), None, &|_| {}).unwrap_err();
    assert!(error.to_string().contains("themes are not those of the labels"), "{error}");
}
