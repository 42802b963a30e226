//! Comparisons of labellers whose agreement is known.

use super::*;
use crate::{
    label::{
        Cluster, ClusterConfig, Distilled, Labeling, Taxonomy,
        catalogue::Entry,
        llm::{ANSWERS, Answer, Answers},
        segments_of,
    },
    split::stable_hash,
    synthetic::{self, ByWord, SMALL, WORDS, WordEmbedder},
};
use std::fs;

fn config(sheet_of: &str) -> CompareConfig {
    CompareConfig { sheet_of: sheet_of.to_owned(), topics_of: None, seed: 1 }
}

/// The made-up themes as a written catalogue, with the ids that [`ByWord`] gives.
fn catalogue() -> Vec<Entry> {
    let entry = |words: &[&str; 3]| Entry {
        id: words[0].into(),
        name: words[1].into(),
        description: words[2].into(),
        examples: words.map(str::to_owned).into(),
    };
    WORDS.iter().map(entry).collect()
}

/// Labels that hang on the wording, or on what was fitted on.
struct Chance {
    fitted: bool,
}

impl Labeler for Chance {
    fn method(&self) -> &str {
        if self.fitted { "by-training" } else { "by-wording" }
    }

    fn parameters(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    fn label(&self, segments: &[Segment], progress: &dyn Fn(&str)) -> Result<Labeling> {
        let training = segments.iter().filter(|one| one.split == Split::Train);
        let training: String = training.map(|one| one.document.as_str()).collect();
        let theme = |one: &Segment| match self.fitted {
            true => stable_hash(&format!("{training}/{}", one.segment)) as u32 % 4,
            false => stable_hash(&one.text) as u32 % 4,
        };
        let assigned = segments.iter().map(theme).collect();
        Ok(Labeling { assigned, ..ByWord.label(segments, progress)? })
    }
}

fn report(labelers: &[&dyn Labeler], segments: &[Segment]) -> ComparisonReport {
    of_segments(segments, labelers, &[], &config(labelers[0].method()), &|_| {}).unwrap()
}

/// Ten documents of 60 segments each that a paraphraser always changes.
fn wordy() -> Vec<Segment> {
    let one = |number: u32| Segment {
        document: format!("d{}", number / 60),
        split: if number < 300 { Split::Train } else { Split::Test },
        segment: number,
        first_token: 0,
        end_token: 1,
        text: format!("{number} of them do not see the {}", WORDS[number as usize % 4][0]),
    };
    (0..600).map(one).collect()
}

#[test]
fn methods_that_say_the_same_agree_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    let embedder = WordEmbedder;
    let four = ClusterConfig { themes: Some(4), seed: 1, starts: 10 };
    let cluster = Cluster::new(four, &embedder);
    let taxonomy = Taxonomy { catalogue: catalogue(), embedder: &embedder };
    let labelers: [&dyn Labeler; 3] = [&cluster, &taxonomy, &ByWord];
    let report = run(dir.path(), &labelers, &[], &config("cluster"), &|_| {}).unwrap();
    assert!(!dir.path().join("labels").exists());
    assert_eq!((report.segments, report.test_segments), (59 * 8, 12 * 8));
    let kappas: Vec<_> = report
        .pairs
        .iter()
        .map(|pair| {
            let agreement = pair.agreement.as_ref().unwrap();
            assert!(agreement.adjusted_mutual_information > 0.999, "{pair:?}");
            assert_eq!(agreement.segments, 12 * 8);
            (pair.first.as_str(), pair.second.as_str(), agreement.kappa)
        })
        .collect();
    let expected = [
        ("cluster", "taxonomy", None),
        ("cluster", "by-word", None),
        ("taxonomy", "by-word", Some(1.0)),
    ];
    assert_eq!(kappas, expected);
    for method in &report.methods {
        assert_eq!(method.in_use, 4);
        assert!((method.entropy_nats - 4.0_f64.ln()).abs() < 0.02, "{method:?}");
        let (persistence, chance) =
            (method.persistence.unwrap(), method.persistence_by_chance.unwrap());
        assert!((chance - 0.25).abs() < 0.01 && (persistence - chance).abs() < 0.06, "{method:?}");
        assert!(method.refitted.as_ref().unwrap().adjusted_rand_index > 0.999, "{method:?}");
    }
    let others: Vec<_> = report.methods.iter().map(|method| method.other).collect();
    assert_eq!(others, [None, Some(0.0), None]);
}

