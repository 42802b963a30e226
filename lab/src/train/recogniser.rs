//! What recognises prompts unlike those of training: fitted on training prompts, its quantiles
//! taken on the validation split's.

use crate::{
    LabError, Result, Split,
    dataset::{CollectionInfo, Load},
    open::{cholesky::Cholesky, lowrank::leading},
    pace::Documents,
    replay::Chain,
};
use ndarray::{Array2, Axis};
use std::{collections::HashMap, path::Path};
use themecast_forecast::trust::{Recogniser, RecogniserCard};
use themecast_plugin_api::Site;

/// The share of the model's depth at which prompts are told apart best.
const DEPTH: f64 = 0.6;
/// The most directions with a variance of their own.
const RANK: usize = 64;

/// Fits the recogniser of the collection in `dir`.
///
/// # Errors
/// [`LabError`] of reading; [`LabError::Data`] where there are too few prompts.
pub(super) fn fit(
    dir: &Path,
    info: &CollectionInfo,
    chains: &HashMap<String, Chain>,
    progress: &dyn Fn(&str),
) -> Result<Recogniser> {
    let site = site(info);
    let documents = Documents::open(dir, Load::Residuals(vec![site]), progress)?;
    let (train, validation) = prompts(documents, chains)?;
    if train.len() < 4 || validation.is_empty() {
        let message =
            format!("{} training and {} validation prompts", train.len(), validation.len());
        return Err(LabError::Data(message));
    }
    let hidden = info.model.hidden_size;
    let rows = Array2::from_shape_vec((train.len(), hidden), train.concat())
        .map_err(|error| LabError::Fit(error.to_string()))?
        .mapv(f64::from);
    let mut recogniser = of_rows(&rows, site)?;
    let mut found: Vec<f32> = validation.iter().map(|row| recogniser.distance(row)).collect();
    found.sort_by(f32::total_cmp);
    let quantile =
        |q: f64| found[(q * (found.len() - 1) as f64).round() as usize].max(f32::MIN_POSITIVE);
    recogniser.card.median_distance = quantile(0.5);
    recogniser.card.distance_quantile_99 = quantile(0.99);
    Ok(recogniser)
}

/// The collected site nearest to [`DEPTH`]; the last one where no layer was collected. What goes into
/// the first layer is no candidate: every prompt ends with the same token of the chat's template.
fn site(info: &CollectionInfo) -> Site {
    let wanted = DEPTH * info.model.layers as f64;
    let read = info.sites.iter().filter(|site| **site != Site::LayerIn(0));
    let layers = read.filter_map(|&site| match site {
        Site::LayerIn(layer) | Site::LayerMid(layer) => Some(((layer as f64 - wanted).abs(), site)),
        Site::Final => None,
    });
    layers.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(Site::Final, |(_, site)| site)
}

/// The residuals of one split's prompts, *shape* `[prompts][hidden]`.
type Prompts = Vec<Vec<f32>>;

/// The residuals at the ends of training and validation prompts, each prompt once.
fn prompts(
    documents: Documents<'_>,
    chains: &HashMap<String, Chain>,
) -> Result<(Prompts, Prompts)> {
    let (mut train, mut validation) = (Prompts::new(), Prompts::new());
    let mut seen = std::collections::HashSet::new();
    for document in documents {
        let document = document?;
        let into = match Split::of(&document)? {
            Split::Train => &mut train,
            Split::Validation => &mut validation,
            Split::Test | Split::HeldOut => continue,
        };
        if !chains.contains_key(&document.id) || !seen.insert(document.prompt_id.clone()) {
            continue;
        }
        let residual = document.prompt_end();
        if !residual.is_empty() {
            into.push(residual);
        }
    }
    Ok((train, validation))
}

/// The recogniser of `rows`, *shape* `[prompts, hidden]`, without its quantiles.
fn of_rows(rows: &Array2<f64>, site: Site) -> Result<Recogniser> {
    let (count, hidden) = rows.dim();
    let failed = || LabError::Fit("no prompt to fit on".to_owned());
    let mean = rows.mean_axis(Axis(0)).ok_or_else(failed)?;
    let deviation = rows.std_axis(Axis(0), 0.0).mapv(|std| if std > 1e-6 { std } else { 1.0 });
    let scaled = (rows - &mean) / &deviation;
    let covariance = scaled.t().dot(&scaled) / count as f64;
    let rank = RANK.min(hidden / 2).min(count / 4).max(1);
    let directions = leading(&covariance, rank);
    let inner = directions.t().dot(&covariance).dot(&directions);
    let spread = |of: &Array2<f64>| of.diag().sum();
    let rest = ((spread(&covariance) - spread(&inner)) / (hidden - rank) as f64).max(1e-6);
    // d² = |z|²/rest − |Bz|² with BᵀB = D (1/rest − inner⁻¹) Dᵀ.
    let mut inverse = Array2::eye(rank);
    Cholesky::new(inner)?.solve(&mut inverse);
    let difference = Array2::<f64>::eye(rank) / rest - inverse;
    let basis = Cholesky::new(difference)?.lower().t().dot(&directions.t());
    let narrow = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
    let card = RecogniserCard {
        site,
        rank,
        rest: rest as f32,
        median_distance: 1.0,
        distance_quantile_99: 1.0,
    };
    Ok(Recogniser {
        card,
        mean: narrow(mean.to_vec()),
        inverse_std: narrow(deviation.mapv(f64::recip).to_vec()),
        basis: narrow(basis.iter().copied().collect()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_xoshiro::{
        Xoshiro256PlusPlus,
        rand_core::{RngCore, SeedableRng},
    };

    #[test]
    fn what_breaks_a_correlation_is_far_though_each_number_is_usual() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut draw = || (random.next_u64() >> 40) as f64 * 2f64.powi(-23) - 1.0;
        // Two numbers that go together, six on their own.
        let rows: Vec<f64> = (0..400)
            .flat_map(|_| {
                let shared = draw();
                let mut row = vec![shared, shared + 0.05 * draw()];
                row.extend((0..6).map(|_| 0.3 * draw()));
                row
            })
            .collect();
        let rows = Array2::from_shape_vec((400, 8), rows).unwrap();
        let recogniser = of_rows(&rows, Site::LayerIn(2)).unwrap();
        let together = recogniser.distance(&[0.8, 0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let apart = recogniser.distance(&[0.8, -0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!(apart > 1.5 * together, "{apart} {together}");
    }
}
