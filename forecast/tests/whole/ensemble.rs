//! Heads fitted again on parts of the prompts, from the bundle's folder to the annotation.

use crate::made_up::{self, HORIZONS, THEMES, bundle, numbers};
use std::{fs, sync::Arc};
use themecast_forecast::{
    ForecastPlugin,
    bundle::{Bundle, Temperatures},
    events::Silent,
    linear::{Affine, LinearPredictor, RowKind},
};
use themecast_plugin_api::RequestInfo;

/// The bundle's heads, their weights moved by `by` and rounded to what half precision holds.
fn member(bundle: &Bundle, by: f32, temperature: f32) -> LinearPredictor {
    let moved = |kind| {
        let heads = bundle.predictor.heads(kind).iter().map(|head: &Affine| {
            let other = numbers(77, head.weight.len());
            let pairs = head.weight.iter().zip(&other);
            let weight = pairs.map(|(x, y)| ((x + by * y) * 64.0).round() / 64.0).collect();
            Affine { weight, bias: head.bias.clone(), temperature }
        });
        heads.collect()
    };
    let (boundary, mid) = (moved(RowKind::Boundary), moved(RowKind::Mid));
    LinearPredictor::new(boundary, mid, THEMES, bundle.layout().len()).unwrap()
}

fn with_members(by: [f32; 2]) -> Bundle {
    let mut bundle = bundle();
    bundle.ensemble = by.map(|by| member(&bundle, by, 2.0)).into();
    bundle.card.ensemble = bundle.ensemble.iter().map(Temperatures::of).collect();
    bundle
}

/// The annotations of an answer of two segments.
fn told(bundle: Bundle) -> Vec<serde_json::Value> {
    let plugin = ForecastPlugin::new(Arc::new(bundle), Arc::new(Silent));
    let request = RequestInfo { id: "r".into(), ..RequestInfo::default() };
    made_up::told(&plugin, &request, &["", " one", " two", " three", ".", " four", " five"])
}

fn disagreement(note: &serde_json::Value, ahead: usize) -> f64 {
    note["next"][ahead - 1]["disagreement"].as_f64().unwrap()
}

#[test]
fn members_are_told_by_how_far_they_are_apart_and_change_no_forecast() {
    let (alone, same, torn) =
        (told(bundle()), told(with_members([0.5, 0.5])), told(with_members([1.0, -1.0])));
    for ((alone, same), torn) in alone.iter().zip(same).zip(torn) {
        for ahead in 1..=HORIZONS {
            let next = |note: &serde_json::Value| {
                let mut next = note["next"][ahead - 1].clone();
                next.as_object_mut().unwrap().remove("disagreement");
                next
            };
            assert_eq!(alone["next"][ahead - 1], next(alone), "one opinion is not apart");
            assert_eq!((next(&same), next(&torn)), (next(alone), next(alone)));
            assert_eq!(disagreement(&same, ahead), 0.0);
            assert!(disagreement(&torn, ahead) > 0.01, "{torn}");
        }
    }
}

#[test]
fn members_are_saved_and_loaded_and_what_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let made = with_members([0.5, -0.5]);
    made.save(folder.path()).unwrap();
    assert_eq!(Bundle::load(folder.path()).unwrap(), made);
    let path = folder.path().join("card.json");
    let card: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let refused = |edit: &dyn Fn(&mut Vec<serde_json::Value>), says: &str| {
        let mut card = card.clone();
        edit(card["ensemble"].as_array_mut().unwrap());
        fs::write(&path, card.to_string()).unwrap();
        let error = Bundle::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains(says) && error.lines().count() == 1, "{error}");
    };
    refused(
        &|members| members.push(members[0].clone()),
        "ensemble.2.boundary.0.weight: is missing",
    );
    refused(&|members| drop(members.pop()), "1 members of an ensemble: want none or 2 to 16");
    refused(&|members| members.resize(17, members[0].clone()), "17 members of an ensemble");
    refused(&|members| members.clear(), "tensors: 60 where 20");
    refused(&|members| members[1]["mid"][0] = 0.0.into(), "must be above 0");
    refused(&|members| drop(members[1]["mid"].as_array_mut().unwrap().pop()), "mid temperatures");
    let mut other = made;
    other.ensemble.pop();
    let error = other.save(folder.path()).unwrap_err().to_string();
    assert!(error.contains("temperatures differ"), "{error}");
}
