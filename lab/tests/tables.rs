//! `data/tables.py` puts reports' tables into a document, and tells where they differ.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{fs, path::Path, process::Command};

const REPORT: &str = "# Report\n\n## Models (3 cases)\n\nWords.\n\n| model | NLL |\n|---|---|\n\
    | ours | 1.0 |\n| text: MiniLM | 1.2 |\n| marginal | 2.5 |\n\n## Other\n\n| a |\n|---|\n| 1 |\n";
const DOCUMENT: &str = "Before.\n\n<!-- report.md / Models / model: ours; text: MiniLM -->\n\
    | old |\n<!-- end -->\n\n<!-- missing.md / Models -->\n| kept |\n<!-- end -->\nAfter.\n";

fn tables(dir: &Path, check: bool) -> (bool, String) {
    let script = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../data/tables.py");
    let mut command = Command::new("python3");
    command.arg(script).args(check.then_some("--check")).arg(dir).arg(dir.join("DOCUMENT.md"));
    let output = command.output().expect("python3");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn a_documents_tables_become_those_of_the_reports_and_nothing_else_changes() {
    let dir = tempfile::tempdir().unwrap();
    let document = dir.path().join("DOCUMENT.md");
    fs::write(&document, DOCUMENT).unwrap();
    fs::write(dir.path().join("report.md"), REPORT).unwrap();
    let (same, said) = tables(dir.path(), true);
    assert!(!same && said.contains("- | old |\n+ | model | NLL |"), "{said}");
    let (written, said) = tables(dir.path(), false);
    assert!(written && said.contains("missing.md was not made"), "{said}");
    let found = fs::read_to_string(&document).unwrap();
    let table = "| model | NLL |\n|---|---|\n| ours | 1.0 |\n| text: MiniLM | 1.2 |\n";
    assert_eq!(found, DOCUMENT.replace("| old |\n", table));
    fs::write(dir.path().join("missing.md"), "# Models\n| kept |\n").unwrap();
    assert!(tables(dir.path(), true).0);
    fs::write(&document, DOCUMENT.replace("model: ours", "colour: ours")).unwrap();
    let (written, said) = tables(dir.path(), false);
    assert!(!written && said.contains("no column 'colour'"), "{said}");
    fs::write(&document, DOCUMENT.replace("model: ours", "model: theirs")).unwrap();
    let (written, said) = tables(dir.path(), false);
    assert!(!written && said.contains("no row has ['theirs']"), "{said}");
}
