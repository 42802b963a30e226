//! `themecast train`
use anyhow::Result;
#[derive(clap::Args)]
pub(super) struct Train {}
impl Train { pub(super) async fn run(self) -> Result<()> { Ok(()) } }
