//! Question and answer in turn, and what is said of each answer at its end.

use crate::{
    columns::{Columns, Layout},
    margin::Margin,
    note::{Note, Summary},
    server::{Error, Server},
};
use console::Style;
use serde_json::{Value, json};
use std::io::{self, Write};
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// What is sent with every question.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The model's name, as `/v1/models` has it.
    pub model: String,
    /// What the model is told before the conversation.
    pub system: Option<String>,
    /// The longest answer, in tokens; the server's own limit where not given.
    pub max_tokens: Option<usize>,
    /// The sampling temperature; the server's own where not given.
    pub temperature: Option<f64>,
    /// Phrases to watch for.
    pub watch: Vec<String>,
}

/// A conversation so far.
struct Talk<'a, W> {
    server: &'a Server,
    settings: &'a Settings,
    messages: Vec<Value>,
    out: W,
}

/// Takes a question a line from `questions` and draws the answers on `out` until there are no more.
///
/// `layout` is asked anew for every answer, since terminals change their size. Where it is live, a
/// person asks: Ctrl-C ends a running answer, `/new` forgets the conversation, `/quit` ends it, and a
/// failed answer is told without ending the conversation.
///
/// # Errors
/// When an answer fails where nobody watches, or the terminal does.
pub async fn talk<W: Write>(
    server: &Server,
    settings: &Settings,
    questions: impl AsyncBufRead + Unpin,
    out: W,
    layout: impl Fn() -> Layout,
) -> Result<(), Error> {
    let mut questions = questions.lines();
    let mut talk = Talk { server, settings, messages: Vec::new(), out };
    talk.forget();
    loop {
        let layout = layout();
        if layout.live() {
            write!(talk.out, "{} ", Style::new().bold().force_styling(true).apply_to(">"))?;
            talk.out.flush()?;
        }
        let line = tokio::select! {
            line = questions.next_line() => line?,
            _ = tokio::signal::ctrl_c() => None,
        };
        match line.as_deref().map(str::trim) {
            None | Some("/quit") => return Ok(()),
            Some("") => {}
            Some("/new") => talk.forget(),
            Some(question) => match talk.turn(question, layout).await {
                Err(error) if !layout.live() || matches!(error, Error::Terminal(_)) => {
                    return Err(error);
                }
                Err(error) => writeln!(talk.out, "error: {error}\n")?,
                Ok(()) => {}
            },
        }
    }
}

impl<W: Write> Talk<'_, W> {
    fn forget(&mut self) {
        let system = self.settings.system.iter();
        self.messages = system.map(|system| json!({"role": "system", "content": system})).collect();
    }

    /// Asks one question; neither it nor its answer is remembered where that fails.
    async fn turn(&mut self, question: &str, layout: Layout) -> Result<(), Error> {
        let before = self.messages.len();
        self.messages.push(json!({"role": "user", "content": question}));
        match self.answer(layout).await {
            Ok(text) => self.messages.push(json!({"role": "assistant", "content": text})),
            Err(error) => {
                self.messages.truncate(before);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Draws the answer to the messages so far and gives its text.
    async fn answer(&mut self, layout: Layout) -> Result<String, Error> {
        let left = tokio::signal::ctrl_c();
        tokio::pin!(left);
        let (body, mut text, mut last) = (self.body(), String::new(), None);
        let mut answer = tokio::select! {
            answer = self.server.ask(&body) => answer?,
            _ = &mut left => return Ok(text),
        };
        let mut columns = Columns::new(&mut self.out, layout);
        let ended = loop {
            let piece = tokio::select! {
                piece = answer.next() => piece,
                _ = &mut left => break Ok(()),
            };
            match piece {
                Ok(Some(piece)) => {
                    let margin = piece.note.as_ref().map(|note| Margin::of(note, layout.margin()));
                    columns.piece(&piece.text, margin)?;
                    text += &piece.text;
                    last = piece.note.or(last);
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        columns.end()?;
        ended?;
        self.ended(last, layout)?;
        Ok(text)
    }

    fn body(&self) -> Value {
        let Settings { model, max_tokens, temperature, watch, .. } = self.settings;
        let mut body = json!({
            "model": model,
            "messages": self.messages,
            "stream": true,
            "themecast": {"every": "token", "top": 1, "chains": 0},
        });
        if let Some(max_tokens) = max_tokens {
            body["max_tokens"] = json!(max_tokens);
        }
        if let Some(temperature) = temperature {
            body["temperature"] = json!(temperature);
        }
        if !watch.is_empty() {
            body["themecast"]["watch"] = json!(watch);
        }
        body
    }

    /// Says how the answer went.
    fn ended(&mut self, last: Option<Note>, layout: Layout) -> io::Result<()> {
        let said = match &last {
            None => "this server sends no forecasts".to_owned(),
            Some(Note { summary: None, .. }) => return writeln!(self.out),
            Some(Note { summary: Some(summary), stopped, .. }) => {
                let stopped =
                    stopped.as_ref().map(|stopped| format!("; stopped by {}", stopped.by));
                short(summary) + &stopped.unwrap_or_default()
            }
        };
        let style = Style::new().dim().force_styling(layout.live());
        writeln!(self.out, "{}\n", style.apply_to(said))
    }
}

/// An answer's path in a line.
fn short(summary: &Summary) -> String {
    let themes: Vec<&str> = summary.segments.iter().map(|segment| segment.theme.as_str()).collect();
    let alarms = match summary.alarms.as_slice() {
        [] => String::new(),
        alarms => format!("; alarms: {}", alarms.join(", ")),
    };
    format!(
        "{} tokens: {}; {:.2} nats of surprise a segment, drift at most {:.0}% of its alarm{alarms}",
        summary.tokens,
        themes.join(" → "),
        summary.mean_surprise,
        100.0 * summary.max_score,
    )
}
