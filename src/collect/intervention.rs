//! What is done to a model while it answers, beside what its prompts say.

use crate::host::Steering;

/// Something done to every answer of a collection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Intervention {
    /// What the model is told before every prompt, in place of the prompt's own.
    pub system: Option<String>,
    /// A direction that is added to the residual stream, and what it is called.
    pub steering: Option<(Steering, String)>,
}

impl Intervention {
    /// What is done, for people and for telling one collection from another; none where nothing is.
    pub fn name(&self) -> Option<String> {
        let system = self.system.iter().map(|system| format!("told \"{system}\""));
        let steering = self.steering.iter().map(|(_, name)| name.clone());
        let all: Vec<String> = system.chain(steering).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}
