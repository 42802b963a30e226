//! What the host read of one step, and how far the answer can be trusted by it.

use crate::{annotation::Trust, bundle::Bundle, events::Observer, trust};
use themecast_plugin_api::{PluginError, Site, Step};

/// The residuals of the last position, site after site.
pub(super) struct Residuals {
    /// Where they are read, in the order in which they come.
    sites: Vec<Site>,
    hidden: usize,
    /// Reused from step to step, *shape* `[sites, hidden]`.
    values: Vec<f32>,
    trust: Trust,
}

impl Residuals {
    pub(super) fn new(bundle: &Bundle) -> Self {
        let trust = Trust { in_distribution: 1.0, out: false };
        let hidden = bundle.card.model.hidden_size;
        Self { sites: bundle.sites(), hidden, values: Vec::new(), trust }
    }

    pub(super) fn trust(&self) -> Trust {
        self.trust
    }

    /// Those at the features' sites: one of the recogniser's own comes last and is none of them.
    pub(super) fn of_features(&self, bundle: &Bundle) -> &[f32] {
        &self.values[..bundle.card.sites.len() * self.hidden]
    }

    fn of(&self, site: usize) -> &[f32] {
        &self.values[site * self.hidden..(site + 1) * self.hidden]
    }

    /// Takes the residuals of a step.
    ///
    /// # Errors
    /// [`PluginError::Failed`] where they have another shape than the bundle's, or are not finite:
    /// such numbers would stay in the running means and in whatever an observer sums up.
    pub(super) fn read(&mut self, step: &Step<'_>) -> Result<(), PluginError> {
        let found = (step.residuals.sites(), step.residuals.hidden_size());
        if found != (self.sites.len(), self.hidden) {
            let ((sites, hidden), wanted) = (found, (self.sites.len(), self.hidden));
            return Err(PluginError::failed(format!(
                "residuals of {sites} sites of width {hidden} came where {} of width {} are read",
                wanted.0, wanted.1
            )));
        }
        self.values.clear();
        for site in 0..found.0 {
            self.values.extend_from_slice(step.residuals.last(site));
        }
        if !self.values.iter().all(|value| value.is_finite()) {
            let at = step.index;
            return Err(PluginError::failed(format!("the residual at step {at} is not finite")));
        }
        Ok(())
    }

    /// Judges the prompt, at its end, where the bundle has a recogniser, else every residual of
    /// the last site as the features have it, `last`, *shape* `[hidden]`; at step `index`, with which
    /// a segment `begins` or not.
    pub(super) fn judge(
        &mut self,
        bundle: &Bundle,
        last: &[f32],
        (index, begins): (usize, bool),
        observer: &dyn Observer,
    ) {
        let reference = &bundle.card.reference;
        let distance = match &bundle.trust {
            Some(_) if index > 0 => return,
            Some(recogniser) => {
                let site = self.sites.iter().position(|site| *site == recogniser.card.site);
                let distance = recogniser.distance(self.of(site.unwrap_or_default()));
                let in_distribution = recogniser.in_distribution(distance);
                self.trust = Trust { in_distribution, out: recogniser.is_out(distance) };
                distance
            }
            None => {
                let distance = trust::distance(last, reference);
                let range = (reference.median_distance, reference.distance_quantile_99);
                let in_distribution = trust::in_distribution(distance, range);
                self.trust = Trust { in_distribution, out: trust::is_out(distance, reference) };
                distance
            }
        };
        if begins {
            observer.residual(distance, self.trust.out);
        }
    }
}
