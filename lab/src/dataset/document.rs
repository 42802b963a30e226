//! One sampled answer and its tokens.

use half::f16;

/// One answer to one prompt, with every token that was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// `{prompt_id}/{sample}`, unique in the collection.
    pub id: String,
    /// The prompt's id; answers to one prompt never part in splits.
    pub prompt_id: String,
    /// The prompt as the user wrote it.
    pub prompt: String,
    /// The prompt's group, where the prompt file names one.
    pub group: Option<String>,
    /// `train`, `validation`, `test` or `held-out`, where the prompt file says so.
    pub split: Option<String>,
    /// Which of the prompt's answers this is, from 0.
    pub sample: u32,
    /// The whole answer.
    pub text: String,
    /// `stop`, `length`, … as OpenAI names it.
    pub finish_reason: String,
    /// The answer repeats itself; labelling leaves it out.
    pub looping: bool,
    /// What was read, in order: the prompt's end (index −1), then the answer's tokens.
    pub tokens: Vec<TokenRow>,
}

/// One token that was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TokenRow {
    /// Its index in the answer; −1 for the prompt's end.
    pub index: i32,
    /// The token.
    pub token: u32,
    /// The answer's text that became complete with it; empty at −1.
    pub text: String,
    /// Its position in the sequence, prompt included.
    pub position: u32,
    /// The segment it belongs to; −1 at the prompt's end.
    pub segment: i32,
    /// Its segment ends with it.
    pub segment_end: bool,
    /// *Shape* `[sites, hidden]`, row-major, of the pass that read it; `None` where the token was
    /// never read (the last one of a truncated answer).
    pub residuals: Option<Vec<f16>>,
}

impl Document {
    /// The id of answer `sample` to the prompt `prompt_id`.
    ///
    /// ```
    /// use themecast_lab::dataset::Document;
    ///
    /// assert_eq!(Document::id_of("recipes-7", 2), "recipes-7/2");
    /// ```
    pub fn id_of(prompt_id: &str, sample: u32) -> String {
        format!("{prompt_id}/{sample}")
    }

    /// The id of the prompt of the answer `id`, of a way on from within one, or of one that turns into
    /// another's: what stands before its sample. No prompt's id has an `@` or a `+`.
    ///
    /// ```
    /// use themecast_lab::dataset::Document;
    ///
    /// for id in ["faq/3/0", "faq/3/1@2/0", "faq/3/0@2+recipe-7/1@4"] {
    ///     assert_eq!(Document::prompt_of(id), "faq/3");
    /// }
    /// ```
    pub fn prompt_of(id: &str) -> &str {
        let answer = id.split(['@', '+']).next().unwrap_or(id);
        answer.rsplit_once('/').map_or(answer, |(prompt, _)| prompt)
    }

    /// The residuals at the prompt's end, *shape* `[sites, hidden]`; empty where there are none.
    pub fn prompt_end(&self) -> Vec<f32> {
        let row = self.tokens.iter().rfind(|row| row.index < 0);
        let half = row.and_then(|row| row.residuals.as_deref()).unwrap_or_default();
        half.iter().map(|value| value.to_f32()).collect()
    }

    /// Whether the length limit cut the answer off.
    pub fn truncated(&self) -> bool {
        self.finish_reason == "length"
    }
}

/// Rounds residuals to half precision; what exceeds its range becomes its largest value.
///
/// ```
/// let half = themecast_lab::dataset::to_half(&[0.5, -1e9]);
/// assert_eq!((half[0].to_f32(), half[1].to_f32()), (0.5, -65504.0));
/// ```
pub fn to_half(residuals: &[f32]) -> Vec<f16> {
    let limit = f16::MAX.to_f32();
    residuals.iter().map(|&x| f16::from_f32(x.clamp(-limit, limit))).collect()
}
