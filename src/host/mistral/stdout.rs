//! Keeping mistral.rs off stdout: it prints a model's metadata there while loading, and a
//! command's stdout is for its results.

/// While it lives, what is written to stdout goes to stderr.
pub(super) struct StdoutToStderr {
    #[cfg(unix)]
    stdout: Option<std::os::fd::OwnedFd>,
}

#[cfg(unix)]
impl StdoutToStderr {
    pub(super) fn start() -> Self {
        let stdout = rustix::io::dup(std::io::stdout()).ok();
        if stdout.is_some() {
            let _ = rustix::stdio::dup2_stdout(std::io::stderr());
        }
        Self { stdout }
    }
}

#[cfg(unix)]
impl Drop for StdoutToStderr {
    fn drop(&mut self) {
        use std::io::Write;
        let _ = std::io::stdout().flush();
        if let Some(stdout) = self.stdout.take() {
            let _ = rustix::stdio::dup2_stdout(stdout);
        }
    }
}

#[cfg(not(unix))]
impl StdoutToStderr {
    pub(super) fn start() -> Self {
        Self {}
    }
}
