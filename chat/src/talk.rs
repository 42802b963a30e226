//! Question and answer in turn, and what is said of each answer at its end.

use crate::{
    columns::{Columns, Layout},
    margin::Margin,
    note::{Note, Summary},
    plain::plain,
    server::{Answer, Error, Server},
};
use console::Style;
use serde_json::{Value, json};
use std::io::Write;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// The request's field that asks for forecasts.
const FIELD: &str = "themecast";
const NO_FORECASTS: &str = "this server sends no forecasts";

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
    /// Whether the server is asked for forecasts: until it says that it has none.
    forecasts: bool,
    messages: Vec<Value>,
    out: W,
}

/// What was written of an answer.
#[derive(Default)]
struct Written {
    text: String,
    /// What was said beside its last annotated token.
    note: Option<Note>,
    /// Why it ended; none where the reader left it.
    finish: Option<String>,
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
    mut questions: impl AsyncBufRead + Unpin,
    out: W,
    layout: impl Fn() -> Layout,
) -> Result<(), Error> {
    let mut talk = Talk { server, settings, forecasts: true, messages: Vec::new(), out };
    talk.forget();
    loop {
        let layout = layout();
        if layout.live() {
            write!(talk.out, "{} ", layout.styled(Style::new().bold()).apply_to(">"))?;
            talk.out.flush()?;
        }
        let mut line = Vec::new();
        let read = tokio::select! {
            read = questions.read_until(b'\n', &mut line) => read?,
            () = interrupted(layout) => 0,
        };
        match String::from_utf8_lossy(&line).trim() {
            _ if read == 0 => return Ok(()),
            "/quit" => return Ok(()),
            "" => {}
            "/new" => talk.forget(),
            question => match talk.turn(question, layout).await {
                Err(error) if !layout.live() || matches!(error, Error::Terminal(_)) => {
                    return Err(error);
                }
                Err(error) => writeln!(talk.out, "error: {}\n", plain(&error.to_string()))?,
                Ok(()) => {}
            },
        }
    }
}

/// Waits for Ctrl-C where a person watches; elsewhere it ends the process, as it does others.
async fn interrupted(layout: Layout) {
    if !layout.live() || tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

impl<W: Write> Talk<'_, W> {
    fn forget(&mut self) {
        let system = self.settings.system.iter();
        self.messages = system.map(|system| json!({"role": "system", "content": system})).collect();
    }

    /// Asks one question; neither it nor its answer is remembered where that fails or is left before
    /// it began.
    async fn turn(&mut self, question: &str, layout: Layout) -> Result<(), Error> {
        let before = self.messages.len();
        self.messages.push(json!({"role": "user", "content": question}));
        let answered = self.answer(layout).await;
        let Ok(Written { text, .. }) = &answered else {
            self.messages.truncate(before);
            return answered.map(|_| ());
        };
        match text.is_empty() {
            true => self.messages.truncate(before),
            false => self.messages.push(json!({"role": "assistant", "content": text})),
        }
        Ok(())
    }

    /// Draws the answer to the messages so far.
    async fn answer(&mut self, layout: Layout) -> Result<Written, Error> {
        let left = interrupted(layout);
        tokio::pin!(left);
        let asked = tokio::select! {
            asked = self.ask() => Some(asked?),
            () = &mut left => None,
        };
        let Some(answer) = asked else {
            writeln!(self.out)?;
            return Ok(Written::default());
        };
        let mut columns = Columns::new(&mut self.out, layout);
        let drawn = draw(answer, &mut columns, layout, left).await;
        columns.end()?;
        let written = drawn?;
        let said = plain(&self.said(&written));
        let style = layout.styled(Style::new().dim());
        match said.is_empty() {
            true => writeln!(self.out)?,
            false => writeln!(self.out, "{}\n", style.apply_to(said))?,
        }
        Ok(written)
    }

    /// Asks with forecasts, and without them a server that says that it has none.
    async fn ask(&mut self) -> Result<Answer, Error> {
        match self.server.ask(&self.body()).await {
            Err(Error::Refused { param: Some(param), .. }) if self.forecasts && param == FIELD => {
                self.forecasts = false;
                writeln!(self.out, "{NO_FORECASTS}")?;
                self.server.ask(&self.body()).await
            }
            answered => answered,
        }
    }

    fn body(&self) -> Value {
        let Settings { model, max_tokens, temperature, watch, .. } = self.settings;
        let mut body = json!({"model": model, "messages": self.messages, "stream": true});
        if let Some(max_tokens) = max_tokens {
            body["max_tokens"] = json!(max_tokens);
        }
        if let Some(temperature) = temperature {
            body["temperature"] = json!(temperature);
        }
        if self.forecasts {
            body[FIELD] = json!({"every": "token", "top": 1, "chains": 0});
            if !watch.is_empty() {
                body[FIELD]["watch"] = json!(watch);
            }
        }
        body
    }

    /// How the answer went; empty where there is nothing to say.
    fn said(&self, written: &Written) -> String {
        let Some(finish) = &written.finish else { return String::new() };
        let limit = if finish == "length" { "; cut off at its longest" } else { "" };
        match &written.note {
            None if self.forecasts => NO_FORECASTS.to_owned() + limit,
            Some(Note { error: Some(error), .. }) => format!("no forecast: {error}{limit}"),
            Some(Note { summary: Some(summary), stopped, .. }) => {
                let by = stopped.as_ref().map(|stopped| format!("; stopped by {}", stopped.by));
                short(summary) + &by.unwrap_or_default() + limit
            }
            _ => limit.trim_start_matches("; ").to_owned(),
        }
    }
}

/// Draws an answer as it comes, until it ends or is `left`.
async fn draw<W: Write>(
    mut answer: Answer,
    columns: &mut Columns<W>,
    layout: Layout,
    mut left: impl Future<Output = ()> + Unpin,
) -> Result<Written, Error> {
    let mut written = Written::default();
    loop {
        let piece = tokio::select! {
            piece = answer.next() => piece?,
            () = &mut left => None,
        };
        let Some(piece) = piece else { return Ok(written) };
        let margin = piece.note.as_ref().map(|note| Margin::of(note, layout.margin()));
        columns.piece(&piece.text, margin)?;
        written.text += &piece.text;
        written.note = piece.note.or(written.note);
        written.finish = piece.finish.or(written.finish);
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
