//! What one forward pass left behind, and the row of it that one request owns.

use candle_core::{DType, IndexOp, Tensor};
use std::sync::Arc;

/// Why a row's residuals can't be had, or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TapError {
    /// No site of this number was kept in this pass.
    #[error("site {0} was not kept in this forward pass: no lease asked for it when it began")]
    NotKept(usize),
    /// The row lies outside of the batch.
    #[error("row {row} is outside of a batch of {rows}")]
    NoSuchRow {
        /// The row that was asked for.
        row: usize,
        /// How many rows the batch has.
        rows: usize,
    },
    /// A direction does not fit the model.
    #[error("a direction of width {width} can't be added to a residual stream of width {hidden}")]
    Width {
        /// The direction's.
        width: usize,
        /// The residual stream's.
        hidden: usize,
    },
    /// Two requests want to steer one model.
    #[error("another request steers this model already")]
    Steered,
    /// A tensor operation failed.
    #[error("the residual could not be copied: {0}")]
    Copy(String),
}

/// The kept residuals of one forward pass: at the leased sites, and of the last position only
/// unless a lease asked for all of them.
#[derive(Debug)]
pub struct Frame {
    pub(crate) number: u64,
    pub(crate) rows: usize,
    pub(crate) positions: usize,
    pub(crate) sites: Vec<Option<Tensor>>,
}

/// One request's row of a [`Frame`].
#[derive(Debug, Clone)]
pub struct Row {
    pub(crate) frame: Arc<Frame>,
    pub(crate) row: Option<usize>,
}

impl Row {
    /// The number of the forward pass, unique in the process.
    pub fn pass(&self) -> u64 {
        self.frame.number
    }

    /// The row; none when a row is being sampled again (under a grammar) and only the request
    /// itself can remember which one it was.
    pub fn index(&self) -> Option<usize> {
        self.row
    }

    /// How many rows the batch of this pass has.
    pub fn rows(&self) -> usize {
        self.frame.rows
    }

    /// How many positions this pass computed for each row.
    pub fn computed(&self) -> usize {
        self.frame.positions
    }

    /// Appends the residuals of `row` at the sites numbered `ordinals` to `out`.
    ///
    /// *Shape* of what is appended: `[ordinals, positions, hidden]`, f32, row-major, where
    /// positions is 1 or, with `all`, every position that was kept.
    ///
    /// # Errors
    /// [`TapError`] when a site was not kept, the row does not exist or copying fails.
    pub fn copy(
        &self,
        row: usize,
        ordinals: &[usize],
        all: bool,
        out: &mut Vec<f32>,
    ) -> Result<(), TapError> {
        if row >= self.frame.rows {
            return Err(TapError::NoSuchRow { row, rows: self.frame.rows });
        }
        for &ordinal in ordinals {
            let kept = self.frame.sites.get(ordinal).and_then(Option::as_ref);
            let kept = kept.ok_or(TapError::NotKept(ordinal))?;
            copy_row(kept, row, all, out).map_err(|error| TapError::Copy(error.to_string()))?;
        }
        Ok(())
    }
}

fn copy_row(kept: &Tensor, row: usize, all: bool, out: &mut Vec<f32>) -> candle_core::Result<()> {
    let positions = kept.dim(1)?;
    let from = if all { 0 } else { positions - 1 };
    let rows = kept.i((row, from..))?.flatten_all()?.to_dtype(DType::F32)?;
    out.extend(rows.to_vec1::<f32>()?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn row_of(index: usize) -> Row {
        let data = Tensor::arange(0f32, 12., &Device::Cpu).unwrap().reshape((2, 3, 2)).unwrap();
        let frame = Frame { number: 7, rows: 2, positions: 3, sites: vec![None, Some(data)] };
        Row { frame: Arc::new(frame), row: Some(index) }
    }

    #[test]
    fn copies_the_last_position_or_all() {
        let mut out = Vec::new();
        row_of(1).copy(1, &[1], false, &mut out).unwrap();
        assert_eq!(out, [10., 11.]);
        row_of(0).copy(0, &[1], true, &mut out).unwrap();
        assert_eq!(out[2..], [0., 1., 2., 3., 4., 5.]);
    }

    #[test]
    fn says_what_is_missing() {
        let mut out = Vec::new();
        assert_eq!(row_of(0).copy(0, &[0], false, &mut out), Err(TapError::NotKept(0)));
        let missing = row_of(2).copy(2, &[1], false, &mut out);
        assert_eq!(missing, Err(TapError::NoSuchRow { row: 2, rows: 2 }));
        assert!(out.is_empty());
    }
}
