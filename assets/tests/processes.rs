//! Several processes on one cache folder, with the real model and pip.
#![allow(clippy::unwrap_used, reason = "a test may panic; the lint knows test functions only")]

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
};
use themecast_assets::{Lines, default_model};

/// Runs [`child`] in a process of its own, with its own cache folder.
fn start(home: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "child", "--ignored", "--nocapture"]);
    command.env("THEMECAST_HOME", home).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn said(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
#[ignore = "started by the others in a process of its own"]
fn child() {
    match default_model(&Lines::default()) {
        Ok(path) => println!("fetched {}", path.display()),
        Err(error) => println!("failed {error}"),
    }
}

#[test]
fn two_processes_fetch_at_the_same_time() {
    let home = tempfile::tempdir().unwrap();
    let both = [start(home.path()), start(home.path())].map(said);
    let model = home.path().join("models/SmolLM2-135M-Instruct.Q8_0.gguf");
    for said in &both {
        assert!(said.contains(&format!("fetched {}", model.display())), "{said}");
    }
    let fetches = both.iter().filter(|said| said.contains("re-quantising")).count();
    assert_eq!(fetches, 1, "{both:?}");
    assert!(!home.path().join("models/.smollm2-135m.partial").exists());
}

#[test]
fn a_run_that_was_killed_leaves_nothing_under_a_final_name() {
    let home = tempfile::tempdir().unwrap();
    let models = home.path().join("models");
    let mut killed = start(home.path());
    while !models.join(".smollm2-135m.partial/work").exists() {
        assert!(killed.try_wait().unwrap().is_none(), "over before it was killed");
        std::thread::yield_now();
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let named = fs::read_dir(&models).unwrap().map(|entry| entry.unwrap().file_name());
    let finals = named.filter(|name| !name.to_string_lossy().starts_with('.')).count();
    assert_eq!(finals, 0);
    let said = said(start(home.path()));
    assert!(said.contains("fetched "), "{said}");
}

#[test]
fn a_home_that_can_not_be_written_is_named() {
    let said = said(start(Path::new("/dev/null/x")));
    let line = said.lines().find(|line| line.contains("failed ")).unwrap_or_default();
    assert!(line.contains("/dev/null/x: ") && line.contains("set THEMECAST_HOME"), "{said}");
}
