//! A made-up collection whose residuals know the coming theme, read by a model that knows only the
//! present one.

use super::super::EvalConfig;
use crate::{
    dataset::{CollectionInfo, Document, DocumentReader, Load, PartWriter, Shard, to_half},
    label,
    synthetic::{self, ByWord, SMALL, WordEmbedder},
};
use std::path::Path;
use themecast_plugin_api::Site;

/// Every document but one, the other way round; of the residuals only the columns of the present
/// theme, at one site.
fn read(from: &Path, to: &Path) {
    let mut info = CollectionInfo::load(from).unwrap();
    let all = DocumentReader::open(from, Load::Residuals(vec![Site::Final])).unwrap();
    let mut documents: Vec<Document> = all.map(Result::unwrap).collect();
    for row in documents.iter_mut().flat_map(|document| &mut document.tokens) {
        let now = row.residuals.as_ref().map(|all| all[..4].iter().map(|x| x.to_f32()).collect());
        row.residuals = now.map(|now: Vec<f32>| to_half(&now));
    }
    documents.reverse();
    documents.pop();
    (info.model.hidden_size, info.model_name) = (4, "reader".into());
    info.sites = vec![Site::Final];
    info.save(to).unwrap();
    PartWriter::new(to, Shard::WHOLE, &info).unwrap().write(&documents).unwrap();
}

#[test]
fn what_only_the_writer_knows_shows_in_the_difference() {
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    synthetic::write(own.path(), &SMALL);
    label::run(own.path(), &ByWord, &|_| {}).unwrap();
    let config = EvalConfig { horizons: 2, resamples: 100, ..EvalConfig::new("") };
    let run = |read: &Path| super::run(own.path(), read, &config, Some(&WordEmbedder), &|_| {});
    let strangers = run(other.path()).unwrap_err().to_string();
    assert!(strangers.contains("made of that collection with `read`"), "{strangers}");
    read(own.path(), other.path());
    let report = run(other.path()).unwrap();
    assert_eq!(report.documents.iter().sum::<usize>(), 58, "one loops, one was not read");
    assert_eq!(report.sites[1], "final", "the only one");
    let row = |model: &str| {
        let here = |row: &&super::ReadByRow| row.place == "boundary" && row.ahead == 1;
        report.rows.iter().filter(here).find(|row| row.model == model).unwrap()
    };
    let (own, other) = (row("own activations"), row("another model's activations"));
    assert!(own.top1 > 0.6 && other.top1 < 0.5, "{own:?} {other:?}");
    let [ahead, added] = [other.own_minus, other.both_minus].map(Option::unwrap);
    assert!(ahead.nll_interval.unwrap().high < 0.0, "{ahead:?}");
    assert!(added.nll_interval.unwrap().high < 0.0, "{added:?}");
    assert!(own.own_minus.is_none() && row("both").both_minus.is_none());
    let page = report.to_markdown();
    assert!(page.contains("made-up read by reader") && !page.contains("NaN"), "{page}");
}
