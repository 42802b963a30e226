//! Z-scores of columns: measured on training rows, applied to all, folded into what was fitted on them.

use super::logistic::Weights;
use half::f16;
use std::ops::Range;
use themecast_forecast::{features::FeatureLayout, linear::Affine};

/// What is taken from columns and what they are divided by: mean and deviation of the training rows'.
#[derive(Debug, Clone)]
pub(crate) struct Scaler {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Scaler {
    /// Measures row-major `values`; a constant column gets the deviation 1.
    pub(crate) fn measure(values: &[f32], features: usize) -> Self {
        let count = (values.len() / features.max(1)).max(1) as f64;
        let (mut sum, mut square) = (vec![0f64; features], vec![0f64; features]);
        for row in values.chunks_exact(features.max(1)) {
            sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        sum.iter_mut().for_each(|sum| *sum /= count);
        for row in values.chunks_exact(features.max(1)) {
            for ((square, mean), &x) in square.iter_mut().zip(&sum).zip(row) {
                *square += (f64::from(x) - mean).powi(2);
            }
        }
        let deviation = |square: f64| {
            let deviation = (square / count).sqrt();
            if deviation > 1e-6 { deviation as f32 } else { 1.0 }
        };
        Self {
            mean: sum.iter().map(|&mean| mean as f32).collect(),
            deviation: square.into_iter().map(deviation).collect(),
        }
    }

    /// Measures row-major `values` of `layout`; what LayerNorm has scaled is left as it is, and the
    /// text beside it varies as much as that does on the average: with more it drowns activations.
    pub(crate) fn of_features(values: &[f32], layout: FeatureLayout) -> Self {
        let mut scaler = Self::measure(values, layout.len());
        if layout.layer_norm {
            let activations = layout.activations();
            let sum: f32 = scaler.deviation[activations.clone()].iter().sum();
            scaler.weigh(layout.text(), sum / activations.len() as f32);
            scaler.leave(activations);
        }
        scaler
    }

    /// Leaves `columns` as they are.
    pub(crate) fn leave(&mut self, columns: Range<usize>) {
        self.mean[columns.clone()].fill(0.0);
        self.deviation[columns].fill(1.0);
    }

    /// Lets `columns` weigh so much beside the others: their penalty is divided by its square.
    pub(crate) fn weigh(&mut self, columns: Range<usize>, weight: f32) {
        self.deviation[columns].iter_mut().for_each(|deviation| *deviation /= weight);
    }

    /// Z-scores row-major `values` in place.
    pub(crate) fn apply(&self, values: &mut [f32]) {
        for row in values.chunks_exact_mut(self.mean.len().max(1)) {
            for ((x, mean), deviation) in row.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *x = (*x - mean) / deviation;
            }
        }
    }

    /// Lets a row-major matrix of *shape* `[out, features]` and its bias take raw rows in place of
    /// z-scored ones.
    pub(crate) fn fold_rows(&self, weight: &mut [f32], bias: &mut [f32]) {
        for (row, bias) in weight.chunks_exact_mut(self.mean.len()).zip(bias) {
            for ((weight, mean), deviation) in row.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *weight /= deviation;
                *bias -= *weight * mean;
            }
        }
    }

    /// The same regression over raw features: mean and deviation go into weight and bias.
    pub(crate) fn fold(&self, weights: &Weights, temperature: f32) -> Affine {
        self.folded(weights, temperature, |weight| weight)
    }

    /// The same with weights of half precision, the largest that it holds at most; the bias makes good
    /// what rounding does to the mean.
    pub(crate) fn fold_halves(&self, weights: &Weights, temperature: f32) -> Affine {
        self.folded(weights, temperature, |weight| {
            let most = f16::MAX.to_f32();
            f16::from_f32(weight.clamp(-most, most)).to_f32()
        })
    }