#[test]
fn what_hangs_on_wording_or_on_training_shows() {
    let [wording, training] = [Chance { fitted: false }, Chance { fitted: true }];
    let report = report(&[&wording, &training, &ByWord], &wordy());
    let figures = report.methods.iter().map(|method| {
        let kappa = |one: &Option<crate::label::Agreement>| one.as_ref().unwrap().kappa.unwrap();
        assert_eq!(method.paraphrased.as_ref().unwrap().segments, 300);
        (kappa(&method.refitted), kappa(&method.paraphrased))
    });
    let [wording, training, word] = figures.collect::<Vec<_>>()[..] else { panic!("three") };
    assert_eq!(wording.0, 1.0);
    assert!(wording.1.abs() < 0.15, "{wording:?}");
    assert_eq!(training.1, 1.0);
    assert!(training.0.abs() < 0.15, "{training:?}");
    assert_eq!(word, (1.0, 1.0));
}

#[test]
fn what_was_distilled_takes_part_and_is_held_against_answers() {
    let dir = tempfile::tempdir().unwrap();
    synthetic::write(dir.path(), &SMALL);
    let segments = segments_of(dir.path(), &|_| {}).unwrap();
    let truth = ByWord.label(&segments, &|_| {}).unwrap().assigned;
    let (mut sampled, mut said) = (String::new(), String::new());
    for (segment, &theme) in segments.iter().zip(&truth) {
        let mut probabilities = vec![0.02; 4];
        probabilities[theme as usize] = 0.94;
        let (document, number) = (segment.document.clone(), segment.segment);
        let answer = Answer { document, segment: number, order: 0, probabilities, asked: None };
        sampled += &(serde_json::to_string(&answer).unwrap() + "\n");
        let theme = WORDS[theme as usize][0];
        said += &format!(
            r#"{{"document":"{}","segment":{number},"theme":"{theme}"}}"#,
            segment.document
        );
        said.push('\n');
    }
    fs::write(dir.path().join(ANSWERS), sampled).unwrap();
    let file = dir.path().join("people.jsonl");
    fs::write(&file, said).unwrap();
    let catalogue = catalogue();
    let answers = Answers::open(dir.path(), &catalogue).unwrap();
    let embedder = WordEmbedder;
    let taxonomy = Taxonomy { catalogue: catalogue.clone(), embedder: &embedder };
    let llm = Distilled { catalogue, answers: &answers, embedder: &embedder, keep: None };
    let judged = [
        Judged::read(&file, &[]).unwrap(),
        Judged::read(&dir.path().join(ANSWERS), &taxonomy.catalogue).unwrap(),
    ];
    let report =
        of_segments(&segments, &[&taxonomy, &llm], &judged, &config("llm"), &|_| {}).unwrap();
    let of = |place: usize| report.answers[place].agreement.clone().unwrap();
    assert_eq!(report.answers.len(), 5, "two files with two methods, and with each other");
    assert!((0..5).all(|place| of(place).segments == 12 * 8));
    let by_name = report.answers.iter().find(|one| one.method == ANSWERS).unwrap();
    assert_eq!(by_name.agreement.as_ref().unwrap().kappa, Some(1.0), "each passage's likeliest");
    assert_eq!(of(0).kappa, Some(1.0));
    assert!(of(1).kappa.unwrap() > 0.95, "{:?}", of(1));
    assert!(report.pairs[0].agreement.as_ref().unwrap().kappa.unwrap() > 0.95);
    assert!(report.methods[1].refitted.as_ref().unwrap().kappa.unwrap() > 0.9);
    assert!(report.methods[1].own.is_some());
}

