//! A conversation in the terminal, the forecast drawn beside the answer while it is written.
//!
//! ```text
//! talk ──question──▶ server ──SSE──▶ pieces of text and notes ──▶ columns ──▶ terminal
//!                                              note ──▶ margin ──────┘
//! ```
//!
//! A client like any other: it knows the HTTP interface and none of the crates that serve it.

mod columns;
mod margin;
mod note;
mod plain;
mod server;
mod talk;

pub use columns::Layout;
pub use server::{Error, Server};
pub use talk::{Settings, talk};
