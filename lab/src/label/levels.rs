//! The two levels of labels and who gives them.

use super::Labeler;

/// What gives each segment its theme, and what its topic.
///
/// ```no_run
/// # use themecast_lab::label::{self, Cluster, ClusterConfig, Labeler, Levels};
/// # fn topics(themes: &dyn Labeler, embedder: &dyn themecast_lab::embed::Embed)
/// # -> themecast_lab::Result<()> {
/// let clusters = Cluster::new(ClusterConfig::default(), embedder);
/// let levels = Levels { themes, topics: Some(&clusters) };
/// label::run("collection".as_ref(), levels, &|_| {})?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Levels<'a> {
    /// The labeller of themes.
    pub themes: &'a dyn Labeler,
    /// The labeller of topics; `None`: there are none.
    pub topics: Option<&'a dyn Labeler>,
}

impl std::fmt::Debug for Levels<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut said = f.debug_struct("Levels");
        said.field("themes", &self.themes.method());
        said.field("topics", &self.topics.map(Labeler::method)).finish()
    }
}

impl<'a, L: Labeler> From<&'a L> for Levels<'a> {
    /// Themes alone.
    fn from(themes: &'a L) -> Self {
        Self { themes, topics: None }
    }
}
