//! The two traits a plugin implements: the factory and the session.

use crate::{Annotation, End, ModelInfo, PluginError, Site, Step, Value};

/// Which prompt positions a plugin wants; of an answer's tokens it always gets each one.
///
/// ```
/// use themecast_plugin_api::Positions;
///
/// assert_eq!(Positions::default(), Positions::Last);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Positions {
    /// Only the prompt's last position (cheap).
    #[default]
    Last,
    /// Every prompt position that was computed.
    Prompt,
}

/// What a plugin wants to see of a model.
///
/// ```
/// use themecast_plugin_api::{Interest, Site};
///
/// let interest = Interest::last(vec![Site::LayerIn(12), Site::Final]);
/// assert_eq!(interest.sites.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interest {
    /// The sites, in the order in which the residuals are to come.
    pub sites: Vec<Site>,
    /// Which prompt positions.
    pub positions: Positions,
}

impl Interest {
    /// The last position at each of `sites`.
    ///
    /// ```
    /// # use themecast_plugin_api::{Interest, Positions, Site};
    /// assert_eq!(Interest::last(vec![Site::Final]).positions, Positions::Last);
    /// ```
    pub fn last(sites: Vec<Site>) -> Self {
        Self { sites, positions: Positions::Last }
    }
}

/// What a plugin is told of a request before it starts.
///
/// ```
/// use themecast_plugin_api::{RequestInfo, Value};
///
/// let request = RequestInfo { id: "r-1".into(), ..RequestInfo::default() };
/// assert_eq!(request.options, Value::Null);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RequestInfo {
    /// The request's id, for logs; never a metric label.
    pub id: String,
    /// The plugin's own options, as the client sent them: a map, or null where there are none.
    pub options: Value,
    /// The text that is to be answered: a chat's last message of its user, or a completion's prompt.
    pub prompt: String,
    /// The trace that the request belongs to (W3C Trace Context, 32 hex digits): its client's, else
    /// the server's own where it exports traces.
    pub trace_id: Option<String>,
}

/// A plugin: made once per server, asked once per model, opened once per request.
///
/// Object-safe; see the crate's page for a whole one.
///
/// ```
/// use themecast_plugin_api::Plugin;
///
/// fn names(plugins: &[Box<dyn Plugin>]) -> Vec<&str> {
///     plugins.iter().map(|plugin| plugin.name()).collect()
/// }
/// assert!(names(&[]).is_empty());
/// ```
pub trait Plugin: Send + Sync {
    /// The plugin's name, for logs and metrics.
    fn name(&self) -> &str;

    /// What the plugin wants to see of `model`. Asked once; the answer is kept.
    ///
    /// # Errors
    /// [`PluginError::UnsupportedModel`] when the plugin does not fit the model.
    fn interest(&self, model: &ModelInfo) -> Result<Interest, PluginError>;

    /// Opens the session of one request, before the model sees it.
    ///
    /// # Errors
    /// [`PluginError::InvalidOption`] when the client's options do not fit; the request is then
    /// refused. Any other error leaves the request without annotations.
    fn open(&self, request: &RequestInfo) -> Result<Box<dyn Session>, PluginError>;
}

/// One request's state. It runs on a thread of its own, never on the engine's.
///
/// ```
/// use themecast_plugin_api::{Annotation, End, PluginError, Session, Step};
///
/// struct Counter(i64);
/// impl Session for Counter {
///     fn step(&mut self, _step: &Step<'_>) -> Result<Option<Annotation>, PluginError> {
///         self.0 += 1;
///         Ok(None)
///     }
///     fn end(&mut self, _end: &End) -> Result<Option<Annotation>, PluginError> {
///         Ok(Some(Annotation::new([("tokens", self.0.into())])))
///     }
/// }
/// let _object: Box<dyn Session> = Box::new(Counter(0));
/// ```
pub trait Session: Send {
    /// Takes one step's residuals; what it returns goes out with answer token `step.index`.
    ///
    /// # Errors
    /// Any error ends the session; the stream goes on and carries the error once.
    fn step(&mut self, step: &Step<'_>) -> Result<Option<Annotation>, PluginError>;

    /// Is told of the end, and may sum up the whole answer. By default it says nothing.
    ///
    /// # Errors
    /// Any error is sent in place of the summary.
    fn end(&mut self, end: &End) -> Result<Option<Annotation>, PluginError> {
        let _ = end;
        Ok(None)
    }
}
