//! `themecast label`: segments and their themes, for a collection or for plain texts.

mod usage;

use super::{
    Usage,
    oracle::{self, Endpoint},
    output,
};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use themecast_forecast::segment::SegmenterConfig;
use themecast_lab::{
    embed::{Embed, Embedder},
    embed_cache::Remembering,
    label::{
        self, Classified, Classifier, Cluster, ClusterConfig, Distilled, Labeler, Levels, Taxonomy,
        boundaries::{self, BoundaryConfig},
        catalogue,
        compare::{self, CompareConfig, Judged},
        llm::{self, Answers, NamesConfig, SampleConfig},
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
    #[arg(long, conflicts_with = "data")]
    out: Option<PathBuf>,
    /// How themes are found; with --compare, whose passages are shown
    #[arg(long, value_enum, default_value_t = Method::Llm)]
    method: Method,
    /// How many clusters; without it the most stable of 8, 12, 16, 24, 32, 48
    #[arg(long)]
    themes: Option<usize>,
    /// How many topics, clusters beside the themes; without it the most stable of the same
    /// numbers, 0: none. With --compare the clusters of --themes are the topics
    #[arg(long, conflicts_with = "instead")]
    topics: Option<usize>,
    /// The seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The themes to choose from, as data/catalogue.json; the shipped ones where not given. With
    /// --method llm it needs answers about them
    #[arg(long)]
    catalogue: Option<PathBuf>,
    /// An OpenAI-compatible endpoint, such as http://127.0.0.1:8080/v1, that labels a sample; its
    /// key in THEMECAST_LLM_KEY
    #[arg(long, requires = "data")]
    endpoint: Option<String>,
    /// Answers about single segments to learn from; the collection's labels-llm.jsonl where not
    /// given
    #[arg(long, conflicts_with = "endpoint")]
    answers: Option<PathBuf>,
    /// Where the classifier that was learnt from the answers is kept
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// The classifier that labels, whatever answers lie with the collection; where not given, the
    /// shipped one if there are none
    #[arg(long, value_name = "FILE", conflicts_with_all = ["answers", "endpoint", "keep"])]
    classifier: Option<PathBuf>,
    /// The endpoint's model
    #[arg(long, default_value = "default")]
    llm_model: String,
    /// How many segments the endpoint is asked about
    #[arg(long, default_value_t = 1000)]
    sample: usize,
    /// Of them, how many once more with the themes in another order; how far both agree is told and
    /// kept in labels.json
    #[arg(long, default_value_t = 100)]
    twice: usize,
    /// Have the endpoint name --sample segments in its own words instead, merge the names into at
    /// most --themes themes (18), and write the catalogue here, for --catalogue
    #[arg(
        long,
        value_name = "FILE",
        group = "instead",
        requires = "data",
        requires = "endpoint",
        conflicts_with = "json"
    )]
    names: Option<PathBuf>,
    /// Compare the methods on the collection instead, llm learnt from answers where there are some,
    /// else by the classifier, and write no labels
    #[arg(
        long,
        group = "instead",
        requires = "data",
        requires = "html",
        conflicts_with = "endpoint"
    )]
    compare: bool,
    /// Compare segments that end by length and layout with such that end where the embedding
    /// changes instead, and write no labels
    #[arg(long, group = "instead", requires = "data", conflicts_with = "endpoint")]
    boundaries: bool,
    /// Answers about single segments to hold the methods against, beside --answers: a reader's, or a
    /// language model's as --endpoint keeps them
    #[arg(long, value_name = "FILE", requires = "compare")]
    against: Vec<PathBuf>,
    /// Where to write the comparison as a page
    #[arg(long, requires = "compare")]
    html: Option<PathBuf>,
    /// Where to write what was compared as JSON; - is stdout, where its tables go without this
    #[arg(long, requires = "instead")]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Clusters of sentence embeddings, named by their most typical words
    Cluster,
    /// The written catalogue, nearest by sentence embedding
    Taxonomy,
    /// The written catalogue, a sample labelled by a language model and the rest by what was
    /// learnt from it; without a sample, by what the shipped classifier has learnt
    Llm,
}