    fn folded(&self, weights: &Weights, temperature: f32, round: fn(f32) -> f32) -> Affine {
        let (features, classes) = (self.mean.len(), weights.classes);
        let mut weight = vec![0f32; classes * features];
        let mut bias: Vec<f64> =
            weights.values[features * classes..].iter().map(|&bias| f64::from(bias)).collect();
        for feature in 0..features {
            for class in 0..classes {
                let raw =
                    round(weights.values[feature * classes + class] / self.deviation[feature]);
                weight[class * features + feature] = raw;
                bias[class] -= f64::from(raw) * f64::from(self.mean[feature]);
            }
        }
        let bias = bias.into_iter().map(|bias| bias as f32).collect();
        Affine { weight, bias, temperature }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::logistic::Matrix;
    use themecast_forecast::linear::softmax;

    #[test]
    fn a_folded_head_says_of_raw_rows_what_it_said_of_scaled_ones() {
        let raw: Vec<f32> = (0..60).map(|x| 100.0 + ((x * 13) % 17) as f32).collect();
        let scaler = Scaler::measure(&raw, 3);
        let mut scaled = raw.clone();
        scaler.apply(&mut scaled);
        let weights =
            Weights { values: (0..8).map(|x| x as f32 / 4.0 - 1.0).collect(), classes: 2 };
        let affine = scaler.fold(&weights, 1.0);
        let logits = Matrix::new(scaled, 3).unwrap().logits(&weights).unwrap();
        let mut out = Vec::new();
        for (row, logits) in raw.chunks(3).zip(logits.chunks(2)) {
            affine.probabilities(row, &mut out);
            let mut expected = logits.to_vec();
            softmax(&mut expected);
            assert!((out[0] - expected[0]).abs() < 1e-4, "{out:?} {expected:?}");
        }
    }

    #[test]
    fn what_layer_norm_scaled_is_left_the_text_varies_as_much_and_the_rest_is_z_scored() {
        let layout =
            |layer_norm| FeatureLayout { hidden: 1, sites: 1, themes: 0, text: 1, layer_norm };
        let width = layout(true).len();
        let raw: Vec<f32> = (0..3 * width).map(|x| (x * x) as f32).collect();
        let activations = layout(true).activations().len();
        assert!(activations > 0 && activations < width);
        let scaled = |layer_norm| {
            let mut values = raw.clone();
            Scaler::of_features(&values, layout(layer_norm)).apply(&mut values);
            values
        };
        let (left, all) = (scaled(true), scaled(false));
        let text = layout(true).text();
        let deviations = Scaler::measure(&raw, width).deviation;
        let weight = deviations[..activations].iter().sum::<f32>() / activations as f32;
        for (row, (left, all)) in left.chunks(width).zip(all.chunks(width)).enumerate() {
            assert_eq!(left[..activations], raw[row * width..][..activations]);
            assert_eq!(left[activations..text.start], all[activations..text.start]);
            for (left, all) in left[text.clone()].iter().zip(&all[text.clone()]) {
                assert!((left - weight * all).abs() < 1e-3 * weight, "{left} {weight} {all}");
            }
        }
        assert!(all.iter().sum::<f32>().abs() < 1e-3, "each column's mean is 0");
    }

    #[test]
    fn a_column_is_left_or_weighed_as_asked() {
        let values = [1.0, 10.0, 5.0, 3.0, 10.0, 9.0];
        let mut scaler = Scaler::measure(&values, 3);
        scaler.leave(2..3);
        scaler.weigh(0..1, 0.5);
        let mut changed = values;
        scaler.apply(&mut changed);
        assert_eq!(changed, [-0.5, 0.0, 5.0, 0.5, 0.0, 9.0]);
        scaler.weigh(0..1, 0.0);
        let mut changed = values;
        scaler.apply(&mut changed);
        assert_eq!((changed[0], changed[3]), (0.0, 0.0), "a weight of nothing leaves nothing");
    }
}
