//! `themecast label`: segments and their themes, for a collection or for plain texts.

use super::oracle::Endpoint;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use themecast_forecast::segment::SegmenterConfig;
use themecast_lab::{
    embed::Embedder,
    label::{
        self, Cluster, ClusterConfig, Distilled, Labeler, Taxonomy, catalogue,
        llm::{self, Answers, SampleConfig},
    },
};

#[derive(Args)]
pub(super) struct Label {
    /// The collection's folder; the labels go into its folder `labels`
    #[arg(long, required_unless_present = "texts")]
    data: Option<PathBuf>,
    /// Plain texts instead: {"id","text"} a line
    #[arg(long, conflicts_with = "data", requires = "out")]
    texts: Option<PathBuf>,
    /// Where the labels of plain texts go
    #[arg(long)]
    out: Option<PathBuf>,
    /// How themes are found
    #[arg(long, value_enum, default_value_t = Method::Cluster)]
    method: Method,
    /// How many clusters; without it the most stable of 8, 12, 16, 24, 32, 48
    #[arg(long)]
    themes: Option<usize>,
    /// The seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The themes to choose from, as data/catalogue.json; the shipped ones where not given
    #[arg(long)]
    catalogue: Option<PathBuf>,
    /// An OpenAI-compatible endpoint, such as http://127.0.0.1:8080/v1, that labels a sample;
    /// without it the answers that are there already are learnt from
    #[arg(long)]
    endpoint: Option<String>,
    /// Answers about single segments to learn from; the collection's labels-llm.jsonl where not
    /// given
    #[arg(long, conflicts_with = "endpoint")]
    answers: Option<PathBuf>,
    /// The endpoint's model
    #[arg(long, default_value = "default")]
    llm_model: String,
    /// How many segments the endpoint is asked about
    #[arg(long, default_value_t = 1000)]
    sample: usize,
    /// Of them, how many once more with the themes in another order
    #[arg(long, default_value_t = 100)]
    twice: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Clusters of sentence embeddings, named by their most typical words
    Cluster,
    /// The written catalogue, nearest by sentence embedding
    Taxonomy,
    /// The written catalogue, a sample labelled by a language model and the rest by what was
    /// learnt from it
    Llm,
}

impl Label {
    pub(super) async fn run(self) -> Result<()> {
        tokio::task::spawn_blocking(move || self.label())
            .await
            .context("labelling was cut short")?
    }

    fn label(self) -> Result<()> {
        let embedder =
            Embedder::load(&themecast_assets::embedder(&*themecast_assets::to_stderr())?)?;
        let card = match self.method {
            Method::Cluster => {
                let config = ClusterConfig {
                    themes: self.themes,
                    seed: self.seed,
                    ..ClusterConfig::default()
                };
                self.with(&Cluster::new(config, &embedder))?
            }
            Method::Taxonomy => {
                let catalogue = catalogue::read(self.catalogue.as_deref())?;
                self.with(&Taxonomy { catalogue, embedder: &embedder })?
            }
            Method::Llm => {
                let catalogue = catalogue::read(self.catalogue.as_deref())?;
                let answers = self.answers(&catalogue)?;
                self.with(&Distilled { catalogue, answers: &answers, embedder: &embedder })?
            }
        };
        println!("{}", serde_json::to_string_pretty(&card)?);
        Ok(())
    }

    fn with(&self, labeler: &dyn Labeler) -> Result<label::LabelCard> {
        match (&self.data, &self.texts, &self.out) {
            (Some(data), _, _) => Ok(label::run(data, labeler, &tell)?),
            (None, Some(texts), Some(out)) => {
                Ok(label::label_texts(texts, &SegmenterConfig::default(), out, labeler, &tell)?)
            }
            _ => bail!("give --data, or --texts with --out"),
        }
    }

    /// What the language model says of the collection's sample, asked for where an endpoint is
    /// given.
    fn answers(&self, catalogue: &[catalogue::Entry]) -> Result<Answers> {
        if let Some(path) = &self.answers {
            anyhow::ensure!(path.is_file(), "{}: no such file of answers", path.display());
            return Ok(Answers::read(path.clone(), catalogue)?);
        }
        let data = self.data.as_deref().context("--method llm needs --data")?;
        let Some(endpoint) = &self.endpoint else { return Ok(Answers::open(data, catalogue)?) };
        let endpoint = Endpoint::new(endpoint, &self.llm_model)?;
        let segments = label::segments_of(data, &tell)?;
        let config = SampleConfig { segments: self.sample, twice: self.twice, seed: self.seed };
        Ok(llm::sample(data, &segments, catalogue, &endpoint, (config, &tell))?)
    }
}

fn tell(line: &str) {
    eprintln!("label: {line}");
}
