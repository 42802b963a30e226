//! Every model that is compared: ours, the baselines, the controls.
//!
//! Here stands which columns each of them sees; fitting and scoring stand elsewhere.

use super::{
    EvalConfig,
    collected::Collected,
    embeddings::Embeddings,
    events::{BySplit, Event, Part},
    fit::{self, Design, Fitted, Setup, Write},
    own::Served,
    text::{self, Vocabulary},
};
use crate::{Result, counted::Counted, pace::Pace, replay::Chain};
use std::{collections::HashSet, ops::Range};
use themecast_plugin_api::Site;

/// The name of the bundle's own row.
pub const OURS: &str = "themecast";
/// The name of the model that sees text and activations.
pub const BOTH: &str = "text + activations";
/// The name of ours with the true themes so far instead of its own guesses.
pub const TRUE_THEMES: &str = "activations + true themes";
const WORDS: &str = "text: TF-IDF";
const SENTENCES: &str = "text: MiniLM";
pub(super) const TOGETHER: &str = "text: MiniLM, words, layout";

/// Words of the text model that reads sentences too.
const COMMON_WORDS: usize = 500;

/// How the words weigh beside the themes, tried in turn.
const SCALES: [f32; 2] = [1.0, 0.25];

/// What a model may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sees {
    /// The bundle.
    Ours,
    /// Text, themes so far, position: what a baseline may.
    Text,
    /// Activations too, or what is only a control.
    Other,
}

/// A model's name and its forecasts, horizon by horizon.
pub(super) struct Model {
    pub(super) name: String,
    pub(super) sees: Sees,
    pub(super) by_ahead: Vec<Fitted>,
    /// What a bundle's forecasts are served with; what baselines need is found on the validation
    /// split.
    pub(super) served: Option<Served>,
}

impl Model {
    /// A model that was fitted or counted.
    pub(super) fn new(name: impl Into<String>, sees: Sees, by_ahead: Vec<Fitted>) -> Self {
        Self { name: name.into(), sees, by_ahead, served: None }
    }
}

/// What models are fitted from.
pub(super) struct Workshop<'a> {
    pub(super) collected: &'a Collected,
    pub(super) embeddings: Option<&'a Embeddings>,
    pub(super) themes: usize,
    pub(super) bundle_sites: &'a [Site],
    pub(super) config: &'a EvalConfig,
    vocabulary: Vocabulary,
    common: Vocabulary,
    /// Counts of the training split.
    pub(super) counted: Counted,
}

/// The columns that a text model sees.
pub(super) struct TextColumns<'a> {
    pub(super) name: &'static str,
    width: usize,
    /// Which of them are not z-scored.
    raw: Range<usize>,
    write: Box<Write<'a>>,
}

impl<'a> Workshop<'a> {
    /// Counts words and transitions on the training split.
    pub(super) fn new(
        collected: &'a Collected,
        embeddings: Option<&'a Embeddings>,
        (themes, horizons): (usize, usize),
        (bundle_sites, config): (&'a [Site], &'a EvalConfig),
    ) -> Self {
        let train: HashSet<usize> =
            collected.boundary.train.events.iter().map(|event| event.story).collect();
        let [vocabulary, common] = [config.vocabulary, COMMON_WORDS.min(config.vocabulary)]
            .map(|size| Vocabulary::new(&collected.stories, &train, size));
        let chains = |part: &Part| -> Vec<Chain> {
            let starts = part.events.iter().filter(|event| event.segment < 0);
            starts.map(|event| event.chain.clone()).collect()
        };
        let [train, validation] =
            [&collected.boundary.train, &collected.boundary.validation].map(chains);
        let counted = Counted::new(&train, &validation, themes, horizons + 1);
        Self { collected, embeddings, themes, bundle_sites, config, vocabulary, common, counted }
    }

