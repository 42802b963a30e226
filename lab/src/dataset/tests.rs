//! Writing, resuming and reading collections.

use super::*;
use crate::synthetic::collection_info;
use std::{fs, path::Path};
use themecast_plugin_api::Site;

fn document(id: usize, tokens: usize, width: usize) -> Document {
    let row = |index: usize| TokenRow {
        index: index as i32 - 1,
        token: (id * 31 + index) as u32,
        text: if index == 0 { String::new() } else { format!(" w{index}") },
        position: 9 + index as u32,
        segment: index as i32 / 4 - 1,
        segment_end: index % 4 == 3,
        residuals: (index + 1 < tokens).then(|| {
            let values: Vec<f32> = (0..width).map(|x| (x + index + id) as f32 / 8.0).collect();
            to_half(&values)
        }),
    };
    Document {
        id: Document::id_of(&format!("p{id}"), 0),
        prompt_id: format!("p{id}"),
        prompt: "Say something — \"anything\"".into(),
        group: id.is_multiple_of(2).then(|| "even".into()),
        split: id.is_multiple_of(3).then(|| "test".into()),
        sample: 0,
        text: (1..tokens).map(|index| format!(" w{index}")).collect(),
        finish_reason: "length".into(),
        looping: id == 1,
        tokens: (0..tokens).map(row).collect(),
    }
}

fn write_all(dir: &Path, parts: &[&[Document]]) {
    let info = collection_info(8);
    info.save(dir).unwrap();
    let mut writer = PartWriter::new(dir, Shard::WHOLE, &info).unwrap();
    for part in parts {
        writer.write(part).unwrap();
    }
}

fn read(dir: &Path, load: Load) -> Vec<Document> {
    DocumentReader::open(dir, load).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn documents_come_back_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let documents: Vec<_> = (0..5).map(|id| document(id, 700 + id, 16)).collect();
    write_all(dir.path(), &[&documents[..3], &documents[3..]]);
    let sites = collection_info(8).sites;
    assert_eq!(read(dir.path(), Load::Residuals(sites)), documents);
    assert_eq!(completed_ids(dir.path()).unwrap().len(), 5);
}

#[test]
fn a_reader_loads_only_what_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let documents = [document(0, 6, 16)];
    write_all(dir.path(), &[&documents]);
    assert!(read_documents(dir.path()).unwrap()[0].tokens.is_empty());
    let plain = read(dir.path(), Load::Tokens);
    assert_eq!(plain[0].tokens.len(), 6);
    assert!(plain[0].tokens.iter().all(|row| row.residuals.is_none()));
    let last = read(dir.path(), Load::Residuals(vec![Site::Final]));
    let expected = documents[0].tokens[2].residuals.as_ref().map(|all| all[8..].to_vec());
    assert_eq!(last[0].tokens[2].residuals, expected);
    let error = DocumentReader::open(dir.path(), Load::Residuals(vec![Site::LayerIn(9)]));
    let message = error.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(message.contains("layer.9.in was not collected; it has layer.2.in final"), "{message}");
}

#[test]
fn an_uncommitted_part_is_ignored_and_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let documents: Vec<_> = (0..3).map(|id| document(id, 9, 16)).collect();
    write_all(dir.path(), &[&documents[..1]]);
    // An interrupted run left the second part's tokens, half written.
    fs::write(dir.path().join("tokens-1of1-00001.parquet"), b"PAR1 and no more").unwrap();
    assert_eq!(read(dir.path(), Load::Tokens).len(), 1);
    write_all(dir.path(), &[&documents[1..]]);
    assert_eq!(read(dir.path(), Load::Residuals(collection_info(8).sites)), documents);
}

#[test]
fn shards_do_not_meet_and_one_shard_has_one_writer() {
    let dir = tempfile::tempdir().unwrap();
    let info = collection_info(8);
    info.save(dir.path()).unwrap();
    let [first, second] = [1, 2].map(|index| Shard { index, count: 2 });
    let mut a = PartWriter::new(dir.path(), first, &info).unwrap();
    let mut b = PartWriter::new(dir.path(), second, &info).unwrap();
    let message = PartWriter::new(dir.path(), first, &info).unwrap_err().to_string();
    assert!(message.contains("another process is writing shard 1/2"), "{message}");
    a.write(&[document(0, 4, 16)]).unwrap();
    b.write(&[document(1, 4, 16)]).unwrap();
    assert_eq!(completed_ids(dir.path()).unwrap().len(), 2);
    drop(a);
    PartWriter::new(dir.path(), first, &info).unwrap();
}

#[test]
fn residuals_that_do_not_fit_are_refused_and_leave_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let info = collection_info(8);
    let mut writer = PartWriter::new(dir.path(), Shard::WHOLE, &info).unwrap();
    let message = writer.write(&[document(0, 4, 15)]).unwrap_err().to_string();
    assert_eq!(message, "document p0/0, token -1: 15 residuals, expected 2 × 8");
    let mut broken = document(0, 4, 16);
    broken.tokens[1].residuals = Some(to_half(&[f32::NAN; 16]));
    let message = writer.write(&[broken]).unwrap_err().to_string();
    assert!(message.contains("token 0: the residual at layer.2.in is not finite"), "{message}");
    assert_eq!(parquet_files(dir.path()), 0);
    writer.write(&[document(0, 4, 16)]).unwrap();
    assert_eq!(parquet_files(dir.path()), 2);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let message = PartWriter::new(&file.join("in"), Shard::WHOLE, &collection_info(8)).unwrap_err();
    assert!(message.to_string().contains("file/in: cannot create the folder"), "{message}");
}

/// Needs a full disk: `mount -t tmpfs -o size=256k tmpfs DIR` and `THEMECAST_SMALL_DISK=DIR`.
#[test]
#[ignore = "needs THEMECAST_SMALL_DISK, a folder on a file system of at most 1 MiB"]
fn a_full_disk_leaves_nothing_under_a_final_name() {
    let dir = std::env::var("THEMECAST_SMALL_DISK").expect("THEMECAST_SMALL_DISK");
    let dir = Path::new(&dir);
    let info = collection_info(576);
    let mut writer = PartWriter::new(dir, Shard::WHOLE, &info).unwrap();
    let noise = |x: usize| {
        let mixed = (x as u64 ^ (x as u64) >> 7).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ mixed >> 31).wrapping_mul(0x94d0_49bb_1331_11eb) >> 48) as f32
    };
    let mut large = document(0, 1000, 2 * 576);
    for (at, row) in large.tokens.iter_mut().enumerate() {
        let values: Vec<f32> = (0..2 * 576).map(|x| noise(x * 1009 + at * 9176)).collect();
        row.residuals = Some(to_half(&values));
    }
    let message = writer.write(&[large]).unwrap_err().to_string();
    assert!(message.contains("tokens-1of1-00000.parquet"), "{message}");
    assert!(message.contains("No space left"), "{message}");
    assert_eq!(parquet_files(dir), 0);
}

/// Leaves a small collection for other readers (DuckDB, Polars) to be tried on.
#[test]
#[ignore = "writes to THEMECAST_SAMPLE_COLLECTION, for a look with other readers"]
fn write_a_sample_for_other_readers() {
    let dir = std::env::var("THEMECAST_SAMPLE_COLLECTION").expect("THEMECAST_SAMPLE_COLLECTION");
    let documents: Vec<_> = (0..5).map(|id| document(id, 20 + id, 16)).collect();
    write_all(Path::new(&dir), &[&documents[..3], &documents[3..]]);
}

fn parquet_files(dir: &Path) -> usize {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().contains("parquet")).count()
}
