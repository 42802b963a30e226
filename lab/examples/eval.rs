//! `themecast eval` without an engine to build: `eval DATA BUNDLE MINILM OUT [OTHER_SEED…]`.
//!
//! Writes `OUT.json`, `OUT.html` and `OUT.md`.

use std::{path::PathBuf, time::Instant};
use themecast_lab::{
    embed::Embedder,
    eval::{self, EvalConfig},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: eval DATA BUNDLE MINILM OUT [OTHER_SEED…]");
    let (data, bundle, embedder, out) = (next()?, next()?, next()?, next()?);
    let other_bundles: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let config = EvalConfig { other_bundles, ..EvalConfig::new(bundle) };
    let embedder = Embedder::load(embedder.as_ref())?;
    let started = Instant::now();
    let tell = |line: &str| eprintln!("{:6.1} s  {line}", started.elapsed().as_secs_f64());
    let report = eval::run(data.as_ref(), &config, Some(&embedder), &tell)?;
    std::fs::write(format!("{out}.json"), serde_json::to_string_pretty(&report)?)?;
    std::fs::write(format!("{out}.html"), report.to_html())?;
    std::fs::write(format!("{out}.md"), report.to_markdown())?;
    tell("done");
    Ok(())
}