    /// Baselines and controls at the prompt's end and at boundaries, those that are fitted only where
    /// the configuration has it so; those that [`Self::within`] needs one segment further than `setup`
    /// asks for.
    ///
    /// # Errors
    /// [`crate::LabError::Fit`].
    pub(super) fn at_boundaries(
        &self,
        setup: &Setup,
        progress: &dyn Fn(&str),
    ) -> Result<Vec<Model>> {
        let parts = &self.collected.boundary;
        let mut models = self.counted_models(parts, setup);
        if !self.config.fitted {
            return Ok(models);
        }
        let (text_columns, controls) = (self.text_columns(), self.controls());
        let counted = models.len();
        let all = text_columns.len() + controls.len() + 3;
        let further = &setup.one_further();
        let pace = Pace::new("models fitted", progress);
        for columns in text_columns {
            progress(&format!("fitting {}", columns.name));
            models.push(self.text_model(&columns, parts, further)?);
            pace.at(models.len() - counted, all);
        }
        let better = self.better_text(&models);
        progress(&format!("fitting {BOTH} ({})", better.name));
        models.push(self.both(&better, parts, further)?);
        pace.at(models.len() - counted, all);
        progress(&format!("fitting {TRUE_THEMES}"));
        models.push(self.told(parts, further)?);
        pace.at(models.len() - counted, all);
        for control in controls {
            progress(&format!("fitting {}", control.name));
            let targets = fit::targets(parts, setup);
            let design = Design::plain(&*control.write, control.raw);
            let by_ahead = fit::fit(&design, parts, &targets, setup)?;
            models.push(Model::new(control.name, Sees::Other, by_ahead));
            pace.at(models.len() - counted, all);
        }
        progress("fitting shuffled labels");
        models.push(self.shuffled(setup)?);
        pace.at(all, all);
        Ok(models)
    }

    fn counted_models(&self, parts: &BySplit<Part>, setup: &Setup) -> Vec<Model> {
        let counted = &self.counted;
        let so_far = |event: &Event| event.chain[..event.ended()].to_vec();
        vec![
            self.each("marginal", parts, setup, |_, _| counted.marginal()),
            self.each("marginal at the position", parts, setup, |event, ahead| {
                counted.position(event.ended() + ahead - 1)
            }),
            self.each("persistence", parts, setup, |event, ahead| {
                counted.persistence(event.present(), ahead)
            }),
            self.each("Markov 1", parts, setup, |event, ahead| {
                counted.markov(event.present(), ahead)
            }),
            self.each("Markov 2", parts, setup, |event, ahead| {
                counted.markov2(&so_far(event), ahead)
            }),
        ]
    }

    /// What `of` says of each event.
    pub(super) fn each(
        &self,
        name: &str,
        parts: &BySplit<Part>,
        setup: &Setup,
        of: impl Fn(&Event, usize) -> Vec<f32>,
    ) -> Model {
        let all = |part: &Part, ahead| -> Vec<f32> {
            part.events.iter().flat_map(|event| of(event, ahead)).collect()
        };
        let at = |&ahead: &usize| Fitted {
            validation: all(&parts.validation, ahead),
            test: all(&parts.test, ahead),
            held_out: all(&parts.held_out, ahead),
            ..Fitted::default()
        };
        let by_ahead = setup.aheads.iter().map(at).collect();
        Model::new(name, Sees::Text, by_ahead)
    }

