//! `--config`: the file that says what flags can say, and more.

use super::{super::Usage, Serve};
use anyhow::{Context, Result};

impl Serve {
    /// The settings of the file, overridden by the flags.
    pub(super) fn with_file(self) -> Result<Self> {
        let Some(path) = &self.config else { return Ok(self) };
        let shown = path.display().to_string();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{shown}: cannot read"))?;
        let file: Self = toml::from_str(&text).map_err(|error| refused(&shown, &text, &error))?;
        Ok(Self {
            model: self.model.or(file.model),
            no_forecast: self.no_forecast || (file.no_forecast && self.bundle.is_none()),
            bundle: self.bundle.or(file.bundle),
            listen: self.listen.or(file.listen),
            engines: self.engines.or(file.engines),
            sequences: self.sequences.or(file.sequences),
            max_waiting: self.max_waiting.or(file.max_waiting),
            prefix_cache: self.prefix_cache.or(file.prefix_cache),
            api_keys: self.api_keys.or(file.api_keys),
            admin_keys: self.admin_keys.or(file.admin_keys),
            alarms: file.alarms,
            watch: file.watch,
            audit: file.audit,
            telemetry: file.telemetry,
            config: None,
        })
    }
}

/// What is wrong with the file, on one line: where, why, and at which key.
fn refused(shown: &str, text: &str, error: &toml::de::Error) -> Usage {
    let message = error.message().trim();
    let Some(span) = error.span().filter(|span| span.start <= text.len()) else {
        return Usage(format!("{shown}: {message}"));
    };
    let number = text.as_bytes()[..span.start].iter().filter(|&&byte| byte == b'\n').count();
    // The key alone: values may be secrets.
    let key = text.lines().nth(number).and_then(|line| line.split('=').next()).unwrap_or_default();
    Usage(format!("{shown}, line {}: {message} (at '{}')", number + 1, key.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let serve = Serve { config: Some(file.path().to_owned()), ..Serve::default() };
        let error = serve.with_file().err().unwrap();
        assert!(error.is::<Usage>());
        error.to_string()
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let unknown = said("engines = 2\n\nengins = 3\n");
        assert!(unknown.contains(", line 3: unknown field `engins`"), "{unknown}");
        let kind = said("engines = 2\nlisten = 8080 # a port\n");
        assert!(kind.contains(", line 2: ") && kind.contains("(at 'listen')"), "{kind}");
        let torn = said("engines = \n");
        assert!(torn.contains(", line 1: ") && !torn.contains('\n'), "{torn}");
    }
}
