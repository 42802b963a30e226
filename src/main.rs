//! The `themecast` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    match themecast::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(themecast::cli::exit_code(&error))
        }
    }
}
