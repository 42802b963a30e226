//! Products of dense matrices and vectors on slices, in vector instructions. Nothing here knows
//! what the numbers mean.

use std::borrow::BorrowMut;
use wide::f32x8;

/// How many rows share one pass over the vector: their sums do not wait for each other.
const ROWS: usize = 4;
const LANES: usize = 8;

/// `W x` of the row-major `weights`, *shape* `[rows, columns]`, and `x`, *shape* `[columns]`; a
/// last row that is not whole is left out.
///
/// # Panics
/// When `x` is empty.
pub(crate) fn product(weights: &[f32], x: &[f32]) -> Vec<f32> {
    let mut out = Vec::with_capacity(weights.len() / x.len());
    into(weights, &[x], &mut [&mut out]);
    out
}

/// [`product`] for each of `xs`, all of one length; the weights pass through the cache once.
pub(crate) fn products(weights: &[f32], xs: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let mut out = vec![Vec::new(); xs.len()];
    into(weights, xs, &mut out);
    out
}

fn into<X: AsRef<[f32]>, Y: BorrowMut<Vec<f32>>>(weights: &[f32], xs: &[X], out: &mut [Y]) {
    let Some(columns) = xs.first().map(|x| x.as_ref().len()) else { return };
    let blocks = weights.chunks_exact(ROWS * columns);
    let rest = blocks.remainder().chunks_exact(columns);
    for block in blocks {
        for (x, out) in xs.iter().zip(&mut *out) {
            out.borrow_mut().extend(dots(block, x.as_ref()));
        }
    }
    for row in rest {
        for (x, out) in xs.iter().zip(&mut *out) {
            out.borrow_mut().push(dot(row, x.as_ref()));
        }
    }
}

/// Adds `y` to `x`.
pub(crate) fn add(x: &mut [f32], y: &[f32]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

/// A dot product in eight lanes.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    let mut sum = f32x8::ZERO;
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        sum = f32x8::new(*a).mul_add(f32x8::new(*b), sum);
    }
    sum.reduce_add() + rest(a_rest, b_rest)
}

/// The dot products of four rows, one after the other in `block`, with `x`.
fn dots(block: &[f32], x: &[f32]) -> [f32; ROWS] {
    let (x_lanes, x_rest) = x.as_chunks::<LANES>();
    let row = |number: usize| block[number * x.len()..(number + 1) * x.len()].as_chunks::<LANES>();
    let ((a, a_rest), (b, b_rest), (c, c_rest), (d, d_rest)) = (row(0), row(1), row(2), row(3));
    let mut sums = [f32x8::ZERO; ROWS];
    for ((((x, a), b), c), d) in x_lanes.iter().zip(a).zip(b).zip(c).zip(d) {
        let x = f32x8::new(*x);
        for (sum, row) in sums.iter_mut().zip([a, b, c, d]) {
            *sum = f32x8::new(*row).mul_add(x, *sum);
        }
    }
    let rests = [a_rest, b_rest, c_rest, d_rest];
    std::array::from_fn(|i| sums[i].reduce_add() + rest(rests[i], x_rest))
}

fn rest(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_any_shape_are_those_of_the_definition() {
        for (rows, columns) in [(1, 1), (3, 7), (4, 8), (9, 21), (19, 64)] {
            let weights: Vec<f32> =
                (0..rows * columns).map(|i| ((i * 7) % 11) as f32 - 5.0).collect();
            let x: Vec<f32> = (0..columns).map(|i| ((i * 5) % 7) as f32 - 3.0).collect();
            let plain = weights.chunks(columns).map(|row| rest(row, &x));
            let plain: Vec<f32> = plain.collect();
            assert_eq!(product(&weights, &x), plain, "{rows} x {columns}");
            assert_eq!(products(&weights, &[x.clone(), x]), [plain.clone(), plain]);
        }
    }
}
