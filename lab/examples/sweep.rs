//! `themecast sweep` without an engine to build: `sweep DATA OUT`.
//!
//! Writes `OUT.json`, `OUT.html` and `OUT.md`.

use std::time::Instant;
use themecast_lab::sweep;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: sweep DATA OUT");
    let (data, out) = (next()?, next()?);
    let started = Instant::now();
    let tell = |line: &str| eprintln!("{:6.1} s  {line}", started.elapsed().as_secs_f64());
    let report = sweep::run(data.as_ref(), &tell)?;
    std::fs::write(format!("{out}.json"), serde_json::to_string_pretty(&report)?)?;
    std::fs::write(format!("{out}.html"), report.to_html())?;
    std::fs::write(format!("{out}.md"), report.to_markdown())?;
    Ok(())
}
