//! The cache with sources that tests hold in their hands, pip on packages made here, and the
//! real model.

use crate::{
    AssetError, Lines, Progress,
    cache::Cache,
    catalogue::{Asset, Fingerprint, Parts, SMOLLM2, SMOLLM2_FAST},
    pip::Pip,
    requantise,
    source::Source,
    staging::Staging,
    verify::{self, Trust},
};
use candle_core::quantized::gguf_file::{Content, Value};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};
use tempfile::{TempDir, tempdir};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// An asset of two packages, which hold `ab` and `c`.
const ABC: Asset = Asset {
    name: "abc",
    file: "abc.bin",
    is: Fingerprint {
        bytes: 3,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    },
    parts: Parts::Numbered { package: "themecast-test-part", version: "1.0", count: 2 },
    hub: ("nobody/nothing", "abc.bin"),
    license: "Apache-2.0",
};

/// A source that gives a text, or fails, and counts how often it was asked.
#[derive(Clone, Default)]
struct Fake {
    gives: Option<&'static str>,
    takes: Duration,
    asked: Arc<AtomicUsize>,
}

impl Fake {
    fn of(gives: &'static str) -> Self {
        Self { gives: Some(gives), ..Self::default() }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Source for Fake {
    fn name(&self) -> &'static str {
        "a fake"
    }

    fn put(
        &self,
        _asset: &Asset,
        _staging: &Staging,
        to: &Path,
        progress: &dyn Progress,
    ) -> Result<(), AssetError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        thread::sleep(self.takes);
        let text = self.gives.ok_or_else(|| AssetError::Source("it is away".to_owned()))?;
        progress.advanced(text.len() as u64);
        fs::write(to, text).unwrap();
        Ok(())
    }
}

fn cache(models: &Path, sources: &[Fake]) -> Cache {
    let sources = sources.iter().map(|fake| Box::new(fake.clone()) as Box<dyn Source>);
    Cache { models: models.to_owned(), sources: sources.collect() }
}

fn get(cache: &Cache) -> Result<PathBuf, AssetError> {
    cache.files(("abc", &cache.models), &[ABC], Trust::Stamp, &Lines::default())?;
    Ok(cache.models.join(ABC.file))
}

/// Everything below a folder but locks and stamps.
fn left(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> =
        names.filter(|name| !name.ends_with(".lock") && !name.ends_with(".sha256")).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_fetched_once_and_nothing_else_stays() {
    let (folder, source) = (tempdir().unwrap(), Fake::of("abc"));
    let cache = cache(folder.path(), std::slice::from_ref(&source));
    for _ in 0..2 {
        assert_eq!(fs::read_to_string(get(&cache).unwrap()).unwrap(), "abc");
    }
    assert_eq!(source.asked(), 1);
    assert_eq!(left(folder.path()), ["abc.bin"]);
}

#[test]
fn a_truncated_or_wrong_file_is_fetched_again() {
    for bad in ["ab", "abd"] {
        let (folder, source) = (tempdir().unwrap(), Fake::of("abc"));
        fs::write(folder.path().join(ABC.file), bad).unwrap();
        let path = get(&cache(folder.path(), &[source])).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "abc");
    }
}

#[test]
fn a_right_file_put_there_by_hand_is_taken() {
    let (folder, source) = (tempdir().unwrap(), Fake::default());
    fs::write(folder.path().join(ABC.file), "abc").unwrap();
    get(&cache(folder.path(), std::slice::from_ref(&source))).unwrap();
    assert_eq!(source.asked(), 0);
}

#[test]
fn the_second_source_helps_when_the_first_is_away_or_wrong() {
    for first in [Fake::default(), Fake::of("abd")] {
        let folder = tempdir().unwrap();
        let path = get(&cache(folder.path(), &[first, Fake::of("abc")])).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "abc");
    }
}

#[test]
fn one_line_says_why_every_source_failed_and_what_to_do() {
    let folder = tempdir().unwrap();
    let error = get(&cache(folder.path(), &[Fake::default(), Fake::of("abd")])).unwrap_err();
    let said = error.to_string();
    let path = folder.path().join(ABC.file).display().to_string();
    for part in ["it is away", "a52d159f", ABC.is.sha256, "network", &path] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert_eq!(said.lines().count(), 1);
    assert!(!folder.path().join(ABC.file).exists());
}

#[test]
fn several_at_once_fetch_once() {
    let folder = tempdir().unwrap();
    let source = Fake { takes: Duration::from_millis(200), ..Fake::of("abc") };
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let path = get(&cache(folder.path(), std::slice::from_ref(&source))).unwrap();
                assert_eq!(fs::read_to_string(path).unwrap(), "abc");
            });
        }
    });
    assert_eq!(source.asked(), 1);
}

#[test]
fn what_an_interrupted_run_left_is_not_taken_for_a_file() {
    let folder = tempdir().unwrap();
    let work = folder.path().join(".abc.partial/work");
    fs::create_dir_all(&work).unwrap();
    fs::write(work.join(ABC.file), "a").unwrap();
    get(&cache(folder.path(), &[Fake::default()])).unwrap_err();
    assert_eq!(left(folder.path()), [".abc.partial"]);
    assert_eq!(left(&work), [""; 0]);
    get(&cache(folder.path(), &[Fake::of("abc")])).unwrap();
    assert_eq!(left(folder.path()), ["abc.bin"]);
}

