//! Which detector's alarms lead to what.

use crate::{alarm::Detector, tally::PolicyLabel};
use serde::{Deserialize, Serialize};

/// What is done about a detector's alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub enum Policy {
    /// Nothing more than saying it in the answer's annotation.
    #[default]
    Annotate,
    /// The operator's receiver is told.
    Webhook,
    /// The answer is stopped.
    Stop,
    /// What would have happened is counted, as if the policy were `stop`.
    Shadow,
    /// What would have happened is counted, as if the policy were `webhook`.
    ShadowWebhook,
    /// Nothing: no outcome is counted and nothing logged here. That the detector raised an alarm is still
    /// counted, and listed, by whoever hears of it.
    Off,
}

impl Policy {
    /// What is done, if anything.
    pub(crate) fn action(self) -> Option<Action> {
        Some(match self {
            Self::Annotate => Action::Annotate,
            Self::Webhook => Action::Webhook,
            Self::Stop => Action::Stop,
            Self::Shadow => Action::WouldStop,
            Self::ShadowWebhook => Action::WouldWebhook,
            Self::Off => return None,
        })
    }
}

impl TryFrom<String> for Policy {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Ok(match text.as_str() {
            "annotate" => Self::Annotate,
            "webhook" => Self::Webhook,
            "stop" => Self::Stop,
            "shadow" => Self::Shadow,
            "shadow_webhook" => Self::ShadowWebhook,
            "off" => Self::Off,
            _ => {
                return Err(
                    "is no policy: use annotate, webhook, stop, shadow, shadow_webhook or off",
                );
            }
        })
    }
}

/// What was done about an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It was left to the annotation.
    Annotate,
    /// The receiver was to be told.
    Webhook,
    /// The answer was to be stopped.
    Stop,
    /// Nothing, but the receiver would have been told.
    WouldWebhook,
    /// Nothing, but the answer would have been stopped.
    WouldStop,
}

impl Action {
    /// The policy under which it is counted.
    pub fn label(self) -> PolicyLabel {
        match self {
            Self::Annotate => PolicyLabel::Annotate,
            Self::Webhook => PolicyLabel::Webhook,
            Self::Stop => PolicyLabel::Stop,
            Self::WouldWebhook | Self::WouldStop => PolicyLabel::Shadow,
        }
    }
}

/// One policy a detector; [`Policy::Annotate`] where the configuration says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table, [alarms.policy]")]
pub struct Policies {
    /// For [`Detector::Martingale`].
    pub martingale: Policy,
    /// For [`Detector::Cusum`].
    pub cusum: Policy,
    /// For [`Detector::PageHinkley`].
    pub page_hinkley: Policy,
    /// For [`Detector::Watch`].
    pub watch: Policy,
    /// For [`Detector::OutOfDistribution`].
    pub out_of_distribution: Policy,
}

impl Policies {
    /// The policy for `detector`'s alarms.
    pub fn of(&self, detector: Detector) -> Policy {
        match detector {
            Detector::Martingale => self.martingale,
            Detector::Cusum => self.cusum,
            Detector::PageHinkley => self.page_hinkley,
            Detector::Watch => self.watch,
            Detector::OutOfDistribution => self.out_of_distribution,
        }
    }

    /// Whether some detector's alarms end answers.
    pub fn stop(&self) -> bool {
        let all =
            [self.martingale, self.cusum, self.page_hinkley, self.watch, self.out_of_distribution];
        all.contains(&Policy::Stop)
    }

    /// The first key whose alarms go to the webhook.
    pub(crate) fn webhook_key(&self) -> Option<&'static str> {
        let keys = [
            ("martingale", self.martingale),
            ("cusum", self.cusum),
            ("page_hinkley", self.page_hinkley),
            ("watch", self.watch),
            ("out_of_distribution", self.out_of_distribution),
        ];
        keys.into_iter().find(|(_, policy)| *policy == Policy::Webhook).map(|(key, _)| key)
    }
}
