//! Which options of `themecast label` do not go together, where clap alone can't tell. Nothing is
//! loaded here.

use super::{
    super::{Usage, oracle},
    Label, Method,
};
use std::path::Path;
use themecast_lab::label::llm;

impl Label {
    /// Refuses what would be ignored, before anything is loaded.
    pub(super) fn check(&self) -> Result<(), Usage> {
        let clusters = self.method == Method::Cluster || self.compare || self.names.is_some();
        if self.themes.is_some() && !clusters {
            let what = "--themes is how many clusters: give --method cluster (other methods have the \
                        themes of their catalogue)";
            return Err(Usage(what.to_owned()));
        }
        self.check_names()?;
        if let Some(option) = self.unheard() {
            return Err(Usage(format!(
                "{option} has no part in --method {}: leave one of them out",
                self.method.name()
            )));
        }
        let given = [(&self.catalogue, "--catalogue"), (&self.keep, "--keep")];
        let ignored = given.into_iter().find(|(given, _)| given.is_some());
        let Some((_, option)) = ignored.filter(|_| self.by_classifier()) else { return Ok(()) };
        Err(Usage(format!(
            "{option} needs answers to learn from: give --answers or --endpoint (a classifier \
             knows the themes that it has learnt alone), or --method taxonomy for a catalogue \
             without answers"
        )))
    }

    /// Refuses more names than an endpoint can choose from.
    fn check_names(&self) -> Result<(), Usage> {
        let (most, wanted) = (oracle::ALTERNATIVES, self.themes.filter(|_| self.names.is_some()));
        match wanted.filter(|themes| !(2..=most).contains(themes)) {
            None => Ok(()),
            Some(themes) => Err(Usage(format!(
                "--themes {themes}: want 2 to {most}, as many as an endpoint can choose from"
            ))),
        }
    }

    /// An option that the method to label by does not hear.
    fn unheard(&self) -> Option<&'static str> {
        let labels = self.names.is_none() && !self.compare && !self.boundaries;
        let learns = [
            (self.endpoint.is_some(), "--endpoint"),
            (self.answers.is_some(), "--answers"),
            (self.classifier.is_some(), "--classifier"),
            (self.keep.is_some(), "--keep"),
        ];
        let clusters = self.method == Method::Cluster;
        let catalogue = (self.catalogue.is_some() && clusters, "--catalogue");
        let mut all = learns.into_iter().chain([catalogue]);
        let found = all.find(|(given, _)| *given && labels && self.method != Method::Llm);
        found.map(|(_, option)| option)
    }

    /// Whether what was learnt before labels, because nothing is to be learnt now.
    fn by_classifier(&self) -> bool {
        let beside = |data: &Path| self.classifier.is_none() && data.join(llm::ANSWERS).is_file();
        let answered = self.answers.is_some()
            || self.endpoint.is_some()
            || self.data.as_deref().is_some_and(beside);
        let without = match self.compare {
            true => self.catalogue.is_none() || self.classifier.is_some(),
            false => self.names.is_none() && self.method == Method::Llm,
        };
        self.boundaries || (!answered && without)
    }
}
