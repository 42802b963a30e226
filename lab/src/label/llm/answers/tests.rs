//! Answers kept, dropped and refused.

use super::*;
use crate::label::catalogue;

#[test]
fn answers_are_kept_and_a_line_that_was_cut_off_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = &catalogue::read(None).unwrap()[..2];
    let mut answers = Answers::open(dir.path(), catalogue).unwrap();
    let answer = |segment, p: f32| Answer {
        document: "a/0".into(),
        segment,
        order: 0,
        probabilities: vec![p, 1.0 - p],
        asked: None,
    };
    answers.add(answer(0, 0.75)).unwrap();
    answers.add(answer(1, 0.25)).unwrap();
    let path = dir.path().join(ANSWERS);
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("{\"document\":\"a");
    fs::write(&path, text).unwrap();
    let mut again = Answers::open(dir.path(), catalogue).unwrap();
    assert_eq!((again.len(), again.get("a/0", 1, 0)), (2, Some(&[0.25, 0.75][..])));
    assert_eq!(again.mean(0, [("a/0", 0), ("a/0", 1)]), Some(vec![0.5, 0.5]));
    assert_eq!(again.mean(0, [("a/0", 0), ("b/0", 1)]), Some(vec![0.75, 0.25]));
    again.add(answer(2, 0.5)).unwrap();
    assert_eq!(Answers::open(dir.path(), catalogue).unwrap().len(), 3);
    let other = catalogue::read(None).unwrap();
    assert!(Answers::open(dir.path(), &other).unwrap_err().to_string().contains("2 themes"));
}

#[test]
fn answers_about_another_catalogue_or_another_passage_do_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = catalogue::read(None).unwrap();
    let mut answers = Answers::open(dir.path(), &catalogue[..2]).unwrap();
    let segment = |text: &str| Segment {
        document: "a/0".into(),
        split: crate::Split::Train,
        segment: 0,
        first_token: 0,
        end_token: 1,
        text: text.into(),
    };
    let (read, other) = (segment("What now?"), segment("Nothing."));
    let asked = Some(answers.asked("small", &read));
    let (document, probabilities) = ("a/0".to_owned(), vec![0.5, 0.5]);
    answers.add(Answer { document, segment: 0, order: 0, probabilities, asked }).unwrap();
    let again = Answers::open(dir.path(), &catalogue[..2]).unwrap();
    assert!(again.of(&read, 0).is_some() && again.of(&other, 0).is_none());
    assert_eq!((again.of_another("small"), again.of_another("large")), (None, Some("small")));
    let error = Answers::open(dir.path(), &catalogue[1..3]).unwrap_err().to_string();
    assert!(error.contains("line 1: an answer about another catalogue's themes"), "{error}");
}

#[test]
fn a_choice_leaves_a_share_to_its_alternate() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = &catalogue::read(None).unwrap()[..2];
    let path = dir.path().join("chosen.jsonl");
    let line = |theme: &str| {
        format!(
            "{{\"document\":\"a/0\",\"segment\":1,\"theme\":\"{theme}\",\"alternate\":\"opening\"}}\n"
        )
    };
    fs::write(&path, line("materials")).unwrap();
    let answers = Answers::read(path.clone(), catalogue).unwrap();
    assert!(answers.chosen());
    assert_eq!(answers.get("a/0", 1, 0), Some(&[ALTERNATE, 1.0 - ALTERNATE][..]));
    fs::write(&path, line("cheese")).unwrap();
    let error = Answers::read(path, catalogue).unwrap_err().to_string();
    assert!(error.contains("line 1: the catalogue has no theme 'cheese'"), "{error}");
}

#[test]
fn the_likeliest_theme_is_that_once_the_mean_answer_is_divided_out() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = &catalogue::read(None).unwrap()[..2];
    let mut answers = Answers::open(dir.path(), catalogue).unwrap();
    // Both say the first theme rather; the second passage says so less than usual.
    for (segment, p) in [(0, 0.9), (1, 0.6)] {
        let (document, probabilities) = ("a/0".to_owned(), vec![p, 1.0 - p]);
        answers.add(Answer { document, segment, order: 0, probabilities, asked: None }).unwrap();
    }
    let mut found = answers.likeliest();
    found.sort_by_key(|one| one.segment);
    let themes: Vec<&str> = found.iter().map(|one| &*one.theme).collect();
    assert_eq!(themes, [&*catalogue[0].id, &*catalogue[1].id]);
}
