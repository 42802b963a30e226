//! Saving and loading, and everything that can be wrong with a bundle.

use crate::made_up::{bundle, linked, model};
use std::{fs, path::Path};
use themecast_forecast::{
    bundle::Bundle,
    linear::{LinearPredictor, RowKind},
};
use themecast_plugin_api::ModelInfo;

#[test]
fn what_is_saved_is_what_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    for made in [bundle(), linked()] {
        made.save(folder.path()).unwrap();
        assert_eq!(Bundle::load(folder.path()).unwrap(), made);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left there");
}

/// A bundle whose files `spoil` has changed is refused in one line that says `says`.
fn refused(spoil: impl Fn(&Path), says: &str) {
    let folder = tempfile::tempdir().unwrap();
    bundle().save(folder.path()).unwrap();
    spoil(folder.path());
    let error = Bundle::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

fn edit_card(folder: &Path, from: &str, to: &str) {
    let path = folder.join("card.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not on the card");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn edit_weights(folder: &Path, edit: impl Fn(&mut Vec<u8>)) {
    let path = folder.join("weights.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    edit(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn damaged_files_are_refused() {
    for file in ["card.json", "weights.safetensors"] {
        refused(|folder| fs::remove_file(folder.join(file)).unwrap(), file);
    }
    refused(|folder| fs::write(folder.join("card.json"), "{").unwrap(), "not a bundle's card");
    refused(
        |folder| edit_weights(folder, |bytes| bytes.truncate(bytes.len() / 2)),
        "copy the bundle",
    );
    let not_a_number = |bytes: &mut Vec<u8>| {
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    };
    refused(|folder| edit_weights(folder, not_a_number), "is not finite");
    let garbage = |bytes: &mut Vec<u8>| bytes[..8].fill(0xFF);
    refused(|folder| edit_weights(folder, garbage), "copy the bundle");
}

/// Puts other tensors of the same bytes into the place of the weights.
fn rename_tensor(folder: &Path, from: &str, to: &str) {
    assert_eq!(from.len(), to.len(), "the header's length stays");
    edit_weights(folder, |bytes| {
        let at = bytes.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
    });
}

#[test]
fn tensors_that_do_not_fit_the_card_are_refused_by_name() {
    refused(|folder| rename_tensor(folder, "mid.3.bias", "mid.9.bias"), "mid.3.bias: is missing");
    refused(|folder| rename_tensor(folder, "\"F32\"", "\"I32\""), "where F32");
    let one_theme_fewer = |folder: &Path| {
        let path = folder.join("card.json");
        let mut card: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        card["themes"].as_array_mut().unwrap().pop();
        card["reference"]["theme_share"].as_array_mut().unwrap().pop();
        fs::write(path, card.to_string()).unwrap();
    };
    refused(one_theme_fewer, "boundary.0.weight: is F32 [4, 34] where F32 [3, 31]");
    let one_horizon_fewer = |folder: &Path| {
        let path = folder.join("card.json");
        let mut card: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        card["horizons"] = 2.into();
        for set in ["boundary", "mid"] {
            card["calibration"]["temperatures"][set].as_array_mut().unwrap().pop();
        }
        fs::write(path, card.to_string()).unwrap();
    };
    refused(one_horizon_fewer, "tensors: 20 where 16");
}

#[test]
fn what_could_not_be_loaded_is_not_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut other = bundle();
    other.card.calibration.temperatures.mid[0] = 9.0;
    assert!(other.save(folder.path()).unwrap_err().to_string().contains("temperatures differ"));
    let mut other = linked();
    other.card.link = None;
    assert!(other.save(folder.path()).unwrap_err().to_string().contains("links' card differs"));
    let mut other = linked();
    other.link.as_mut().unwrap().ratios.pop();
    assert!(other.save(folder.path()).is_err(), "one ratio too few");
    let mut other = bundle();
    other.card.themes[1].id = "theme-0".into();
    assert!(other.save(folder.path()).unwrap_err().to_string().contains("twice"));
    let mut other = bundle();
    let heads = |kind| bundle().predictor.heads(kind).to_vec();
    let (boundary, mut mid) = (heads(RowKind::Boundary), heads(RowKind::Mid));
    mid[2].weight[3] = f32::INFINITY;
    let layout = other.layout();
    other.predictor = LinearPredictor::new(boundary, mid, layout.themes, layout.len()).unwrap();
    let error = other.save(folder.path()).unwrap_err().to_string();
    assert!(error.contains("mid.2.weight: value 3 is not finite"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was written");
}

#[test]
fn a_card_may_say_more_than_is_known() {
    let folder = tempfile::tempdir().unwrap();
    bundle().save(folder.path()).unwrap();
    edit_card(folder.path(), "\"format\": 1,", "\"format\": 1, \"mood\": \"fine\",");
    assert_eq!(Bundle::load(folder.path()).unwrap(), bundle());
}

#[test]
fn cards_that_contradict_themselves_are_refused() {
    refused(|folder| edit_card(folder, "\"format\": 1", "\"format\": 4"), "format 4");
    refused(|folder| edit_card(folder, "\"linear\"", "\"oracle\""), "'oracle'");
    refused(|folder| edit_card(folder, "\"horizons\": 3", "\"horizons\": 2"), "temperatures: 5");
    refused(|folder| edit_card(folder, "\"hidden_size\": 6", "\"hidden_size\": 5"), "where 5");
    refused(|folder| edit_card(folder, "\"final\"", "\"layer.9.in\""), "layer.9.in");
    refused(|folder| edit_card(folder, "\"min_chars\": 10", "\"min_chars\": 0"), "segments of 0");
    refused(|folder| edit_card(folder, "\"theme-1\"", "\"Theme 1\""), "kebab-case");
    refused(|folder| edit_card(folder, "\"theme-1\"", "\"theme-0\""), "there twice");
    refused(|folder| edit_card(folder, "\"share\": 0.25", "\"share\": 1e39"), "finite");
    let median = ("\"median_distance\": 1.0", "\"median_distance\": 3.0");
    refused(|folder| edit_card(folder, median.0, median.1), "median distance 3 is above");
    refused(|folder| edit_card(folder, "\"horizons\": 3", "\"horizons\": \"many\""), "train it");
}

fn other(change: impl Fn(&mut ModelInfo), says: &str) {
    let mut model = model();
    change(&mut model);
    let error = bundle().fits(&model).unwrap_err().to_string();
    assert!(error.contains("another model") && error.contains(says), "{error}");
}

#[test]
fn a_bundle_for_another_model_is_refused_and_other_weights_are_a_warning() {
    other(|model| model.architecture = "qwen2".into(), "architecture is llama");
    other(|model| model.hidden_size = 8, "hidden size is 6, the model's is 8");
    other(|model| model.layers = 3, "layers");
    other(|model| model.tokenizer_sha256 = "11".into(), "tokenizer");
    let requantised = ModelInfo { quantization: "Q4_1".into(), ..model() };
    assert_eq!(bundle().fits(&requantised).unwrap().warnings.len(), 1);
    assert!(bundle().fits(&model()).unwrap().warnings.is_empty());
}
