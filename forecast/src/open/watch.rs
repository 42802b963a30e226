//! Phrases of one request and how likely a segment like each is to come.

use super::{
    OpenHead,
    head::{Expansion, features},
};
use crate::{
    dense::dot, ensemble::disagreement_nats, features::FeatureLayout, linear::RowKind, text::Embed,
};

/// How many numbers tell a phrase's chance at one moment.
pub const INPUTS: usize = 5;

/// How a forecast scores a phrase at one horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The cosine to expect.
    pub cosine: f32,
    /// By how many deviations that is above the phrase's usual forecast.
    pub unusual: f32,
}

/// What tells a phrase's chance: how unusual its best score is and how unusual the mean of its
/// scores, its best score among the cosines that training segments had with it (in deviations),
/// the spread of those, and its best score itself.
pub fn inputs(scores: impl Iterator<Item = Score>, segments: (f32, f32)) -> [f32; INPUTS] {
    let (mut best, mut unusual, mut sum, mut count) = (f32::MIN, f32::MIN, 0.0, 0.0f32);
    for score in scores {
        best = best.max(score.cosine);
        unusual = unusual.max(score.unusual);
        sum += score.unusual;
        count += 1.0;
    }
    let (mean, deviation) = segments;
    let rank = (best - mean) / deviation.max(1e-3);
    [unusual, sum / count.max(1.0), rank, 10.0 * deviation, 10.0 * best]
}

/// The probability that a logistic regression (*shape* `[1 + INPUTS]`, the intercept first) gives.
pub fn probability(calibration: &[f32], inputs: &[f32; INPUTS]) -> f32 {
    let (intercept, weights) = calibration.split_first().unwrap_or((&0.0, &[]));
    1.0 / (1.0 + (-(intercept + dot(weights, inputs))).exp())
}

/// How likely a segment like a phrase is to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    /// Its probability.
    pub p: f32,
    /// How far what was learnt of parts of the training prompts is apart on it, in nats (of two parts
    /// 0 to ln 2); none where the head was not fitted to such.
    pub disagreement_nats: Option<f32>,
}

/// A phrase in the terms of one regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Phrase {
    whole: Scorer,
    ensemble: Vec<Scorer>,
    segments: (f32, f32),
}

/// What scores a phrase at each horizon: the mean forecast of its cosine, how far it strays, the
/// weights of the latents.
#[derive(Debug, Clone, PartialEq)]
struct Scorer(Vec<(f32, f32, Vec<f32>)>);

impl Scorer {
    fn new(of: &Expansion, rank: usize, embedding: &[f32]) -> Self {
        let blocks = of.expand.chunks_exact(embedding.len() * rank);
        let horizon = |(block, bias): (&[f32], &[f32])| {
            let mut weights = vec![0.0; rank];
            for (row, share) in block.chunks_exact(rank).zip(embedding) {
                weights.iter_mut().zip(row).for_each(|(weight, x)| *weight += share * x);
            }
            (dot(bias, embedding), dot(&weights, &weights).sqrt(), weights)
        };
        Self(blocks.zip(of.bias.chunks_exact(embedding.len())).map(horizon).collect())
    }

    fn inputs(&self, latents: &[f32], segments: (f32, f32)) -> [f32; INPUTS] {
        let scores = self.0.iter().map(|(mean, deviation, weights)| {
            let above = dot(weights, latents);
            Score { cosine: mean + above, unusual: above / deviation.max(1e-6) }
        });
        inputs(scores, segments)
    }
}

impl Phrase {
    /// The phrase with this embedding, for rows of one kind.
    pub fn new(head: &OpenHead, kind: RowKind, embedding: &[f32]) -> Self {
        let set = head.set(kind);
        let scorer = |of: &Expansion| Scorer::new(of, head.card.rank, embedding);
        Self {
            whole: scorer(&set.whole),
            ensemble: set.ensemble.iter().map(scorer).collect(),
            segments: head.segments.cosines(embedding),
        }
    }

    /// What tells its chance at a moment with these latents.
    pub fn inputs(&self, latents: &[f32]) -> [f32; INPUTS] {
        self.whole.inputs(latents, self.segments)
    }

    /// Its chance at a moment with these latents, *shape* `[rank]`, by a logistic regression (*shape*
    /// `[1 + INPUTS]`, the intercept first).
    pub fn chance(&self, calibration: &[f32], latents: &[f32]) -> Chance {
        let of = |scorer: &Scorer| probability(calibration, &scorer.inputs(latents, self.segments));
        let members: Vec<[f32; 2]> = self.ensemble.iter().map(of).map(|p| [p, 1.0 - p]).collect();
        let opinions: Vec<&[f32]> = members.iter().map(|p| &p[..]).collect();
        let apart = (!opinions.is_empty()).then(|| disagreement_nats(&opinions));
        Chance { p: of(&self.whole), disagreement_nats: apart }
    }
}

/// The phrases that one request watches for.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    boundary: Vec<Phrase>,
    mid: Vec<Phrase>,
    /// Reused from step to step.
    features: Vec<f32>,
    latents: Vec<f32>,
}

impl Watch {
    /// Watches for phrases with these embeddings, *shape* `[phrases][dimension]`.
    pub fn new(head: &OpenHead, embeddings: &[Vec<f32>]) -> Self {
        let of = |kind| embeddings.iter().map(|one| Phrase::new(head, kind, one)).collect();
        Self { boundary: of(RowKind::Boundary), mid: of(RowKind::Mid), ..Self::default() }
    }

