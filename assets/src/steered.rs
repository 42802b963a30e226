//! A model with a direction added to its residual stream: for planted divergences.
//!
//! The direction is added to every row of the embedding matrix, so every position's residual gets
//! it before the first layer, whatever runs the model. Where the output matrix is the same one
//! (tied), every token's logit shifts by the same amount, which changes no probability.

use crate::{AssetError, error::at};
use candle_core::{
    Device, Tensor,
    quantized::{
        GgmlDType, QTensor,
        gguf_file::{self, Content, Value},
    },
};
use std::{
    fs::File,
    io::{BufReader, BufWriter, Write},
    path::Path,
};

const EMBEDDINGS: &str = "token_embd.weight";

/// Writes the GGUF model `from` to `to` with `direction` (*shape* `[hidden]`) added to the residual
/// before the first layer; the embeddings are kept in F32.
///
/// # Errors
/// [`AssetError`] when `from` can't be read, has another width, or `to` can't be written.
pub fn steered(from: &Path, to: &Path, direction: &[f32]) -> Result<(), AssetError> {
    write(from, to, direction).map_err(|error| match error {
        candle_core::Error::Io(error) => at(to)(error),
        error => AssetError::Requantise {
            path: from.to_owned(),
            error: error.to_string().lines().next().unwrap_or_default().to_owned(),
        },
    })
}

fn write(from: &Path, to: &Path, direction: &[f32]) -> candle_core::Result<()> {
    let mut source = BufReader::new(File::open(from)?);
    let content = Content::read(&mut source)?;
    let mut names: Vec<&String> = content.tensor_infos.keys().collect();
    names.sort_unstable();
    let mut tensors = Vec::with_capacity(names.len());
    for name in names {
        let tensor = content.tensor(&mut source, name, &Device::Cpu)?;
        let tensor = if name == EMBEDDINGS { shifted(&tensor, direction)? } else { tensor };
        tensors.push((name.as_str(), tensor));
    }
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, t)| (*name, t)).collect();
    let mut metadata: Vec<(&str, &Value)> =
        content.metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    metadata.sort_unstable_by_key(|(key, _)| *key);
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut target = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    gguf_file::write(&mut BufWriter::new(target.as_file_mut()), &metadata, &tensors)?;
    target.flush()?;
    target.persist(to).map_err(|error| candle_core::Error::Io(error.error))?;
    Ok(())
}

fn shifted(embeddings: &QTensor, direction: &[f32]) -> candle_core::Result<QTensor> {
    let direction = Tensor::new(direction, &Device::Cpu)?;
    let shifted = embeddings.dequantize(&Device::Cpu)?.broadcast_add(&direction)?;
    QTensor::quantize(&shifted, GgmlDType::F32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_embeddings_is_shifted_and_nothing_else_changes() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        let values = Tensor::arange(0f32, 64., &Device::Cpu).unwrap().reshape((2, 32)).unwrap();
        let matrix = QTensor::quantize(&values, GgmlDType::Q8_0).unwrap();
        let name = Value::String("small".into());
        let mut file = File::create(&from).unwrap();
        let tensors = [(EMBEDDINGS, &matrix), ("w", &matrix)];
        gguf_file::write(&mut file, &[("general.name", &name)], &tensors).unwrap();
        steered(&from, &to, &[10.0; 32]).unwrap();
        let read = |path: &Path, tensor: &str| {
            let mut file = File::open(path).unwrap();
            let content = Content::read(&mut file).unwrap();
            let tensor = content.tensor(&mut file, tensor, &Device::Cpu).unwrap();
            tensor.dequantize(&Device::Cpu).unwrap().to_vec2::<f32>().unwrap()
        };
        assert_eq!(read(&from, "w"), read(&to, "w"));
        let (before, after) = (read(&from, EMBEDDINGS), read(&to, EMBEDDINGS));
        for (before, after) in before.concat().iter().zip(after.concat()) {
            assert!((before + 10.0 - after).abs() < 1e-4);
        }
        let error = steered(&from, &to, &[1.0; 31]).unwrap_err().to_string();
        assert!(error.contains("from") && error.lines().count() == 1, "{error}");
    }
}
