//! Two made-up collections, one of which says "ocean" wherever the other begins with "flour".

use super::*;
use crate::{
    dataset::{CollectionInfo, Document, DocumentReader, Load, PartWriter, Shard},
    synthetic::{self, ByWord, SMALL, WORDS},
};
use std::path::Path;

/// Writes the made-up collection into `dir`, each document changed by `change`, which leaves out
/// those that it says no to.
fn write(dir: &Path, change: impl Fn(usize, &mut Document) -> bool) {
    let source = tempfile::tempdir().unwrap();
    synthetic::write(source.path(), &SMALL);
    let info = CollectionInfo::load(source.path()).unwrap();
    info.save(dir).unwrap();
    let load = Load::Residuals(info.sites.clone());
    let documents = DocumentReader::open(source.path(), load).unwrap().map(Result::unwrap);
    let changed = documents.enumerate().filter_map(|(number, mut document)| {
        document.group = Some(if number < 4 { "few" } else { "many" }.into());
        change(number, &mut document).then_some(document)
    });
    let mut writer = PartWriter::new(dir, Shard::WHOLE, &info).unwrap();
    writer.write(&changed.collect::<Vec<_>>()).unwrap();
}

/// Another way to begin: the first theme's words become the second's.
fn begin_anew(document: &mut Document) {
    for row in document.tokens.iter_mut().filter(|row| row.segment == 0) {
        for word in WORDS[0] {
            row.text = row.text.replace(word, WORDS[1][0]);
        }
    }
}

fn compared(a: &Path, b: &Path) -> Result<ShiftReport> {
    let side = |name: &str, data: &Path| Side { name: name.into(), data: data.into() };
    let config = ShiftConfig {
        sides: [side("plain", a), side("changed", b)],
        prompts: None,
        resamples: 400,
        seed: 1,
    };
    run(&config, &ByWord, &|_| {})
}

fn pair() -> [tempfile::TempDir; 2] {
    [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()]
}

#[test]
fn the_same_answers_are_not_apart() {
    let [a, b] = pair();
    write(a.path(), |_, _| true);
    write(b.path(), |_, _| true);
    let report = compared(a.path(), b.path()).unwrap();
    let apart = report.apart.unwrap();
    assert!(apart.divergence < 1e-6 && apart.p == 1.0, "{apart:?}");
    assert!(report.passages.is_empty());
    assert!(report.themes.iter().all(|theme| theme.difference.mean == 0.0));
    assert!(report.transitions.iter().all(|pair| pair.difference.mean == 0.0));
    assert_eq!((report.prompts, report.left_out), (59, 1), "the looping answer's prompt is out");
    assert_eq!((report.sides[0].answers, report.sides[0].looping), (60, 1));
    assert_eq!(report.more_segments.unwrap().mean, 0.0);
}

#[test]
fn what_moved_is_found_with_its_place_and_passages() {
    let [a, b] = pair();
    write(a.path(), |number, _| number != 59);
    write(b.path(), |number, document| {
        begin_anew(document);
        number != 58
    });
    let report = compared(a.path(), b.path()).unwrap();
    assert_eq!((report.prompts, report.left_out), (57, 3));
    let moved: Vec<&str> = report.themes.iter().take(2).map(|one| one.theme.as_str()).collect();
    assert!(moved.contains(&"flour") && moved.contains(&"ocean"), "{moved:?}");
    let first = &report.places[0];
    assert!(first.apart.p < 0.01 && first.apart.divergence > first.apart.by_chance, "{first:?}");
    let later = report.places.iter().filter(|place| place.place != "first segment");
    assert!(later.into_iter().all(|place| place.apart.divergence < 1e-6));
    let moved = report.transitions.iter().filter(|pair| pair.difference.mean != 0.0);
    assert!(moved.into_iter().all(|pair| pair.from == "flour" || pair.from == "ocean"));
    let groups: Vec<&str> = report.groups.iter().map(|one| one.group.as_str()).collect();
    assert_eq!(groups, ["many"], "a group of four is not judged");
    let ocean = report.passages.iter().find(|passages| passages.theme == "ocean").unwrap();
    assert!(
        !ocean.sides[1].is_empty()
            && ocean.sides[1].iter().all(|text| WORDS[1].iter().any(|word| text.contains(word)))
    );
    let (tables, page) = (report.to_markdown(), report.to_html());
    assert!(tables.contains("| first segment | 57 and 57 |"), "{tables}");
    assert!(page.contains("Passages: ocean") && page.contains("a: plain; b: changed"));
}

#[test]
fn sides_that_cannot_be_compared_are_refused() {
    let [a, b] = pair();
    write(a.path(), |number, _| number < 3);
    write(b.path(), |number, _| number >= 3);
    let nothing = compared(a.path(), b.path()).unwrap_err().to_string();
    assert!(nothing.contains("no prompt has an answer on both sides"), "{nothing}");
    let c = tempfile::tempdir().unwrap();
    write(c.path(), |number, document| {
        document.prompt = "Another prompt.".into();
        number < 3
    });
    let another = compared(a.path(), c.path()).unwrap_err().to_string();
    assert!(another.contains("the prompt 'p0' is another"), "{another}");
}
