//! `themecast chat`: a conversation with a server, in the terminal.

use super::{Usage, number};
use anyhow::Result;
use clap::Args;
use themecast_chat::{Layout, Server, Settings, talk};

#[derive(Args)]
pub(super) struct Chat {
    /// The server's address
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// A key that the server takes
    #[arg(long, env = "THEMECAST_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// The model's name, as the server's /v1/models has it
    #[arg(long, default_value = "default")]
    model: String,
    /// What the model is told before the conversation
    #[arg(long)]
    system: Option<String>,
    /// The longest answer, in tokens [default: the server's]
    #[arg(long, value_parser = number::at_least::<usize>(1))]
    max_tokens: Option<usize>,
    /// The sampling temperature [default: the server's]
    #[arg(long, value_parser = number::temperature)]
    temperature: Option<f64>,
    /// A phrase to watch for; may be given several times
    #[arg(long, value_name = "PHRASE")]
    watch: Vec<String>,
}

impl Chat {
    pub(super) async fn run(self) -> Result<()> {
        let server =
            Server::new(&self.url, self.api_key).map_err(|error| Usage(error.to_string()))?;
        let settings = Settings {
            model: self.model,
            system: self.system,
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            watch: self.watch,
        };
        let questions = tokio::io::BufReader::new(tokio::io::stdin());
        Ok(talk(&server, &settings, questions, std::io::stdout(), Layout::of_terminal).await?)
    }
}
