//! Fetches the default model and the sentence embedder, or the model that is named.
//!
//!     cargo run --release -p themecast-assets --example fetch [NAME]

use std::{env, process::ExitCode};
use themecast_assets::{AssetError, fetch_default, named, to_stderr};

fn main() -> ExitCode {
    match run(env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(name: Option<&str>) -> Result<(), AssetError> {
    let progress = to_stderr();
    if let Some(name) = name {
        println!("{}", named(name, &*progress)?.display());
        return Ok(());
    }
    let paths = fetch_default(&*progress)?;
    println!("model     {}", paths.model.display());
    println!("embedder  {}", paths.embedder.display());
    Ok(())
}
