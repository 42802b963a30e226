//! The linear predictor: one softmax regression for each set of rows and each offset.

use crate::dense::{add, product};

/// One softmax regression over raw features: z-scoring is folded into weight and bias.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// *Shape* `[themes, features]`, row-major.
    pub weight: Vec<f32>,
    /// *Shape* `[themes]`.
    pub bias: Vec<f32>,
    /// What logits are divided by; calibrated on held-out data. *Source*: Guo et al. 2017.
    pub temperature: f32,
}

impl Affine {
    /// `softmax((W x + b) / T)` of `features`, *shape* `[features]`, into `out`, *shape* `[themes]`.
    ///
    /// # Panics
    /// When `features` is empty.
    pub fn probabilities(&self, features: &[f32], out: &mut Vec<f32>) {
        *out = product(&self.weight, features);
        add(out, &self.bias);
        out.iter_mut().for_each(|logit| *logit /= self.temperature);
        softmax(out);
    }
}

/// Turns logits into probabilities, in place; the largest is subtracted first, so that none
/// overflows.
pub fn softmax(logits: &mut [f32]) {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        *logit = (*logit - most).exp();
        sum += *logit;
    }
    logits.iter_mut().for_each(|p| *p /= sum);
}

/// Divides the logits of the distribution `p` by `temperature`, in place.
pub fn temper(p: &mut [f32], temperature: f32) {
    p.iter_mut().for_each(|p| *p = p.max(f32::MIN_POSITIVE).ln() / temperature);
    softmax(p);
}

/// Shapes of heads that do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinearError {
    /// The two sets have different numbers of offsets.
    #[error(
        "{boundary} boundary heads but {mid} mid-segment heads: want one each for every offset"
    )]
    Sets {
        /// Heads for boundaries.
        boundary: usize,
        /// Heads between them.
        mid: usize,
    },
    /// A head has other sizes than the others.
    #[error(
        "head {set}.{offset} has {weights} weights and {biases} biases: want {themes} themes of {features} features"
    )]
    Shape {
        /// `boundary` or `mid`.
        set: &'static str,
        /// Which offset.
        offset: usize,
        /// How many weights it has.
        weights: usize,
        /// How many biases it has.
        biases: usize,
        /// How many themes there are.
        themes: usize,
        /// How many features a row has.
        features: usize,
    },
}

/// Where in an answer a row stands, and so which heads apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// The last token read has ended its segment, or is the prompt's last.
    Boundary,
    /// The last token read lies within its segment.
    Mid,
}

/// One regression for each kind of row and each offset: 0 is the theme of the segment of the last
/// token read, `i` the theme of the `i`-th segment after it.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearPredictor {
    boundary: Vec<Affine>,
    mid: Vec<Affine>,
}

impl LinearPredictor {
    /// Puts heads together, each indexed by its offset.
    ///
    /// # Errors
    /// [`LinearError`] when their shapes differ from `themes` and `features`.
    pub fn new(
        boundary: Vec<Affine>,
        mid: Vec<Affine>,
        themes: usize,
        features: usize,
    ) -> Result<Self, LinearError> {
        if boundary.len() != mid.len() {
            return Err(LinearError::Sets { boundary: boundary.len(), mid: mid.len() });
        }
        for (set, heads) in [("boundary", &boundary), ("mid", &mid)] {
            for (offset, head) in heads.iter().enumerate() {
                let (weights, biases) = (head.weight.len(), head.bias.len());
                if weights != themes * features || biases != themes {
                    return Err(LinearError::Shape {
                        set,
                        offset,
                        weights,
                        biases,
                        themes,
                        features,
                    });
                }
            }
        }
        Ok(Self { boundary, mid })
    }

    /// The heads for a kind of row, indexed by offset.
    pub fn heads(&self, kind: RowKind) -> &[Affine] {
        match kind {
            RowKind::Boundary => &self.boundary,
            RowKind::Mid => &self.mid,
        }
    }

    /// How many offsets there are.
    pub fn offsets(&self) -> usize {
        self.boundary.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_the_softmax_of_the_affine_map() {
        let head = Affine { weight: vec![1., 0., 0., 2.], bias: vec![0.5, 0.], temperature: 2. };
        let mut out = Vec::new();
        head.probabilities(&[1.0, 1.0], &mut out);
        let (a, b) = (0.75f32.exp(), 1f32.exp());
        assert!(
            (out[0] - a / (a + b)).abs() < 1e-6 && (out.iter().sum::<f32>() - 1.0).abs() < 1e-6
        );
    }

    #[test]
    fn extreme_logits_stay_finite() {
        let mut logits = [1e30, -1e30, 0.0];
        softmax(&mut logits);
        assert_eq!(logits, [1.0, 0.0, 0.0]);
    }

    #[test]
    fn shapes_are_checked() {
        let head = |n: usize| Affine { weight: vec![0.; n], bias: vec![0.; 2], temperature: 1. };
        assert!(LinearPredictor::new(vec![head(6)], vec![head(6)], 2, 3).is_ok());
        assert!(LinearPredictor::new(vec![head(6)], vec![], 2, 3).is_err());
        let error = LinearPredictor::new(vec![head(6)], vec![head(4)], 2, 3).unwrap_err();
        assert!(error.to_string().contains("mid.0"), "{error}");
    }
}
