//! The command line: one file a command, each a thin layer over the library.

mod alarms;
mod bench;
mod chat;
mod collect;
mod compare;
mod eval;
mod fetch;
mod label;
mod logging;
mod model;
mod number;
mod oracle;
mod output;
mod progress;
mod read;
mod resample;
mod serve;
mod steer;
mod sweep;
mod train;

use clap::{Parser, Subcommand};

/// Forecasts where a language model's answer is going, while it is being written.
#[derive(Parser)]
#[command(name = "themecast", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a model over OpenAI's API, with forecasts beside the tokens
    Serve(Box<serve::Serve>),
    /// Download the default model and the sentence embedder into the cache and verify them
    Fetch(fetch::Fetch),
    /// Sample continuations of prompts together with their residuals
    Collect(collect::Collect),
    /// Sample other ways on from places within collected answers: the ceiling of any forecast, or,
    /// with the model steered, divergences to judge alarms on
    Resample(resample::Resample),
    /// Let another model read collected answers: the control of what the text alone gives away
    Read(read::Read),
    /// Give the segments of a collection their themes
    Label(label::Label),
    /// Train a bundle from a labelled collection
    Train(train::Train),
    /// Judge a bundle on held-out data, next to every baseline
    Eval(eval::Eval),
    /// Compare layers and normalisations with one linear head each, and closed forms with it
    Sweep(sweep::Sweep),
    /// Judge the alarms on answers made to leave their path
    Alarms(alarms::Alarms),
    /// Compare the themes of two models, or of one with something done to it
    Compare(Box<compare::Compare>),
    /// Talk to a server in the terminal, the forecast drawn beside its answers
    Chat(chat::Chat),
    /// Measure decoding with the forecast off and on, interleaved
    Bench(bench::Bench),
}

/// What a command line asks for that does not go together, where clap alone can't tell.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(String);

/// The exit code that tells of an error: 2 for bad usage, 1 for whatever else went wrong.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() { 2 } else { 1 }
}

/// Runs the command that the user gave; what clap refuses ends the process with 2.
///
/// # Errors
/// Whatever went wrong, as a chain whose lines say what was being done and why it failed.
pub fn run() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if !matches!(cli.command, Command::Serve(_) | Command::Bench(_)) {
        logging::start(None); // those two start it with what they are told of traces
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(command) => command.run().await,
            Command::Fetch(command) => command.run().await,
            Command::Collect(command) => command.run().await,
            Command::Resample(command) => command.run().await,
            Command::Read(command) => command.run().await,
            Command::Label(command) => command.run().await,
            Command::Train(command) => command.run().await,
            Command::Eval(command) => command.run().await,
            Command::Sweep(command) => command.run().await,
            Command::Alarms(command) => command.run().await,
            Command::Compare(command) => command.run().await,
            Command::Chat(command) => command.run().await,
            Command::Bench(command) => command.run().await,
        }
    });
    runtime.shutdown_background();
    done
}