#[test]
fn an_unwritable_folder_and_a_full_disk_are_one_line() {
    let error = get(&cache(Path::new("/dev/null/x"), &[Fake::of("abc")])).unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with("/dev/null/x: ") && said.contains("THEMECAST_HOME"), "{said}");
    assert_eq!(said.lines().count(), 1);
    if let Ok(mut full) = File::options().write(true).open("/dev/full") {
        let error = full.write_all(b"x").map_err(crate::error::at("/dev/full")).unwrap_err();
        assert!(matches!(error, AssetError::Full { .. }), "{error}");
    }
}

/// Puts a package into a folder that pip can look for packages in.
fn publish(folder: &Path, number: usize, content: &str) -> PathBuf {
    let name = format!("themecast_test_part{number}");
    let path = folder.join(format!("{name}-1.0-py3-none-any.whl"));
    let mut wheel = ZipWriter::new(File::create(&path).unwrap());
    let info = format!("{name}-1.0.dist-info");
    let files = [
        (format!("{name}/data/part{number:02}.bin"), content.to_owned()),
        (
            format!("{info}/METADATA"),
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"),
        ),
        (
            format!("{info}/WHEEL"),
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_owned(),
        ),
        (format!("{info}/RECORD"), String::new()),
    ];
    for (file, content) in files {
        let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        wheel.start_file(file, plain).unwrap();
        wheel.write_all(content.as_bytes()).unwrap();
    }
    wheel.finish().unwrap();
    path
}

/// A cache whose only source is pip on the packages of a folder.
fn with_pip() -> (TempDir, TempDir, Cache) {
    let (folder, packages) = (tempdir().unwrap(), tempdir().unwrap());
    let packages_text = packages.path().display().to_string();
    let options = ["--no-index".to_owned(), "--find-links".to_owned(), packages_text];
    let pip = Pip { options: options.to_vec() };
    let cache = Cache { models: folder.path().to_owned(), sources: vec![Box::new(pip)] };
    (folder, packages, cache)
}

#[test]
fn parts_that_are_there_are_not_downloaded_again() {
    let (folder, packages, cache) = with_pip();
    let first = publish(packages.path(), 1, "ab");
    let said = get(&cache).unwrap_err().to_string();
    assert!(said.contains("pip: ") && said.contains("themecast-test-part2==1.0"), "{said}");
    assert!(!folder.path().join(ABC.file).exists());
    fs::remove_file(first).unwrap();
    publish(packages.path(), 2, "c");
    assert_eq!(fs::read_to_string(get(&cache).unwrap()).unwrap(), "abc");
    assert_eq!(left(folder.path()), ["abc.bin"]);
}

#[test]
fn a_package_that_is_broken_or_wrong_is_not_kept() {
    let (folder, packages, cache) = with_pip();
    let wheels = folder.path().join(".abc.partial/wheels");
    publish(packages.path(), 2, "c");
    publish(packages.path(), 1, "ax");
    assert!(get(&cache).unwrap_err().to_string().contains(ABC.is.sha256));
    assert_eq!(left(&wheels), [""; 0], "wrong");
    let broken = publish(packages.path(), 1, "ab");
    let mut bytes = fs::read(&broken).unwrap();
    let at = bytes.windows(2).position(|two| two == b"ab").unwrap();
    bytes[at] = b'x';
    fs::write(&broken, bytes).unwrap();
    get(&cache).unwrap_err();
    assert_eq!(left(&wheels), [""; 0], "broken");
    publish(packages.path(), 1, "ab");
    assert_eq!(fs::read_to_string(get(&cache).unwrap()).unwrap(), "abc");
}

fn opened(path: &Path) -> Content {
    Content::read(&mut File::open(path).unwrap()).unwrap()
}

#[test]
fn the_real_model_is_requantised_to_the_same_bytes_and_keeps_its_metadata() {
    let real = Cache::open().unwrap();
    let place = ("smollm2-135m", real.models.as_path());
    real.files(place, &[SMOLLM2], Trust::Stamp, &Lines::default()).unwrap();
    let (folder, published) = (tempdir().unwrap(), real.models.join(SMOLLM2.file));
    let made = folder.path().join(SMOLLM2_FAST.file);
    requantise::to_q8_0(&published, &made).unwrap();
    verify::check(&made, &SMOLLM2_FAST.is).unwrap();
    let (from, to) = (opened(&published), opened(&made));
    assert_eq!(from.metadata.len(), to.metadata.len());
    for (key, value) in &from.metadata {
        let kept = &to.metadata[key];
        match (key.as_str(), kept) {
            ("general.file_type", Value::U32(kind)) => assert_eq!(*kind, 7),
            _ => assert_eq!(format!("{value:?}"), format!("{kept:?}"), "{key}"),
        }
    }
}