impl Method {
    /// Its labeller's name.
    fn name(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Taxonomy => "taxonomy",
            Self::Llm => "llm",
        }
    }
}

impl Label {
    pub(super) async fn run(self) -> Result<()> {
        tokio::task::spawn_blocking(move || self.label())
            .await
            .context("labelling was cut short")?
    }

    fn label(self) -> Result<()> {
        self.check()?;
        let embedder =
            Embedder::load(&themecast_assets::embedder(&*themecast_assets::to_stderr())?)?;
        let labels = self.data.as_ref().or(self.out.as_ref()).map(|dir| dir.join("labels"));
        let labels = labels.context("give --data, or --texts with --out")?;
        let embedder = Remembering::new(&embedder, labels.join("embeddings.parquet"), tell);
        if self.compare {
            return self.compared(&embedder);
        }
        if let Some(names) = &self.names {
            return self.named(names, &embedder);
        }
        if self.boundaries {
            return self.cut_both_ways(&embedder);
        }
        let card = match self.method {
            Method::Cluster => self.with(&Cluster::new(self.clustering(), &embedder), &embedder)?,
            Method::Taxonomy => {
                let catalogue = catalogue::read(self.catalogue.as_deref())?;
                self.with(&Taxonomy { catalogue, embedder: &embedder }, &embedder)?
            }
            Method::Llm => {
                let catalogue = catalogue::read(self.catalogue.as_deref())?;
                match self.answers(&catalogue)? {
                    Some(answers) => {
                        let (embedder, keep) = (&embedder, self.keep.clone());
                        let answers = &answers;
                        self.with(&Distilled { catalogue, answers, embedder, keep }, embedder)?
                    }
                    None => self.with(&self.classified(&embedder)?, &embedder)?,
                }
            }
        };
        output::print(&serde_json::to_string_pretty(&card)?)
    }

