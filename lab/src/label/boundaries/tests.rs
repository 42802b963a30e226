//! Both ways of cutting, on texts whose boundaries are known.

use super::*;
use crate::label::words::Words;
use crate::{
    Split,
    embed::Embed,
    label::{
        Classifier,
        boundaries::{change::ChangeConfig, units::units, ways::by_change},
        catalogue,
    },
    synthetic::{self, Plan, WordEmbedder},
};
use themecast_forecast::linear::Affine;

fn answer(text: &str, truncated: bool) -> Answer {
    let tokens = text.split_inclusive(' ').map(str::to_owned).collect();
    Answer { document: "d".into(), split: Split::Test, truncated, tokens }
}

fn lengths(min_chars: usize, max_chars: usize) -> SegmenterConfig {
    SegmenterConfig { min_chars, max_chars }
}

fn reading(embedder: &dyn Embed) -> Reading<'_> {
    let (layout, unit) = (lengths(25, 200), lengths(1, 200));
    Reading { layout, unit, embedder, progress: &|_| {} }
}

const STORY: &str = "flour sugar. butter flour. sugar. ocean vessel. harbour ocean. open end";

#[test]
fn units_are_sentences_and_the_open_end_counts_only_where_all_was_said() {
    let of = |truncated| {
        let units = units(&answer("One. \n \nTwo three. end", truncated), &lengths(1, 99));
        units.into_iter().map(|unit| (unit.end, unit.text)).collect::<Vec<_>>()
    };
    let closed = [(1, "One. ".to_owned()), (4, "\n \nTwo three. ".to_owned())];
    assert_eq!(of(true), closed, "white space alone is no unit");
    assert_eq!(of(false)[..2], closed);
    assert_eq!(of(false)[2..], [(5, "end".to_owned())]);
}

#[test]
fn a_boundary_is_where_the_subject_changes_and_known_one_unit_late() {
    let (answer, reading) = (answer(STORY, true), reading(&WordEmbedder));
    let units = reading.units(std::slice::from_ref(&answer)).unwrap();
    let config = ChangeConfig { lengths: lengths(5, 200), threshold: 0.1 };
    let cut = by_change(&units[0], &config);
    let places: Vec<_> = cut.iter().map(|one| (one.end, one.known)).collect();
    assert_eq!(places, [(5, 7)], "before 'ocean vessel.', known at its end");
    let mut segments = Vec::new();
    answer.segments(cut.iter().map(|one| one.end), &mut segments);
    let texts: Vec<&str> = segments.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(texts, ["flour sugar. butter flour. sugar. "], "the open end is cut off");
    let finished = Answer { truncated: false, ..answer };
    let mut segments = Vec::new();
    finished.segments(cut.iter().map(|one| one.end), &mut segments);
    assert_eq!((segments[1].first_token, segments[1].end_token, segments[1].segment), (5, 11, 1));
}

#[test]
fn the_threshold_gives_the_length_that_is_wanted() {
    let reading = reading(&WordEmbedder);
    let text = format!("{}{}", STORY.repeat(3), "comet planet. galaxy. violin. ".repeat(4));
    let answers = vec![answer(&text, true); 5];
    let units = reading.units(&answers).unwrap();
    let mean = |threshold| {
        let config = ChangeConfig { lengths: lengths(5, 200), threshold };
        let cuts: Vec<_> = units.iter().map(|units| by_change(units, &config)).collect();
        threshold::mean_chars(&answers, &cuts).unwrap()
    };
    let wanted = mean(0.3);
    assert!(wanted < mean(-0.9) && wanted > mean(0.99), "the threshold matters");
    let found = threshold::choose(&answers, &units, &lengths(5, 200), wanted);
    assert!((mean(found) - wanted).abs() < 1e-9, "{found}: {} for {wanted}", mean(found));
}

/// Tells the made-up themes apart by the first words of their embeddings.
fn classifier() -> Classifier {
    // The row is the embedding twice, the layout and the words; it is found by labelling.
    let entries = &catalogue::read(None).unwrap()[..4];
    let features = crate::label::distil::rows(
        &[crate::label::Segment {
            document: "d".into(),
            split: Split::Test,
            segment: 0,
            first_token: 0,
            end_token: 1,
            text: String::new(),
        }],
        &[vec![0.0; 12]],
        &Words::default(),
    )[0]
    .len();
    let mut weight = vec![0.0; 4 * features];
    for word in 0..12 {
        weight[word / 3 * features + word] = 9.0;
    }
    Classifier::new(
        entries,
        Words::default(),
        Affine { weight, bias: vec![0.0; 4], temperature: 1.0 },
    )
}

#[test]
fn a_collection_is_judged_both_ways() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &Plan { documents: 60, segments: 12, tokens: 6, hidden: 12 });
    let labeler =
        Classified { classifier: classifier(), name: "own".into(), embedder: &WordEmbedder };
    let config = BoundaryConfig { min_chars: 10, ..BoundaryConfig::default() };
    let report = run(dir.path(), &labeler, &config, &|_| {}).unwrap();
    assert_eq!((report.documents, report.train_documents), (12, 35));
    let [layout, change, chance] = &report.ways[..] else { panic!("three ways") };
    // Every made-up segment is a sentence of 30 to 50 characters: a unit and, by layout, a segment.
    assert_eq!((report.units, layout.segments), (12 * 12, 12 * 12));
    assert_eq!((layout.lag.mean_tokens, layout.kept.unwrap() > 0.99), (0.0, true));
    assert_eq!((layout.uncovered, layout.boundary_rate), (0.0, 1.0));
    assert!(layout.coherence.within.is_none(), "no segment has two units");
    assert!((change.lag.mean_tokens - 6.0).abs() < 1e-9, "one unit: {:?}", change.lag);
    assert!(change.segments < layout.segments && change.uncovered > 0.05, "{change:?}");
    assert_eq!(chance.kept, None);
    assert!(report.agreement.f1_exact >= report.agreement_by_chance.f1_exact);
    let text = report.to_markdown();
    assert!(text.contains("| layout | 144 | "), "{text}");
    assert_eq!(report, run(dir.path(), &labeler, &config, &|_| {}).unwrap());
    let none = BoundaryConfig { min_chars: 400, ..config };
    let error = run(dir.path(), &labeler, &none, &|_| {}).unwrap_err().to_string();
    assert!(error.contains("segments of 400 to 400"), "{error}");
}
