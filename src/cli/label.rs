//! `themecast label`
use anyhow::Result;
#[derive(clap::Args)]
pub(super) struct Label {}
impl Label { pub(super) async fn run(self) -> Result<()> { Ok(()) } }