    /// What labels without answers.
    fn classified<'a>(&self, embedder: &'a dyn Embed) -> Result<Classified<'a>> {
        let path = self.classifier.as_deref();
        let name = path.map_or("shipped".to_owned(), |path| path.display().to_string());
        Ok(Classified { classifier: Classifier::read(path)?, name, embedder })
    }

    fn with(&self, themes: &dyn Labeler, embedder: &dyn Embed) -> Result<label::LabelCard> {
        let config = ClusterConfig { themes: self.topics, ..self.clustering() };
        let topics = Cluster::new(config, embedder);
        let topics: Option<&dyn Labeler> = (self.topics != Some(0)).then_some(&topics);
        let levels = Levels { themes, topics };
        match (&self.data, &self.texts, &self.out) {
            (Some(data), _, _) => Ok(label::run(data, levels, &tell)?),
            (None, Some(texts), Some(out)) => {
                Ok(label::label_texts(texts, &SegmenterConfig::default(), out, levels, &tell)?)
            }
            _ => bail!("give --data, or --texts with --out"),
        }
    }

    fn clustering(&self) -> ClusterConfig {
        ClusterConfig { themes: self.themes, seed: self.seed, ..ClusterConfig::default() }
    }

    /// Compares every method that there is something to learn from for.
    fn compared(&self, embedder: &dyn Embed) -> Result<()> {
        let data = self.data.as_deref().context("--compare needs --data")?;
        let html = self.html.as_deref().context("--compare needs --html")?;
        let catalogue = catalogue::read(self.catalogue.as_deref())?;
        let cluster = Cluster::new(self.clustering(), embedder);
        let taxonomy = Taxonomy { catalogue: catalogue.clone(), embedder };
        let mut labelers: Vec<&dyn Labeler> = vec![&cluster, &taxonomy];
        let answered = self.answers.is_some() || data.join(llm::ANSWERS).is_file();
        let answers = answered.then(|| self.answers(&catalogue)).transpose()?.flatten();
        let llm: Option<Box<dyn Labeler>> = match &answers {
            Some(answers) => {
                let catalogue = catalogue.clone();
                Some(Box::new(Distilled { catalogue, answers, embedder, keep: None }))
            }
            None if self.catalogue.is_none() || self.classifier.is_some() => {
                Some(Box::new(self.classified(embedder)?))
            }
            None => None,
        };
        labelers.extend(llm.as_deref());
        let chosen = answers.as_ref().is_some_and(Answers::chosen);
        let files = self.against.iter().chain(self.answers.as_ref().filter(|_| chosen));
        let read = files.map(|path| Judged::read(path, &catalogue));
        let judged: Vec<Judged> = read.collect::<Result<_, _>>()?;
        let config = CompareConfig {
            sheet_of: self.method.name().to_owned(),
            topics_of: Some(cluster.method().to_owned()),
            seed: self.seed,
        };
        let report = compare::run(data, &labelers, &judged, &config, &tell)?;
        output::write(html, &report.to_html())?;
        self.said(&report, &report.to_markdown())
    }

    /// Compares segments by layout with segments by the change of embedding.
    fn cut_both_ways(&self, embedder: &dyn Embed) -> Result<()> {
        let data = self.data.as_deref().context("--boundaries needs --data")?;
        let config = BoundaryConfig { seed: self.seed, ..BoundaryConfig::default() };
        let report = boundaries::run(data, &self.classified(embedder)?, &config, &tell)?;
        self.said(&report, &report.to_markdown())
    }

    /// Writes a catalogue of the endpoint's own names.
    fn named(&self, out: &Path, embedder: &dyn Embed) -> Result<()> {
        let data = self.data.as_deref().context("--names needs --data")?;
        let url = self.endpoint.as_deref().context("--names needs --endpoint")?;
        let endpoint = Endpoint::new(url, &self.llm_model)?;
        let segments = label::segments_of(data, &tell)?;
        let wanted = NamesConfig { segments: self.sample, ..NamesConfig::default() };
        let config = NamesConfig { themes: self.themes.unwrap_or(wanted.themes), ..wanted };
        let entries = llm::propose(data, &segments, (&endpoint, embedder), (config, &tell))?;
        for entry in &entries {
            tell(&format!("{}: {}", entry.id, entry.description));
        }
        output::write(out, &(serde_json::to_string_pretty(&entries)? + "\n"))
    }

    /// Writes the report as JSON where that is asked for, else its tables to stdout.
    fn said(&self, report: &impl serde::Serialize, tables: &str) -> Result<()> {
        match &self.json {
            Some(path) => output::write(path, &(serde_json::to_string_pretty(report)? + "\n")),
            None => output::write(Path::new("-"), tables),
        }
    }

    /// What was said of the collection's sample: in the file given, by the endpoint given, or
    /// beside the collection; none where it is nowhere.
    fn answers(&self, catalogue: &[catalogue::Entry]) -> Result<Option<Answers>> {
        if let Some(path) = &self.answers {
            anyhow::ensure!(path.is_file(), "{}: no such file of answers", path.display());
            return Ok(Some(Answers::read(path.clone(), catalogue)?));
        }
        if self.classifier.is_some() {
            return Ok(None);
        }
        let Some(endpoint) = &self.endpoint else {
            let data = self.data.as_deref().filter(|data| data.join(llm::ANSWERS).is_file());
            if let Some(data) = data {
                tell(&format!("learning from {}", data.join(llm::ANSWERS).display()));
            }
            return Ok(data.map(|data| Answers::open(data, catalogue)).transpose()?);
        };
        let data = self.data.as_deref().context("--endpoint needs --data")?;
        let (themes, most) = (catalogue.len(), oracle::ALTERNATIVES);
        if themes > most {
            let wrong = format!(
                "the catalogue has {themes} themes: an endpoint gives {most} alternatives at most"
            );
            return Err(Usage(wrong).into());
        }
        let endpoint = Endpoint::new(endpoint, &self.llm_model)?;
        let segments = label::segments_of(data, &tell)?;
        let config = SampleConfig { segments: self.sample, twice: self.twice, seed: self.seed };
        Ok(Some(llm::sample(data, &segments, catalogue, &endpoint, (config, &tell))?))
    }
}

fn tell(line: &str) {
    eprintln!("label: {line}");
}
