//! The fast form of a model: its matrices as Q8_0, for which candle has a fast CPU kernel.

use crate::{AssetError, error::at};
use candle_core::{
    Device,
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

/// GGUF's number for a file whose matrices are Q8_0.
const FILE_TYPE_Q8_0: u32 = 7;

/// The key that says of which type a file's matrices are.
const FILE_TYPE: &str = "general.file_type";

/// Writes `from` to `to` with every matrix in Q8_0; vectors and metadata stay as they are.
///
/// The same input always gives the same bytes: tensors and metadata are written in order of name,
/// and blocks are quantised one by one in plain `f32` arithmetic.
///
/// # Errors
/// [`AssetError::Requantise`] when `from` can't be read or `to` is not the same model.
pub(crate) fn to_q8_0(from: &Path, to: &Path) -> Result<(), AssetError> {
    convert(from, to).and_then(|()| compare(from, to)).map_err(|error| match error {
        candle_core::Error::Io(error) => at(to)(error),
        error => AssetError::Requantise {
            path: from.to_owned(),
            error: error.to_string().lines().next().unwrap_or_default().to_owned(),
        },
    })
}

fn convert(from: &Path, to: &Path) -> candle_core::Result<()> {
    let mut source = BufReader::new(File::open(from)?);
    let content = Content::read(&mut source)?;
    let mut names: Vec<&String> = content.tensor_infos.keys().collect();
    names.sort_unstable();
    let mut tensors = Vec::with_capacity(names.len());
    for name in names {
        tensors.push((name.as_str(), tensor(&content, &mut source, name)?));
    }
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, t)| (*name, t)).collect();
    let fixed = Value::U32(FILE_TYPE_Q8_0);
    let metadata = content.metadata.iter().map(|(key, value)| match key.as_str() {
        FILE_TYPE => (FILE_TYPE, &fixed),
        key => (key, value),
    });
    let mut metadata: Vec<(&str, &Value)> = metadata.collect();
    metadata.sort_unstable_by_key(|(key, _)| *key);
    let mut target = BufWriter::new(File::create(to)?);
    gguf_file::write(&mut target, &metadata, &tensors)?;
    target.flush()?;
    Ok(())
}

/// Opens the result again: the same tensors of the same shapes, and as many keys.
fn compare(from: &Path, to: &Path) -> candle_core::Result<()> {
    let open = |path: &Path| Content::read(&mut BufReader::new(File::open(path)?));
    let (from, to) = (open(from)?, open(to)?);
    let (had, has) = (from.tensor_infos.len(), to.tensor_infos.len());
    if had != has || from.metadata.len() != to.metadata.len() {
        candle_core::bail!("{had} tensors became {has}");
    }
    for (name, had) in &from.tensor_infos {
        let has = to.tensor_infos.get(name).map(|has| has.shape.clone());
        if has.as_ref() != Some(&had.shape) {
            candle_core::bail!("{name}: {:?} became {has:?}", had.shape);
        }
    }
    Ok(())
}

/// One tensor, in Q8_0 where it is a matrix whose rows divide into blocks.
fn tensor(
    content: &Content,
    source: &mut BufReader<File>,
    name: &str,
) -> candle_core::Result<QTensor> {
    let tensor = content.tensor(source, name, &Device::Cpu)?;
    let matrix = tensor.rank() == 2;
    let divides = tensor
        .shape()
        .dims()
        .last()
        .is_some_and(|d| d.is_multiple_of(GgmlDType::Q8_0.block_size()));
    let plain = matches!(tensor.dtype(), GgmlDType::F32 | GgmlDType::F16 | GgmlDType::Q8_0);
    if !matrix || !divides || plain {
        return Ok(tensor);
    }
    QTensor::quantize(&tensor.dequantize(&Device::Cpu)?, GgmlDType::Q8_0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Tensor;

    /// A model of one Q4_1 matrix and one vector.
    fn small(path: &Path) {
        let matrix = Tensor::arange(0f32, 128., &Device::Cpu).unwrap().reshape((2, 64)).unwrap();
        let matrix = QTensor::quantize(&matrix, GgmlDType::Q4_1).unwrap();
        let vector = Tensor::arange(0f32, 64., &Device::Cpu).unwrap();
        let vector = QTensor::quantize(&vector, GgmlDType::F32).unwrap();
        let name = Value::String("small".into());
        let kind = Value::U32(3);
        let metadata = [("general.name", &name), ("general.file_type", &kind)];
        let mut file = File::create(path).unwrap();
        gguf_file::write(&mut file, &metadata, &[("w", &matrix), ("norm", &vector)]).unwrap();
    }

    #[test]
    fn matrices_become_q8_0_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to, again] = ["from", "to", "again"].map(|name| folder.path().join(name));
        small(&from);
        to_q8_0(&from, &to).unwrap();
        to_q8_0(&from, &again).unwrap();
        assert_eq!(
            std::fs::read(&to).unwrap(),
            std::fs::read(&again).unwrap(),
            "the same each time"
        );
        let mut file = File::open(&to).unwrap();
        let content = Content::read(&mut file).unwrap();
        assert_eq!(content.tensor_infos["w"].ggml_dtype, GgmlDType::Q8_0);
        assert_eq!(content.tensor_infos["norm"].ggml_dtype, GgmlDType::F32);
        assert_eq!(content.metadata["general.file_type"].to_u32().unwrap(), FILE_TYPE_Q8_0);
        assert_eq!(content.metadata["general.name"].to_string().unwrap(), "small");
        let matrix = content.tensor(&mut file, "w", &Device::Cpu).unwrap();
        let values = matrix.dequantize(&Device::Cpu).unwrap().to_vec2::<f32>().unwrap();
        assert!((values[1][63] - 127.0).abs() < 2.5, "{}", values[1][63]);
    }

    #[test]
    fn a_file_that_is_no_model_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from.gguf");
        std::fs::write(&from, "hello").unwrap();
        let error = to_q8_0(&from, &folder.path().join("to")).unwrap_err().to_string();
        assert!(error.contains("from.gguf") && error.lines().count() == 1, "{error}");
    }
}
