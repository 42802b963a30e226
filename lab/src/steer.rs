//! A direction in the residual stream that stands for a theme: the difference of class means.
//!
//! Differences of means steer better than the directions of probes do. What adds the direction to
//! a model never lives here.

use crate::{
    LabError, Result, Split,
    dataset::{DocumentReader, Load},
    label::Labels,
    replay,
};
use std::path::Path;
use themecast_plugin_api::Site;

/// The direction at `site` from the tokens of theme `from` to those of theme `to` (ids) in the
/// training split of the labelled collection in `dir`, as long as `strength` mean residuals; *shape*
/// `[hidden]`.
///
/// # Errors
/// [`LabError::Data`] for an unknown theme, one without tokens, or a collection without the site;
/// others of reading.
pub fn direction(
    dir: &Path,
    site: Site,
    (from, to): (&str, &str),
    strength: f32,
) -> Result<Vec<f32>> {
    let labels = Labels::load(dir)?;
    let place = |id: &str| {
        let found = labels.themes.iter().position(|theme| theme.id == id);
        let ids = || labels.themes.iter().map(|theme| theme.id.as_str()).collect::<Vec<_>>();
        let unknown =
            || LabError::Data(format!("no theme '{id}': want one of {}", ids().join(", ")));
        found.ok_or_else(unknown)
    };
    let wanted = [place(from)?, place(to)?];
    let chains = replay::chains(&labels)?;
    let mut sums: [(Vec<f64>, f64); 2] = Default::default();
    let (mut length, mut tokens) = (0.0, 0.0);
    for document in DocumentReader::open(dir, Load::Residuals(vec![site]))? {
        let document = document?;
        let Some(chain) = chains.get(&document.id) else { continue };
        if Split::of(&document)? != Split::Train {
            continue;
        }
        for row in document.tokens.iter().filter(|row| row.index >= 0) {
            let theme = replay::target(chain, row.segment, 0);
            let Some((theme, residual)) = theme.zip(row.residuals.as_ref()) else { continue };
            let residual: Vec<f64> = residual.iter().map(|x| f64::from(x.to_f32())).collect();
            length += residual.iter().map(|x| x * x).sum::<f64>().sqrt();
            tokens += 1.0;
            for (sum, _) in sums.iter_mut().zip(wanted).filter(|(_, one)| *one == theme as usize) {
                sum.0.resize(residual.len(), 0.0);
                sum.0.iter_mut().zip(&residual).for_each(|(sum, x)| *sum += x);
                sum.1 += 1.0;
            }
        }
    }
    let [(from_sum, from_count), (to_sum, to_count)] = sums;
    if from_count == 0.0 || to_count == 0.0 {
        let message = format!("{from_count} tokens of '{from}' and {to_count} of '{to}'");
        return Err(LabError::Data(message));
    }
    let difference: Vec<f64> =
        to_sum.iter().zip(&from_sum).map(|(to, from)| to / to_count - from / from_count).collect();
    let norm = difference.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    let scale = f64::from(strength) * length / tokens / norm;
    Ok(difference.into_iter().map(|x| (x * scale) as f32).collect())
}
