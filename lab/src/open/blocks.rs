//! Blocks of matrices and vectors. (The macro `s!` has unsafe code, which is forbidden here.)

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut2, Axis};
use std::ops::Range;

/// The block of `rows` and `columns`.
pub(super) fn block<T>(
    mut of: ArrayView2<'_, T>,
    rows: Range<usize>,
    columns: Range<usize>,
) -> ArrayView2<'_, T> {
    of.slice_axis_inplace(Axis(0), rows.into());
    of.slice_axis_inplace(Axis(1), columns.into());
    of
}

/// The block of `rows` and `columns`, to be changed.
pub(super) fn block_mut<T>(
    mut of: ArrayViewMut2<'_, T>,
    rows: Range<usize>,
    columns: Range<usize>,
) -> ArrayViewMut2<'_, T> {
    of.slice_axis_inplace(Axis(0), rows.into());
    of.slice_axis_inplace(Axis(1), columns.into());
    of
}

/// A part of a vector.
pub(super) fn part<T>(mut of: ArrayView1<'_, T>, range: Range<usize>) -> ArrayView1<'_, T> {
    of.slice_axis_inplace(Axis(0), range.into());
    of
}