    /// What text models see: words and, where there is an embedder, sentences, and both with the
    /// layout.
    pub(super) fn text_columns(&self) -> Vec<TextColumns<'_>> {
        let mut families = vec![TextColumns {
            name: WORDS,
            width: self.vocabulary.len(),
            raw: 0..self.vocabulary.len(),
            write: Box::new(|part: &Part, event: usize, out: &mut Vec<f32>| {
                self.vocabulary.write(&part.events[event], out);
            }),
        }];
        if let Some(embeddings) = self.embeddings {
            let stories = &self.collected.stories;
            let write = move |part: &Part, event: usize, out: &mut Vec<f32>| {
                text::write_embeddings(&part.events[event], stories, embeddings, out);
            };
            families.push(TextColumns {
                name: SENTENCES,
                width: text::embedding_width(embeddings),
                raw: 0..0,
                write: Box::new(write),
            });
            let width = text::embedding_width(embeddings);
            let words = width..width + self.common.len();
            let write = move |part: &Part, event: usize, out: &mut Vec<f32>| {
                let event = &part.events[event];
                text::write_embeddings(event, stories, embeddings, out);
                self.common.write(event, out);
                text::write_layout(event, stories, out);
            };
            families.push(TextColumns {
                name: TOGETHER,
                width: words.end + text::LAYOUT_WIDTH,
                raw: words,
                write: Box::new(write),
            });
        }
        families
    }

    /// The family of columns whose loss one segment ahead is the least on the validation split.
    pub(super) fn better_text(&self, models: &[Model]) -> TextColumns<'_> {
        let nats = |columns: &TextColumns<'_>| {
            let model = models.iter().find(|model| model.name == columns.name);
            model.and_then(|model| model.by_ahead.first()).map_or(f32::INFINITY, |one| one.nats)
        };
        let mut families = self.text_columns();
        families.sort_by(|a, b| nats(a).total_cmp(&nats(b)));
        families.swap_remove(0)
    }

    /// A text model: `columns` and the true themes so far.
    ///
    /// # Errors
    /// [`crate::LabError::Fit`].
    pub(super) fn text_model(
        &self,
        columns: &TextColumns<'_>,
        parts: &BySplit<Part>,
        setup: &Setup,
    ) -> Result<Model> {
        let by_ahead = self.fit_text(columns, None, (parts, &fit::targets(parts, setup)), setup)?;
        Ok(Model::new(columns.name, Sees::Text, by_ahead))
    }

    /// Fits `columns`, what `more` writes and the true themes so far on the classes `targets`; what
    /// `more` names of its columns is not z-scored.
    ///
    /// # Errors
    /// [`crate::LabError::Fit`].
    pub(super) fn fit_text(
        &self,
        columns: &TextColumns<'_>,
        more: Option<&(&Write<'_>, Option<Range<usize>>)>,
        (parts, targets): (&BySplit<Part>, &[Vec<Option<u32>>]),
        setup: &Setup,
    ) -> Result<Vec<Fitted>> {
        let write = |part: &Part, event: usize, out: &mut Vec<f32>| {
            (columns.write)(part, event, out);
            if let Some((more, _)) = more {
                more(part, event, out);
            }
            text::write_themes(&part.events[event], self.themes, out);
        };
        let raw = [Some(columns.raw.clone()), more.and_then(|(_, raw)| raw.clone())];
        let raw = raw.into_iter().flatten().collect();
        let design = Design { write: &write, raw, weighed: 0..columns.width, scales: &SCALES };
        fit::fit(&design, parts, targets, setup)
    }

    /// Text and activations together.
    ///
    /// # Errors
    /// [`crate::LabError::Fit`].
    pub(super) fn both(
        &self,
        columns: &TextColumns<'_>,
        parts: &BySplit<Part>,
        setup: &Setup,
    ) -> Result<Model> {
        let more = |part: &Part, event: usize, out: &mut Vec<f32>| {
            self.activations(part, event, out);
        };
        let on = (parts, &fit::targets(parts, setup)[..]);
        let more: (&Write<'_>, _) = (&more, self.normed(columns.width));
        let by_ahead = self.fit_text(columns, Some(&more), on, setup)?;
        Ok(Model::new(BOTH, Sees::Other, by_ahead))
    }

    /// Ours without its guesses: activations and the true themes so far.
    ///
    /// # Errors
    /// [`crate::LabError::Fit`].
    pub(super) fn told(&self, parts: &BySplit<Part>, setup: &Setup) -> Result<Model> {
        let write = |part: &Part, event: usize, out: &mut Vec<f32>| {
            self.with_true_themes(part, event, out);
        };
        let design = Design::plain(&write, self.normed(0));
        let by_ahead = fit::fit(&design, parts, &fit::targets(parts, setup), setup)?;
        Ok(Model::new(TRUE_THEMES, Sees::Other, by_ahead))
    }

    /// What the bundle sees of activations, and the true themes so far.
    pub(super) fn with_true_themes(&self, part: &Part, event: usize, out: &mut Vec<f32>) {
        self.activations(part, event, out);
        text::write_themes(&part.events[event], self.themes, out);
    }

    /// The columns of activations that are not z-scored, where the first one is at `from`: all where
    /// LayerNorm scales them, as in the bundle.
    pub(super) fn normed(&self, from: usize) -> Option<Range<usize>> {
        let layout = self.collected.layout;
        let width = 3 * layout.hidden * self.bundle_sites.len();
        layout.layer_norm.then_some(from..from + width)
    }

    /// The residuals, means and position that the bundle sees.
    pub(super) fn activations(&self, part: &Part, event: usize, out: &mut Vec<f32>) {
        let row = part.row(event);
        for columns in self.collected.columns_of(self.bundle_sites) {
            out.extend_from_slice(&row[columns]);
        }
        out.extend_from_slice(&row[self.collected.layout.position()]);
    }
}
