//! The fast form of a model: its matrices as Q8_0, for which candle has a fast CPU kernel.

use crate::AssetError;
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

/// Writes `from` to `to` with every matrix in Q8_0; vectors and metadata stay as they are.
///
/// # Errors
/// [`AssetError::Requantise`] when `from` can't be read or `to` can't be written.
pub(crate) fn to_q8_0(from: &Path, to: &Path) -> Result<(), AssetError> {
    let failed = |error: candle_core::Error| AssetError::Requantise {
        path: from.to_owned(),
        error: error.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    convert(from, to).map_err(failed)
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
    let mut metadata = content.metadata.clone();
    metadata.insert("general.file_type".to_owned(), Value::U32(FILE_TYPE_Q8_0));
    let mut metadata: Vec<(&String, &Value)> = metadata.iter().collect();
    metadata.sort_unstable_by_key(|(key, _)| *key);
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(k, v)| (k.as_str(), *v)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, t)| (*name, t)).collect();
    let mut target = BufWriter::new(File::create(to)?);
    gguf_file::write(&mut target, &metadata, &tensors)?;
    target.flush()?;
    target.get_ref().sync_all()?;
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