#[test]
fn the_sheet_shows_passages_of_the_test_split_and_the_page_escapes_them() {
    let mut segments = wordy();
    for one in segments.iter_mut().filter(|one| one.split == Split::Test) {
        one.text = format!("<test> {}", one.text.repeat(9));
    }
    let report = report(&[&ByWord], &segments);
    assert_eq!(report.sheet.len(), 4);
    for (theme, words) in report.sheet.iter().zip(WORDS) {
        assert_eq!((theme.id.as_str(), theme.passages.len()), (words[0], 3));
        for passage in &theme.passages {
            let text = &passage.text;
            assert!(text.starts_with("<test>") && text.contains(words[0]), "{text}");
            assert_eq!((text.chars().count(), &passage.topic), (140, &None));
        }
    }
    let html = report.to_html();
    assert!(html.contains("&lt;test&gt;") && !html.contains("<test>"));
    assert!(html.contains("<h3>flour, sugar, butter (25.0 %)</h3>"));
    assert!(html.trim_end().ends_with("</html>"));
    let text = report.to_markdown();
    assert!(text.contains("| by-word | 4 | 4 | 1.386 |"), "{text}");
    for absent in ["## With answers from elsewhere", "## Themes and topics"] {
        assert!(!text.contains(absent), "empty tables are left out: {absent}");
    }
    assert_eq!(serde_json::to_value(&report).unwrap()["sheet_of"], "by-word");
}

#[test]
fn topics_stand_beside_themes_and_each_passage_names_its_own() {
    let segments = wordy();
    let (by_wording, topics) = (Chance { fitted: false }, ByWord);
    let labelers: [&dyn Labeler; 2] = [&topics, &by_wording];
    let config = CompareConfig { topics_of: Some("by-word".into()), ..config("by-wording") };
    let report = of_segments(&segments, &labelers, &[], &config, &|_| {}).unwrap();
    let shared: Vec<f64> = report.methods.iter().map(|one| one.with_topics.unwrap()).collect();
    assert!((shared[0] - 1.0).abs() < 1e-9 && shared[1].abs() < 0.05, "{shared:?}");
    for passage in report.sheet.iter().flat_map(|theme| &theme.passages) {
        let words = WORDS.iter().find(|words| passage.text.contains(words[0])).unwrap();
        assert_eq!(passage.topic.as_deref(), Some(words.join(", ").as_str()));
    }
    let html = report.to_html();
    assert!(html.contains("<h2>Themes and topics</h2>") && html.contains("<td>topics (by-word)"));
    assert!(html.contains("<li>[flour, sugar, butter] "), "{html}");
    let text = report.to_markdown();
    assert!(text.contains("| topics (by-word) | 4 | 1.386 | 0.000 | 0.250 | – |"), "{text}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let fails = |segments: &[Segment], sheet_of: &str| {
        let labelers: [&dyn Labeler; 1] = [&ByWord];
        let outcome = of_segments(segments, &labelers, &[], &config(sheet_of), &|_| {});
        outcome.unwrap_err().to_string()
    };
    let error = fails(&wordy(), "llm");
    assert!(error.contains("'llm' is not among those compared"), "{error}");
    let labelers: [&dyn Labeler; 1] = [&ByWord];
    let no_topics = CompareConfig { topics_of: Some("cluster".into()), ..config("by-word") };
    let error = of_segments(&wordy(), &labelers, &[], &no_topics, &|_| {}).unwrap_err();
    assert!(error.to_string().contains("'cluster' is not among"), "{error}");
    let error = fails(&wordy()[..300], "by-word");
    assert!(error.contains("no segment is in the test split"), "{error}");
}
