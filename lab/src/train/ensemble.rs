//! Heads fitted again on parts of the training prompts: how far they are apart is told in serving as
//! what was not learnt. They are no forecast of their own.

use super::{
    fitter::FitHead,
    head::{Head, Sample},
    scaler::Scaler,
};
use crate::{Result, split::PARTS};
use std::ops::Range;
use themecast_forecast::linear::Affine;

/// What fitting a head again on each part of the training prompts takes.
pub(super) struct Again<'a> {
    pub(super) fitter: &'a dyn FitHead,
    pub(super) scaler: &'a Scaler,
    pub(super) unused: &'a [Range<usize>],
    /// The part of each training row.
    pub(super) parts: &'a [usize],
}

impl Again<'_> {
    /// `head` fitted again with its strength on each part of `train`, each with the temperature that
    /// `validation` likes best; none where a part has no row.
    ///
    /// # Errors
    /// [`crate::LabError::Fit`].
    pub(super) fn members(
        &self,
        head: &Head,
        train: Sample<'_>,
        validation: Sample<'_>,
    ) -> Result<Vec<Affine>> {
        let own = |part: usize| -> Vec<Option<u32>> {
            let rows = train.targets.iter().zip(self.parts);
            rows.map(|(target, &of)| target.filter(|_| of == part)).collect()
        };
        let parts: Vec<Vec<Option<u32>>> = (0..PARTS).map(own).collect();
        if parts.iter().any(|targets| targets.iter().flatten().next().is_none()) {
            return Ok(Vec::new());
        }
        let fit = |targets: &Vec<Option<u32>>| {
            let sample = Sample { rows: train.rows, targets };
            let weights = self.fitter.again(sample, head, self.unused)?;
            let temperature = self.fitter.temperature(validation, &weights)?;
            Ok(self.scaler.fold_halves(&weights, temperature))
        };
        parts.iter().map(fit).collect()
    }
}

/// From the members of each offset to the offsets of each member; none, which is told, where an offset
/// lacks members.
pub(super) fn by_member(
    offsets: Vec<Vec<Affine>>,
    set: &str,
    progress: &dyn Fn(&str),
) -> Vec<Vec<Affine>> {
    let mut members = vec![Vec::new(); PARTS];
    for of in offsets {
        if of.is_empty() {
            progress(&format!("{set} heads: too few prompts for an ensemble"));
            return Vec::new();
        }
        members.iter_mut().zip(of).for_each(|(member, head)| member.push(head));
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{Fitting, logistic::Matrix};

    #[test]
    fn members_differ_where_their_prompts_do_and_nowhere_else() {
        // Theme 1 where the first feature is high; where the second is high, the parts say otherwise.
        let row = |at: usize| [f32::from(u8::from(at.is_multiple_of(2))), (at % 3) as f32 / 2.0];
        let values: Vec<f32> = (0..240).flat_map(row).collect();
        let parts: Vec<usize> = (0..240).map(|at| at / 2 % 2).collect();
        let target = |at: usize| match at % 3 {
            2 => Some(parts[at] as u32),
            _ => Some(u32::from(at.is_multiple_of(2))),
        };
        let targets: Vec<Option<u32>> = (0..240).map(target).collect();
        let scaler = Scaler::measure(&values, 2);
        let mut scaled = values.clone();
        scaler.apply(&mut scaled);
        let rows = Matrix::new(scaled, 2).unwrap();
        let sample = Sample { rows: &rows, targets: &targets };
        let fitter = Fitting::Gradient.fitter(100);
        let head = fitter.fit(sample, sample, 2, &[]).unwrap();
        let again = Again { fitter: &*fitter, scaler: &scaler, unused: &[], parts: &parts };
        let members = again.members(&head, sample, sample).unwrap();
        let said = |raw: [f32; 2]| -> Vec<f32> {
            let one = |member: &Affine| {
                let mut p = Vec::new();
                member.probabilities(&raw, &mut p);
                p[1]
            };
            members.iter().map(one).collect()
        };
        let (torn, agreed) = (said([0.0, 1.0]), said([1.0, 0.0]));
        assert!(torn[1] - torn[0] > 0.5, "{torn:?}");
        assert!((agreed[1] - agreed[0]).abs() < 0.2, "{agreed:?}");
        let none = Again { parts: &[0; 240], ..again }.members(&head, sample, sample).unwrap();
        assert!(none.is_empty(), "a part without rows makes no member");
    }
}
