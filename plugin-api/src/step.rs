//! One step of decoding as a session sees it, and its end.

/// Where in an answer a step is.
///
/// ```
/// use themecast_plugin_api::Phase;
///
/// let phase = Phase::Prompt { computed: 12, cached: 30 };
/// assert_ne!(phase, Phase::Decode);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The prompt has been read; the first token of the answer comes next.
    Prompt {
        /// Positions that this forward pass computed.
        computed: usize,
        /// Positions that came from the prefix cache: no residuals exist for them.
        cached: usize,
    },
    /// One more token of the answer has been read.
    Decode,
}

/// One step: the model has read `token` and is about to write answer token `index`.
///
/// ```
/// use themecast_plugin_api::{Phase, Residuals, Step};
///
/// let data = [0.5_f32, -0.5];
/// let step = Step {
///     index: 1,
///     position: 40,
///     token: 284,
///     text: " the",
///     phase: Phase::Decode,
///     residuals: Residuals::new(&data, 1, 2),
/// };
/// assert_eq!(step.residuals.last(0), &[0.5, -0.5]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Index in the answer of the token that is about to be written; 0 after the prompt.
    pub index: usize,
    /// Position in the sequence, prompt included, of the token that was read last.
    pub position: usize,
    /// The token that was read last (the prompt's last one at index 0).
    pub token: u32,
    /// The text of the answer that became complete with `token`; empty at index 0.
    pub text: &'a str,
    /// Prompt or decode.
    pub phase: Phase,
    /// The residuals at the sites of the plugin's interest, in its order.
    pub residuals: Residuals<'a>,
}

/// Residuals of one step, *shape* `[sites, positions, hidden]`, row-major, f32.
///
/// ```
/// use themecast_plugin_api::Residuals;
///
/// let data: Vec<f32> = (0..12).map(|x| x as f32).collect();
/// let residuals = Residuals::new(&data, 3, 2); // two sites, three positions, hidden size 2
/// assert_eq!(residuals.last(0), &[4.0, 5.0]);
/// assert_eq!(residuals.all(1), &data[6..]);
/// assert_eq!((residuals.sites(), residuals.positions(), residuals.hidden_size()), (2, 3, 2));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Residuals<'a> {
    data: &'a [f32],
    positions: usize,
    hidden_size: usize,
}

impl<'a> Residuals<'a> {
    /// Borrows `data`, *shape* `[sites, positions, hidden_size]`.
    ///
    /// ```
    /// # use themecast_plugin_api::Residuals;
    /// assert_eq!(Residuals::new(&[1.0, 2.0], 1, 2).sites(), 1);
    /// ```
    ///
    /// # Panics
    /// When `data` is not a whole number of `positions × hidden_size` blocks.
    pub fn new(data: &'a [f32], positions: usize, hidden_size: usize) -> Self {
        let block = positions * hidden_size;
        assert!(
            block > 0 && data.len().is_multiple_of(block),
            "{} values are no whole number of [{positions}, {hidden_size}] blocks",
            data.len()
        );
        Self { data, positions, hidden_size }
    }

    /// The residual of the last position at the `site`-th site, *shape* `[hidden]`.
    ///
    /// ```
    /// # use themecast_plugin_api::Residuals;
    /// assert_eq!(Residuals::new(&[1.0, 2.0], 2, 1).last(0), &[2.0]);
    /// ```
    ///
    /// # Panics
    /// When there are no more than `site` sites.
    pub fn last(&self, site: usize) -> &'a [f32] {
        let all = self.all(site);
        &all[all.len() - self.hidden_size..]
    }

    /// Every kept position at the `site`-th site, *shape* `[positions, hidden]`.
    ///
    /// ```
    /// # use themecast_plugin_api::Residuals;
    /// assert_eq!(Residuals::new(&[1.0, 2.0], 2, 1).all(0), &[1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When there are no more than `site` sites.
    pub fn all(&self, site: usize) -> &'a [f32] {
        let block = self.positions * self.hidden_size;
        &self.data[site * block..(site + 1) * block]
    }

    /// How many sites there are.
    ///
    /// ```
    /// # use themecast_plugin_api::Residuals;
    /// assert_eq!(Residuals::new(&[1.0, 2.0], 1, 1).sites(), 2);
    /// ```
    pub fn sites(&self) -> usize {
        self.data.len() / (self.positions * self.hidden_size)
    }

    /// How many positions are kept: 1, or the computed prompt positions where they were asked for.
    ///
    /// ```
    /// # use themecast_plugin_api::Residuals;
    /// assert_eq!(Residuals::new(&[1.0, 2.0], 2, 1).positions(), 2);
    /// ```
    pub fn positions(&self) -> usize {
        self.positions
    }

    /// The width of the residual stream.
    ///
    /// ```
    /// # use themecast_plugin_api::Residuals;
    /// assert_eq!(Residuals::new(&[1.0, 2.0], 1, 2).hidden_size(), 2);
    /// ```
    pub fn hidden_size(&self) -> usize {
        self.hidden_size
    }
}

/// Why an answer ended.
///
/// ```
/// use themecast_plugin_api::EndReason;
///
/// assert_eq!(EndReason::from_finish_reason("length"), EndReason::Length);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// The model ended it, or a stop sequence did.
    Stop,
    /// The length limit was reached.
    Length,
    /// The session asked for it ([`crate::Annotation::stop`]) before the answer ended by itself.
    Stopped,
    /// The client went away.
    Cancelled,
    /// The engine failed.
    Failed,
}

impl EndReason {
    /// Reads OpenAI's `finish_reason`.
    ///
    /// ```
    /// # use themecast_plugin_api::EndReason;
    /// assert_eq!(EndReason::from_finish_reason("stop"), EndReason::Stop);
    /// ```
    pub fn from_finish_reason(reason: &str) -> Self {
        match reason {
            "length" => Self::Length,
            "canceled" | "cancelled" => Self::Cancelled,
            "error" => Self::Failed,
            _ => Self::Stop,
        }
    }
}

/// The end of an answer.
///
/// ```
/// use themecast_plugin_api::{End, EndReason};
///
/// let end = End { reason: EndReason::Stop, tokens: 57 };
/// assert_eq!(end.tokens, 57);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Why it ended.
    pub reason: EndReason,
    /// How many tokens were written.
    pub tokens: usize,
}
