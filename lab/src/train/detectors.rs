//! What the detectors of divergence are tuned to: clean answers of the validation split.

use crate::{
    LabError, Result, Split,
    dataset::{Document, Load},
    eval::embeddings::Embeddings,
    pace::Documents,
    replay::{Chain, Player, replay},
};
use std::{collections::HashMap, path::Path};
use themecast_forecast::{
    bundle::Bundle,
    divergence::{
        Coherence, CoherenceCard, ControlCard, Cusum, DetectorCard, PageHinkley, entropy_nats,
        surprise_nats,
    },
    linear::RowKind,
    predict::Forecaster,
};

/// The share of clean answers in which a control chart may raise its alarm.
const FALSE_ALARMS: f64 = 0.01;
/// What the charts let pass, in deviations of the excess.
const SLACK: f32 = 0.5;
/// Quantiles of incoherence that are kept.
const QUANTILES: usize = 257;

/// One segment as the detectors of serving see it: what the head took for its theme.
pub(crate) struct Seen {
    /// Its number in the answer.
    pub(crate) segment: i32,
    /// The forecast made at its start, *shape* `[themes]`.
    pub(crate) forecast: Vec<f32>,
    /// Its theme.
    pub(crate) theme: usize,
    /// The mean of its residuals at the last site, *shape* `[hidden]`.
    pub(crate) residual_mean: Vec<f32>,
    /// How many tokens had been read when it ended.
    pub(crate) token: usize,
}

/// The segments of `document`, which has the residuals of the bundle's sites; `texts` are the
/// embeddings that the bundle reads.
///
/// # Errors
/// [`LabError::Data`] where residuals have another width or a text has no embedding.
pub(crate) fn seen(
    bundle: &Bundle,
    texts: Option<&Embeddings>,
    document: &Document,
) -> Result<Vec<Seen>> {
    let classifier = &bundle.predictor.heads(RowKind::Boundary)[0];
    let now = |row: &[f32], now: &mut Vec<f32>| classifier.probabilities(row, now);
    let mut forecaster = Forecaster::new(bundle);
    let mean = bundle.layout().last_segment_mean();
    let (mut seen, mut before, mut token) = (Vec::new(), None::<Vec<f32>>, 0);
    replay(document, Player { layout: bundle.layout(), texts }, now, |moment| {
        let foresight = forecaster.forecast(bundle, moment.kind, moment.features);
        token += usize::from(moment.segment >= 0);
        if moment.kind == RowKind::Boundary {
            if let Some((forecast, now)) = before.take().zip(moment.now) {
                let theme = now.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
                seen.push(Seen {
                    segment: moment.segment,
                    forecast,
                    theme: theme.map_or(0, |(theme, _)| theme),
                    residual_mean: moment.features[mean.clone()].to_vec(),
                    token,
                });
            }
            before = foresight.steps.first().cloned();
        }
        Ok(())
    })?;
    Ok(seen)
}

/// Tunes the detectors of `bundle` on the validation answers of `dir`.
///
/// # Errors
/// [`LabError`] of reading; [`LabError::Data`] where no answer has two segments.
pub(super) fn tune(
    (dir, texts): (&Path, Option<&Embeddings>),
    bundle: &Bundle,
    chains: &HashMap<String, Chain>,
    progress: &dyn Fn(&str),
) -> Result<DetectorCard> {
    let slack_nats = SLACK * bundle.card.reference.excess_std;
    let card = ControlCard { slack_nats, threshold_nats: 1.0 };
    let (mut distances, mut sums, mut rises) = (Vec::new(), Vec::new(), Vec::new());
    for document in Documents::open(dir, Load::Residuals(bundle.card.sites.clone()), progress)? {
        let document = document?;
        if Split::of(&document)? != Split::Validation || !chains.contains_key(&document.id) {
            continue;
        }
        let (mut cusum, mut page_hinkley) = (Cusum::new(card), PageHinkley::new(card));
        let (mut coherence, mut most) = (Coherence::default(), (0f32, 0f32));
        for one in seen(bundle, texts, &document)? {
            let excess = surprise_nats(&one.forecast, one.theme) - entropy_nats(&one.forecast);
            cusum.add(excess);
            page_hinkley.add(excess);
            most = (most.0.max(cusum.score()), most.1.max(page_hinkley.score()));
            distances
                .extend(coherence.end(&bundle.card.reference.standardised(&one.residual_mean)));
        }
        sums.push(most.0);
        rises.push(most.1);
    }
    if distances.is_empty() {
        return Err(LabError::data("no validation answer has two segments to tune detectors on"));
    }
    let control = |mut most: Vec<f32>| {
        most.sort_by(f32::total_cmp);
        let place = ((1.0 - FALSE_ALARMS) * (most.len() - 1) as f64).ceil() as usize;
        ControlCard { slack_nats, threshold_nats: most[place].max(f32::MIN_POSITIVE) }
    };
    Ok(DetectorCard {
        cusum: control(sums),
        page_hinkley: control(rises),
        coherence: CoherenceCard::of(&distances, QUANTILES),
    })
}
