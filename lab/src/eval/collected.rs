//! One pass over a collection: stories, events, and raw rows at boundaries.
//!
//! Rows hold residuals and position, no history; nothing here forecasts.

use super::events::{BySplit, Event, Part, Place, Story, Walk};
use crate::{
    LabError, Result, Split,
    dataset::{CollectionInfo, Document, Load},
    label::Labels,
    pace::Documents,
    replay::{Chain, Player, replay},
};
use std::{collections::HashMap, ops::Range, path::Path};
use themecast_forecast::{bundle::Bundle, features::FeatureLayout};
use themecast_plugin_api::Site;

/// Which residuals to read, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading<'a> {
    /// The sites, in this order.
    pub(crate) sites: &'a [Site],
    /// The width of a residual.
    pub(crate) hidden: usize,
    /// Whether each residual gets zero mean and unit variance before it becomes part of a row.
    pub(crate) layer_norm: bool,
    /// Whether moments within segments get rows too.
    pub(crate) within: bool,
}

/// The bundle's sites, the first layer and a middle one where they were collected.
pub(super) fn sites(bundle: &Bundle, info: &CollectionInfo) -> Vec<Site> {
    let mut sites = bundle.sites();
    let first = info.sites.iter().copied().find(|&site| site == Site::LayerIn(0));
    let middle = info.sites.get(info.sites.len() / 2).copied();
    for site in first.into_iter().chain(middle) {
        if !sites.contains(&site) {
            sites.push(site);
        }
    }
    sites
}

/// Everything of a collection that is judged.
#[derive(Debug)]
pub(crate) struct Collected {
    /// Every labelled document.
    pub(crate) stories: Vec<Story>,
    /// How many prompts there are.
    pub(crate) clusters: usize,
    /// The prompt's end and boundaries, with rows.
    pub(crate) boundary: BySplit<Part>,
    /// A few tokens into each segment, with rows where they were asked for.
    pub(crate) within: BySplit<Part>,
    /// The sites of the rows.
    pub(crate) sites: Vec<Site>,
    /// Where what stands in a row.
    pub(crate) layout: FeatureLayout,
}

impl Collected {
    /// Reads the labelled documents of `dir`.
    ///
    /// # Errors
    /// [`LabError`] of reading; [`LabError::Data`] where a split is empty.
    pub(crate) fn read(
        dir: &Path,
        labels: &Labels,
        chains: &HashMap<String, Chain>,
        reading: Reading<'_>,
        progress: &dyn Fn(&str),
    ) -> Result<Self> {
        let Reading { sites, hidden, layer_norm, within } = reading;
        let mut texts: HashMap<&str, Vec<String>> = HashMap::new();
        for label in &labels.segments {
            texts.entry(&label.document).or_default().push(label.text.clone());
        }
        let mut read = Self {
            stories: Vec::new(),
            clusters: 0,
            boundary: BySplit::default(),
            within: BySplit::default(),
            sites: sites.to_vec(),
            layout: FeatureLayout { hidden, sites: sites.len(), themes: 0, text: 0, layer_norm },
        };
        let mut prompts: HashMap<String, usize> = HashMap::new();
        for document in Documents::open(dir, Load::Residuals(sites.to_vec()), progress)? {
            let document = document?;
            let Some(chain) = chains.get(&document.id) else { continue };
            let number = prompts.len();
            let cluster = *prompts.entry(document.prompt_id.clone()).or_insert(number);
            let segments = texts.remove(document.id.as_str()).unwrap_or_default();
            read.take(&document, chain, within)?;
            read.stories.push(Story {
                prompt_end: document.prompt_end(),
                id: document.id,
                cluster,
                group: document.group.unwrap_or_default(),
                prompt: document.prompt,
                segments,
            });
        }
        read.clusters = prompts.len();
        read.check()?;
        Ok(read)
    }

    fn take(&mut self, document: &Document, chain: &Chain, rows_within: bool) -> Result<()> {
        let split = Split::of(document)?;
        let story = self.stories.len();
        let texts: Vec<&str> = document
            .tokens
            .iter()
            .filter(|row| row.residuals.is_some())
            .map(|row| row.text.as_str())
            .collect();
        let (mut walk, mut token, mut start, mut segment) = (Walk::new(), 0, 0, -1);
        replay(
            document,
            Player::plain(self.layout),
            |_, _| {},
            |moment| {
                if moment.segment != segment {
                    (segment, start) = (moment.segment, token);
                }
                token += 1;
                let Some(place) = walk.place(moment, chain.len()) else { return Ok(()) };
                let within = matches!(place, Place::Within(_));
                let partial = if within { texts[start..token].concat() } else { String::new() };
                let mut position = [0.0; 4];
                position.copy_from_slice(&moment.features[self.layout.position()]);
                let chain = chain.clone();
                let event = Event { story, place, segment, partial, position, chain };
                let parts = if within { &mut self.within } else { &mut self.boundary };
                let part = parts.of_mut(split);
                part.events.push(event);
                if rows_within || !within {
                    part.rows.extend_from_slice(moment.features);
                }
                Ok(())
            },
        )
    }

    fn check(&self) -> Result<()> {
        let of = &self.boundary;
        let counts = [&of.train, &of.validation, &of.test].map(|part| part.events.len());
        if counts.contains(&0) {
            let [train, validation, test] = counts;
            let message = format!(
                "{train} training, {validation} validation and {test} test moments: every split \
                 needs some"
            );
            return Err(LabError::Data(message));
        }
        Ok(())
    }

    /// The columns of `site` in a row: its last residual, segment mean and answer mean.
    pub(crate) fn columns(&self, site: Site) -> Option<[Range<usize>; 3]> {
        let place = self.sites.iter().position(|&one| one == site)?;
        let (hidden, width) = (self.layout.hidden, self.layout.hidden * self.layout.sites);
        let of = |block: usize| {
            let start = block * width + place * hidden;
            start..start + hidden
        };
        Some([of(0), of(1), of(2)])
    }

    /// The residual at the end of a story's prompt as it was collected, *shape* `[hidden]`.
    pub(crate) fn prompt_end(&self, story: usize, site: Site) -> Option<&[f32]> {
        let place = self.sites.iter().position(|&one| one == site)?;
        let hidden = self.layout.hidden;
        self.stories[story].prompt_end.get(place * hidden..(place + 1) * hidden)
    }

    /// The columns of all of `sites`.
    pub(crate) fn columns_of(&self, sites: &[Site]) -> Vec<Range<usize>> {
        sites.iter().filter_map(|&site| self.columns(site)).flatten().collect()
    }
}
