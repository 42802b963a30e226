//! Plugins for tests of what surrounds plugins.

use std::time::Duration;
use themecast_plugin_api::{
    Annotation, End, Interest, ModelInfo, Plugin, PluginError, RequestInfo, Session, Site, Step,
    Value,
};

fn interest() -> Result<Interest, PluginError> {
    Ok(Interest::last(vec![Site::Final]))
}

/// Says what it is told; every eighth token is a milestone.
pub(crate) struct Echo;

struct EchoSession;

impl Plugin for Echo {
    fn name(&self) -> &str {
        "echo"
    }

    fn interest(&self, _model: &ModelInfo) -> Result<Interest, PluginError> {
        interest()
    }

    fn open(&self, request: &RequestInfo) -> Result<Box<dyn Session>, PluginError> {
        match &request.options {
            Value::Map(options) => Err(PluginError::invalid(&options[0].0, "is not known")),
            _ => Ok(Box::new(EchoSession)),
        }
    }
}

impl Session for EchoSession {
    fn step(&mut self, step: &Step<'_>) -> Result<Option<Annotation>, PluginError> {
        let said = Annotation::new([("index", step.index.into()), ("text", step.text.into())]);
        Ok(Some(said.milestone(step.index.is_multiple_of(8))))
    }

    fn end(&mut self, end: &End) -> Result<Option<Annotation>, PluginError> {
        Ok(Some(Annotation::new([("tokens", end.tokens.into())])))
    }
}

/// Does what a plugin must not do, from its fourth step on or at once.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Misbehaving {
    NeverOpens,
    Panics,
    Errs,
    SaysNan,
    Sleeps,
}

impl Plugin for Misbehaving {
    fn name(&self) -> &str {
        "misbehaving"
    }

    fn interest(&self, _model: &ModelInfo) -> Result<Interest, PluginError> {
        interest()
    }

    fn open(&self, _request: &RequestInfo) -> Result<Box<dyn Session>, PluginError> {
        match self {
            Self::NeverOpens => Err(PluginError::failed("on purpose")),
            _ => Ok(Box::new(*self)),
        }
    }
}

impl Session for Misbehaving {
    fn step(&mut self, step: &Step<'_>) -> Result<Option<Annotation>, PluginError> {
        let fine = Ok(Some(Annotation::new([("index", step.index.into())])));
        if step.index < 3 {
            return fine;
        }
        match self {
            Self::Panics => panic!("on purpose"),
            Self::Errs | Self::NeverOpens => Err(PluginError::failed("on purpose")),
            Self::SaysNan => Ok(Some(Annotation::new([("x", f32::NAN.into())]))),
            Self::Sleeps => {
                std::thread::sleep(Duration::from_secs(20));
                fine
            }
        }
    }
}

/// Panics when it is asked what it wants.
pub(crate) struct PanicsAtStart;

impl Plugin for PanicsAtStart {
    fn name(&self) -> &str {
        "panics-at-start"
    }

    fn interest(&self, _model: &ModelInfo) -> Result<Interest, PluginError> {
        panic!("on purpose")
    }

    fn open(&self, _request: &RequestInfo) -> Result<Box<dyn Session>, PluginError> {
        Err(PluginError::failed("is never opened"))
    }
}
