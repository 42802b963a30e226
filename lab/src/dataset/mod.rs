//! A collection on disk: what was sampled, token by token, with its residuals, as Parquet.
//!
//! ```text
//! DIR/collection.json                    what was collected and how (CollectionInfo)
//! DIR/tokens-1of1-00000.parquet          one row a token; residual.<site>: FixedSizeList<f16>
//! DIR/documents-1of1-00000.parquet       one row a document; its presence commits the part
//! ```
//! A tokens file without its documents file belongs to an interrupted run: readers ignore it,
//! the next writer overwrites it.

mod decode;
mod document;
mod encode;
mod info;
mod part;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use document::{Document, TokenRow, to_half};
pub use info::{COLLECTION_FORMAT, CollectionInfo};
pub use part::{ParseShardError, Shard};
pub use reader::{DocumentReader, Load, completed_ids, read_documents};
pub use writer::PartWriter;

/// Parquet reading and writing, shared with the labels.
pub(crate) mod parquet_io {
    pub(crate) use super::{
        decode::column,
        reader::open_columns,
        writer::{properties, write_parquet},
    };
}
