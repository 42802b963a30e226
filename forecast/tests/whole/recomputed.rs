//! Every annotation, computed once more from nothing but the definitions: features from scratch,
//! the shift at boundaries, the history that the classifier of ended segments does not see yet.

use crate::{
    made_up::{HIDDEN, HORIZONS, THEMES, bundle, numbers},
    session::{WORDS, run},
};
use themecast_forecast::{
    bundle::Bundle,
    linear::RowKind::{self, Boundary, Mid},
    segment::Segmenter,
};

/// Mean of each column; zeros where there are no rows.
fn mean(rows: &[Vec<f32>], width: usize) -> Vec<f32> {
    let column = |c: usize| rows.iter().map(|row| row[c]).sum::<f32>() / rows.len().max(1) as f32;
    (0..width).map(column).collect()
}

/// The row after `read` (the tokens' residuals), of which `own` are in the last one's segment,
/// with `before` segments ended before that and `history` the themes so far.
fn row(
    prompt: &[f32],
    read: &[Vec<f32>],
    own: usize,
    before: usize,
    history: &[Vec<f32>],
) -> Vec<f32> {
    let prompt_row = [prompt.to_vec()];
    let rows = if read.is_empty() { &prompt_row[..] } else { read };
    let none = vec![0.0; THEMES];
    let back = |n: usize| history.len().checked_sub(n).map_or(&none, |place| &history[place]);
    let position = [read.len(), before, own].map(|count| (count as f32).ln_1p());
    let own = &rows[rows.len() - own.max(1)..];
    let at_prompt = if read.is_empty() { 1.0 } else { 0.0 };
    let mut all = rows[rows.len() - 1].clone();
    all.extend(mean(own, HIDDEN).into_iter().chain(mean(rows, HIDDEN)));
    all.extend(back(1).iter().chain(back(2)).chain(&mean(history, THEMES)));
    all.extend(position.into_iter().chain([at_prompt]));
    all
}

fn head(bundle: &Bundle, kind: RowKind, offset: usize, row: &[f32]) -> Vec<f32> {
    let mut p = Vec::new();
    bundle.predictor.heads(kind)[offset].probabilities(row, &mut p);
    p
}

fn check(told: &serde_json::Value, expected: &[f32], what: &str) {
    for entry in told.as_array().unwrap() {
        let theme: usize = entry["theme"].as_str().unwrap()["theme-".len()..].parse().unwrap();
        let (p, wanted) = (entry["p"].as_f64().unwrap(), f64::from(expected[theme]));
        assert!((p - wanted).abs() < 2e-4, "{what}: theme {theme} has {p}, expected {wanted}");
    }
}

#[test]
fn annotations_follow_from_the_definitions() {
    let bundle = bundle();
    let (told, ..) = run(60, 5, &WORDS);
    let mut segmenter = Segmenter::new(&bundle.card.segmenter);
    let prompt = numbers(5, HIDDEN);
    let (mut read, mut history) = (Vec::new(), Vec::new());
    let (mut own, mut ended, mut boundaries) = (0, true, 0);
    for (index, note) in told.iter().enumerate() {
        if index > 0 {
            own = if ended { 1 } else { own + 1 };
            read.push(numbers(5 + index as u64, HIDDEN));
            ended = segmenter.push(WORDS[(index - 1) % WORDS.len()]);
        }
        let before = history.len();
        if ended && index > 0 {
            let row = row(&prompt, &read, own, before, &history);
            history.push(head(&bundle, Boundary, 0, &row));
            boundaries += 1;
        }
        let row = row(&prompt, &read, own, before, &history);
        let (kind, shift) = if ended { (Boundary, 1) } else { (Mid, 0) };
        check(&note["now"], &head(&bundle, kind, shift, &row), &format!("token {index}, now"));
        for ahead in 1..=HORIZONS {
            let expected = head(&bundle, kind, shift + ahead, &row);
            check(&note["next"][ahead - 1]["top"], &expected, &format!("token {index}, {ahead}"));
        }
    }
    assert!(boundaries > 5, "{boundaries} boundaries");
}
