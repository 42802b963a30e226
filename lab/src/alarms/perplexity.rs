//! How unlikely each token was to the model that read it, from its final residual.
//!
//! The output norm and the output matrix are taken from the model's file, so that a collection's
//! residuals tell what the model's own logits were.

use crate::{LabError, Result, dataset::Document};
use candle_core::{
    D, Device, Tensor,
    quantized::gguf_file::{Content, Value},
};
use std::{fs::File, io::BufReader, path::Path};

/// From final residuals to the logarithms of tokens' probabilities.
#[derive(Debug)]
pub(super) struct Output {
    /// *Shape* `[hidden]`.
    norm: Tensor,
    epsilon: f64,
    /// *Shape* `[hidden, vocabulary]`.
    matrix: Tensor,
}

impl Output {
    /// Reads it from the GGUF file `path`.
    ///
    /// # Errors
    /// [`LabError::Io`]; [`LabError::Format`] where the file lacks a part.
    pub(super) fn load(path: &Path) -> Result<Self> {
        let refuse = |error: candle_core::Error| LabError::format(path, error);
        let mut file = BufReader::new(File::open(path).map_err(LabError::io("read", path))?);
        let content = Content::read(&mut file).map_err(refuse)?;
        let name = match content.tensor_infos.contains_key("output.weight") {
            true => "output.weight",
            false => "token_embd.weight", // tied
        };
        let mut tensor = |name: &str| {
            let tensor = content.tensor(&mut file, name, &Device::Cpu).map_err(refuse)?;
            tensor.dequantize(&Device::Cpu).map_err(refuse)
        };
        let (norm, matrix) = (tensor("output_norm.weight")?, tensor(name)?);
        let matrix = matrix.t()?.contiguous()?;
        let key = content.metadata.keys().find(|key| key.ends_with("layer_norm_rms_epsilon"));
        let epsilon = key.and_then(|key| content.metadata.get(key)).map(Value::to_f32);
        let epsilon = epsilon.transpose().map_err(refuse)?.unwrap_or(1e-5);
        Ok(Self { norm, epsilon: f64::from(epsilon), matrix })
    }

    /// For each segment of `document` that has ended, the mean of `−ln p` of its tokens, in nats;
    /// the document's residuals are those of the last site, `final`.
    ///
    /// # Errors
    /// [`LabError::Fit`] where residuals have another width than the model.
    pub(super) fn by_segment(&self, document: &Document) -> Result<Vec<f32>> {
        let hidden = self.norm.dim(0)?;
        let read = document.tokens.windows(2);
        let pairs = read.filter_map(|pair| {
            let residuals = pair[0].residuals.as_ref()?;
            let last = residuals.get(residuals.len().checked_sub(hidden)?..)?;
            Some((last, &pair[1]))
        });
        let (mut rows, mut next) = (Vec::new(), Vec::new());
        for (residual, token) in pairs {
            rows.extend(residual.iter().map(|x| x.to_f32()));
            next.push(token);
        }
        if next.is_empty() {
            return Ok(Vec::new());
        }
        let rows = Tensor::from_vec(rows, (next.len(), hidden), &Device::Cpu)?;
        let ids: Vec<u32> = next.iter().map(|token| token.token).collect();
        let surprisal = self.surprisal_nats(&rows, ids)?;
        let (mut means, mut sum, mut count) = (Vec::new(), 0.0, 0.0);
        for (token, nats) in next.iter().zip(surprisal) {
            sum += nats;
            count += 1.0;
            if token.segment_end {
                means.push(sum / count);
                (sum, count) = (0.0, 0.0);
            }
        }
        Ok(means)
    }

    /// `−ln p` of each of the tokens `ids` after the residuals `rows`, *shape* `[ids, hidden]`.
    fn surprisal_nats(&self, rows: &Tensor, ids: Vec<u32>) -> Result<Vec<f32>> {
        let mean = rows.sqr()?.mean_keepdim(D::Minus1)?;
        let scaled = rows.broadcast_div(&(mean + self.epsilon)?.sqrt()?)?;
        let logits = scaled.broadcast_mul(&self.norm)?.matmul(&self.matrix)?;
        let count = ids.len();
        let ids = Tensor::from_vec(ids, (count, 1), &Device::Cpu)?;
        let own = logits.gather(&ids, D::Minus1)?.squeeze(D::Minus1)?;
        Ok((logits.log_sum_exp(D::Minus1)? - own)?.to_vec1()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::TokenRow;
    use half::f16;

    /// Two dimensions, three tokens: the residual's direction decides.
    fn output() -> Output {
        let matrix = vec![4.0f32, 0.0, -4.0, 0.0, 4.0, -4.0];
        Output {
            norm: Tensor::new(&[1.0f32, 1.0], &Device::Cpu).unwrap(),
            epsilon: 0.0,
            matrix: Tensor::from_vec(matrix, (2, 3), &Device::Cpu).unwrap(),
        }
    }

    fn row(index: i32, token: u32, residual: [f32; 2], segment_end: bool) -> TokenRow {
        let residuals = Some(residual.map(f16::from_f32).to_vec());
        TokenRow { index, token, segment_end, residuals, ..TokenRow::default() }
    }

    #[test]
    fn a_segment_that_the_model_would_have_written_is_likelier() {
        let tokens = vec![
            row(-1, 9, [1.0, 0.0], false),
            row(0, 0, [0.0, 7.0], false),
            row(1, 1, [1.0, 0.0], true),
            row(2, 2, [0.0, 1.0], true),
        ];
        let document = Document { tokens, ..Document::default() };
        let means = output().by_segment(&document).unwrap();
        // The norm of [1, 0] is [√2, 0]: logits 4√2, 0, −4√2.
        let scale = 4.0 * 2f32.sqrt();
        let sum = scale.exp() + 1.0 + (-scale).exp();
        assert!((means[0] - (sum.ln() - scale)).abs() < 1e-4, "{means:?}");
        assert!((means[1] - (sum.ln() + scale)).abs() < 1e-4, "{means:?}");
    }
}
