//! What became of alarms, typed: whoever counts writes the names.

/// The policies that are counted; `off` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicyLabel {
    /// Left to the annotation.
    Annotate,
    /// The receiver is told.
    Webhook,
    /// The answer is stopped.
    Stop,
    /// Only counted.
    Shadow,
}

impl PolicyLabel {
    /// Every policy that is counted.
    pub const ALL: [Self; 4] = [Self::Annotate, Self::Webhook, Self::Stop, Self::Shadow];

    /// As the metric's label has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Annotate => "annotate",
            Self::Webhook => "webhook",
            Self::Stop => "stop",
            Self::Shadow => "shadow",
        }
    }
}

/// What became of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// What the policy says was done at once.
    Done,
    /// It never reached the receiver: the queue was full, or the process ended first.
    Dropped,
    /// The receiver took it.
    Delivered,
    /// An attempt failed and another follows.
    Retried,
    /// The last attempt failed.
    Failed,
    /// The receiver refused it; another attempt would not help.
    Rejected,
    /// The receiver would have been told.
    WouldWebhook,
    /// The answer would have been stopped.
    WouldStop,
    /// It stands in the log.
    Logged,
    /// It could not be written to the log.
    LogFailed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::Dropped,
        Self::Delivered,
        Self::Retried,
        Self::Failed,
        Self::Rejected,
        Self::WouldWebhook,
        Self::WouldStop,
        Self::Logged,
        Self::LogFailed,
    ];

    /// As the metric's label has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Dropped => "dropped",
            Self::Delivered => "delivered",
            Self::Retried => "retried",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::WouldWebhook => "would_webhook",
            Self::WouldStop => "would_stop",
            Self::Logged => "logged",
            Self::LogFailed => "log_failed",
        }
    }
}

/// Counts what became of alarms; called where alarms are raised, so it must be quick.
pub trait Tally: Send + Sync + 'static {
    /// This became of one alarm.
    fn count(&self, policy: PolicyLabel, outcome: Outcome);
}

/// Counts nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Tally for Silent {
    fn count(&self, _: PolicyLabel, _: Outcome) {}
}
