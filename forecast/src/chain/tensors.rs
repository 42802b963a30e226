//! How a chain predictor lies in a bundle's weights: tensors named `chain.*`.

use super::{ChainCard, ChainModel, LayerWeights};
use crate::bundle::BundleError;

/// How the names of its tensors start.
pub(crate) const PREFIX: &str = "chain.";

/// The sizes that its tensors' shapes follow from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) features: usize,
    pub(crate) themes: usize,
    pub(crate) horizons: usize,
}

/// A tensor: its name without the prefix, its shape, its values.
pub(crate) type Tensor<'a> = (String, Vec<usize>, &'a [f32]);

/// Reads the predictor that `card` describes; `tensor` gives the values of a name and a shape.
///
/// # Errors
/// [`BundleError::Value`] where the card's numbers can't be; what `tensor` says.
pub(crate) fn read(
    card: &ChainCard,
    sizes: Sizes,
    tensor: impl Fn(String, &[usize]) -> Result<Vec<f32>, BundleError>,
) -> Result<ChainModel, BundleError> {
    check(card, sizes.horizons)?;
    let Sizes { features, themes, horizons } = sizes;
    let (width, inner, steps) = (card.width, card.inner, horizons + 1);
    let get = |name: &str, shape: &[usize]| tensor(format!("{PREFIX}{name}"), shape);
    let layer = |number: usize| {
        let get = |name: &str, shape: &[usize]| get(&format!("layer.{number}.{name}"), shape);
        Ok::<_, BundleError>(LayerWeights {
            norm1: get("norm1", &[2, width])?,
            qkv: get("qkv", &[3 * width, width])?,
            out: get("out", &[width, width])?,
            norm2: get("norm2", &[2, width])?,
            up: get("up", &[inner, width])?,
            up_bias: get("up_bias", &[inner])?,
            down: get("down", &[width, inner])?,
            down_bias: get("down_bias", &[width])?,
        })
    };
    Ok(ChainModel {
        input: get("input", &[width, features])?,
        input_bias: get("input_bias", &[width])?,
        kinds: get("kinds", &[2, width])?,
        places: get("places", &[card.places, width])?,
        themes: get("themes", &[themes, width])?,
        steps: get("steps", &[horizons, width])?,
        layers: (0..card.layers).map(layer).collect::<Result<_, _>>()?,
        norm: get("norm", &[2, width])?,
        marginal: get("marginal", &[steps, themes, width])?,
        marginal_bias: get("marginal_bias", &[steps, themes])?,
        next: get("next", &[themes, width])?,
        next_bias: get("next_bias", &[themes])?,
        card: card.clone(),
    })
}

/// The tensors of a predictor, names with their prefix.
pub(crate) fn write(model: &ChainModel) -> Vec<Tensor<'_>> {
    let named = tensors_of(model).into_iter();
    named.map(|(name, shape, values)| (format!("{PREFIX}{name}"), shape, values)).collect()
}

/// The tensors of a predictor, names without the prefix.
pub(crate) fn tensors_of(model: &ChainModel) -> Vec<Tensor<'_>> {
    let (width, inner) = (model.card.width, model.card.inner);
    let themes = model.next_bias.len();
    let features = model.input.len() / width;
    let horizons = model.steps.len() / width;
    let mut all: Vec<Tensor<'_>> = Vec::new();
    let mut add = |name: &str, shape: &[usize], values| {
        all.push((name.to_owned(), shape.to_vec(), values));
    };
    add("input", &[width, features], &model.input[..]);
    add("input_bias", &[width], &model.input_bias);
    add("kinds", &[2, width], &model.kinds);
    add("places", &[model.card.places, width], &model.places);
    add("themes", &[themes, width], &model.themes);
    add("steps", &[horizons, width], &model.steps);
    add("norm", &[2, width], &model.norm);
    add("marginal", &[horizons + 1, themes, width], &model.marginal);
    add("marginal_bias", &[horizons + 1, themes], &model.marginal_bias);
    add("next", &[themes, width], &model.next);
    add("next_bias", &[themes], &model.next_bias);
    for (number, layer) in model.layers.iter().enumerate() {
        let mut add = |name: &str, shape: &[usize], values| {
            add(&format!("layer.{number}.{name}"), shape, values);
        };
        add("norm1", &[2, width], &layer.norm1[..]);
        add("qkv", &[3 * width, width], &layer.qkv);
        add("out", &[width, width], &layer.out);
        add("norm2", &[2, width], &layer.norm2);
        add("up", &[inner, width], &layer.up);
        add("up_bias", &[inner], &layer.up_bias);
        add("down", &[width, inner], &layer.down);
        add("down_bias", &[width], &layer.down_bias);
    }
    all
}

fn check(card: &ChainCard, horizons: usize) -> Result<(), BundleError> {
    let wrong = |message: String| Err(BundleError::Value(format!("chain: {message}")));
    let ChainCard { width, heads, layers, inner, places, .. } = *card;
    let sizes = [width, heads, layers, inner, places];
    if sizes.contains(&0) || sizes.iter().any(|&size| size > 4096) || width % heads != 0 {
        return wrong(format!(
            "width {width}, {heads} heads, {layers} layers, inner width {inner}, {places} places"
        ));
    }
    let (boundary, mid, steps) = (card.boundary.len(), card.mid.len(), card.temperatures.len());
    if (boundary, mid, steps) != (horizons + 1, horizons + 1, horizons) {
        return wrong(format!("{boundary} and {mid} mixes, {steps} temperatures"));
    }
    let mixed = |mix: &super::Mix| (0.0..=1.0).contains(&mix.weight) && positive(mix.temperature);
    let fine = card.boundary.iter().chain(&card.mid).all(mixed);
    match fine && card.temperatures.iter().all(|&temperature| positive(temperature)) {
        true => Ok(()),
        false => wrong("weights must be 0 to 1 and temperatures above 0".to_owned()),
    }
}

fn positive(number: f32) -> bool {
    number.is_finite() && number > 0.0
}