    /// Watches for `phrases`, embedded by `encoder`.
    ///
    /// # Errors
    /// The encoder's own, or that its vectors are not the head's, in one line.
    pub fn embed(head: &OpenHead, encoder: &dyn Embed, phrases: &[String]) -> Result<Self, String> {
        let embeddings = encoder.embed(phrases)?;
        let (wanted, dimension) = (phrases.len(), head.card.dimension);
        if embeddings.len() != wanted || embeddings.iter().any(|one| one.len() != dimension) {
            return Err(format!(
                "the sentence encoder did not give {wanted} vectors of width {dimension}: the \
                 bundle was made with {}",
                head.card.embedder
            ));
        }
        Ok(Self::new(head, &embeddings))
    }

    /// For each phrase the chance that one of the head's horizons brings a segment like it, counted
    /// from the segment of the token that was read last.
    pub fn chances(
        &mut self,
        head: &OpenHead,
        kind: RowKind,
        row: &[f32],
        layout: &FeatureLayout,
    ) -> Vec<Chance> {
        let phrases = match kind {
            RowKind::Boundary => &self.boundary,
            RowKind::Mid => &self.mid,
        };
        if phrases.is_empty() {
            return Vec::new();
        }
        features(row, layout, &mut self.features);
        head.set(kind).latents(&mut self.features, &mut self.latents);
        let calibration = head.calibration(kind);
        phrases.iter().map(|one| one.chance(calibration, &self.latents)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::{Background, Calibration, OpenCard, OpenSet};

    fn head() -> OpenHead {
        let set = OpenSet {
            scaling: [[0.0; 7], [1.0; 7]].concat(),
            project: vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            whole: Expansion { expand: vec![0.2, 0.0, 0.1, 0.0], bias: vec![0.3, 0.1, 0.3, 0.1] },
            ensemble: Vec::new(),
        };
        OpenHead {
            card: OpenCard {
                embedder: "made up".into(),
                dimension: 2,
                horizons: 2,
                rank: 1,
                background_rank: 1,
                ensemble: 0,
                calibration: Calibration {
                    boundary: vec![-1.0, 1.0, 0.0, 0.0, 0.0, 0.0],
                    mid: vec![0.0; 6],
                },
                evaluation: serde_json::Value::Null,
            },
            boundary: set.clone(),
            mid: set,
            segments: Background { mean: vec![0.3, 0.0], factor: vec![0.1, 0.0] },
        }
    }

    #[test]
    fn the_expected_cosine_is_the_forecast_embedding_times_the_phrase() {
        let head = head();
        let phrase = Phrase::new(&head, RowKind::Boundary, &[1.0, 0.0]);
        let embeddings = head.boundary.embeddings(&[1.5]);
        let [unusual, mean, rank, spread, best] = phrase.inputs(&[1.5]);
        assert_eq!((unusual, mean), (1.5, 1.5));
        assert!((embeddings[0] - 0.6).abs() < 1e-6 && (best - 6.0).abs() < 1e-5);
        assert!((rank - (0.6 - 0.3) / 0.1).abs() < 1e-4 && (spread - 1.0).abs() < 1e-6);
    }

    #[test]
    fn probabilities_rise_with_the_score_of_the_phrase() {
        let (head, layout) =
            (head(), FeatureLayout { hidden: 1, sites: 2, themes: 0, text: 0, layer_norm: false });
        let layout = FeatureLayout { sites: 1, ..layout };
        let mut watch = Watch::new(&head, &[vec![1.0, 0.0], vec![0.0, 1.0]]);
        let mut row = vec![0.0; layout.len()];
        row[0] = 2.0;
        let told = watch.chances(&head, RowKind::Boundary, &row, &layout);
        assert!((told[0].p - 1.0 / (1.0 + (-1.0f32).exp())).abs() < 1e-6, "{told:?}");
        assert!(told[1].p < told[0].p);
        let within = Chance { p: 0.5, disagreement_nats: None };
        assert_eq!(watch.chances(&head, RowKind::Mid, &row, &layout), [within, within]);
    }

    #[test]
    fn members_that_expect_the_opposite_are_told_as_disagreeing_and_the_probability_stays() {
        let mut head = head();
        let turned = |sign: f32| Expansion {
            expand: head.boundary.whole.expand.iter().map(|x| sign * x).collect(),
            ..head.boundary.whole.clone()
        };
        let (same, opposite) = (turned(1.0), turned(-1.0));
        let told = |head: &OpenHead| {
            let phrase = Phrase::new(head, RowKind::Boundary, &[1.0, 0.0]);
            phrase.chance(&head.card.calibration.boundary, &[1.5])
        };
        let alone = told(&head);
        head.boundary.ensemble = vec![same.clone(), same.clone()];
        let agreed = told(&head);
        head.boundary.ensemble = vec![same, opposite];
        let torn = told(&head);
        assert_eq!((alone.p, alone.disagreement_nats), (torn.p, None));
        assert!(agreed.disagreement_nats.unwrap() < 1e-6, "{agreed:?}");
        let (p, q) = (torn.p, 1.0 / (1.0 + 2.5f32.exp()));
        let apart = disagreement_nats(&[&[p, 1.0 - p], &[q, 1.0 - q]]);
        assert!((torn.disagreement_nats.unwrap() - apart).abs() < 1e-6 && apart > 0.05, "{torn:?}");
    }
}
