//! `themecast eval`
use anyhow::Result;
#[derive(clap::Args)]
pub(super) struct Eval {}
impl Eval { pub(super) async fn run(self) -> Result<()> { Ok(()) } }
