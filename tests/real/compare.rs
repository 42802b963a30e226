//! `themecast compare`: the same model as it is and told something else, on real answers.

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn compare(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_themecast"));
    command.arg("compare").args(arguments).output().unwrap()
}

/// The report that the command prints.
fn report(arguments: &[&str]) -> Value {
    let out = compare(&[arguments, &["--json", "-"]].concat());
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_model_is_compared_with_itself_told_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let (prompts, out) = (folder.path().join("prompts.jsonl"), folder.path().join("out"));
    let ask = |id: &str, of: &str| format!("{{\"id\":\"{id}\",\"prompt\":\"How do I {of}?\"}}\n");
    fs::write(&prompts, ask("a", "bake bread") + &ask("b", "grow tomatoes")).unwrap();
    let told = "You only tell fairy tales, whatever you are asked.";
    let models =
        ["--prompts", text(&prompts), "--a", "default", "--b", "default", "--system", told];
    let more = ["--max-tokens", "90", "--samples", "1", "--out", text(&out)];
    let page = folder.path().join("page.html");
    let made = report(&[&models[..], &more, &["--html", text(&page)]].concat());
    assert_eq!((&made["prompts"], &made["sides"][0]["answers"]), (&2.into(), &2.into()));
    assert_eq!(made["sides"][1]["intervention"], format!("told \"{told}\""));
    assert!(made["sides"][0]["segments"].as_f64().unwrap() >= 1.0, "{made}");
    let shares = |side: usize| -> f64 {
        let themes = made["themes"].as_array().unwrap().iter();
        themes.map(|theme| theme["shares"][side].as_f64().unwrap()).sum()
    };
    assert!((shares(0) - 1.0).abs() < 1e-5 && (shares(1) - 1.0).abs() < 1e-5, "{made}");
    assert!(made["apart"]["divergence"].as_f64().unwrap() > 0.0, "{made}");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("Along the answer") && page.contains("You only tell fairy tales"));

    // What was made is kept and compared again as two collections.
    let [a, b] = ["a", "b"].map(|side| out.join(side));
    let again = report(&["--a", text(&a), "--b", text(&b)]);
    assert_eq!((&again["apart"], &again["themes"]), (&made["apart"], &made["themes"]));
    assert_eq!(again["sides"][1]["intervention"], format!("told \"{told}\""));
    refused(&[&models[..7], &["Be brief."], &more].concat(), 1, "intervention");
    refused(&["--a", text(&a), "--b", text(&b), "--system", told], 2, "--b is a collection");
    refused(&["--a", text(&a), "--b", text(&b), "--samples", "3"], 2, "--samples");
    fs::write(&prompts, ask("a", "paint a door")).unwrap();
    refused(&[&models[..], &more].concat(), 1, "another prompt under the id 'a'");
    refused(&["--a", text(&a), "--b", text(&b), "--prompts", text(&prompts)], 1, "the prompt 'a'");
}

#[test]
fn what_would_be_ignored_is_bad_usage() {
    for (arguments, says) in [
        (&["--a", "default", "--b", "default"][..], "give --prompts"),
        (&["--prompts", "p", "--a", "default", "--b", "default", "--lean", "steps,code"], "--by"),
        (&["--a", "default"], "--b"),
    ] {
        refused(arguments, 2, says);
    }
}

/// The command fails with `code` and says `says`.
fn refused(arguments: &[&str], code: i32, says: &str) {
    let out = compare(arguments);
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.code() == Some(code) && stderr.contains(says), "{stderr}");
}
