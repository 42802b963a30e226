//! The seam between the stand-in crates of this folder and whoever watches a forward pass.
//!
//! `candle-nn` and `tokio-rayon` (the stand-ins beside this crate) report three events here; an
//! [`Observer`], installed once per process, receives them. Nothing else lives here and nothing
//! else ever will: mistral.rs is compiled against this crate, so every edit costs a long build.

#![forbid(unsafe_code)]

use candle_core::Tensor;
use std::{
    any::{Any, TypeId},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// What travels from the thread that submits a sampling job to the thread that runs it.
pub type Ticket = Box<dyn Any + Send>;

/// Receives the events of the forward passes and of the sampling in this process.
///
/// All calls come on the engine's hot path: they must be short, must not block and must not panic.
pub trait Observer: Send + Sync {
    /// A norm is about to be applied to `input` with `weight`, on the calling engine's thread.
    ///
    /// *Shape* of `input`: `[.., hidden]`; it is a cheap handle to clone, not a copy.
    fn norm(&self, input: &Tensor, weight: &Tensor);
    /// The calling engine's thread submits one sampling job of type `job` to the pool.
    ///
    /// Every place in the source that submits has a job type of its own: a first sampling and a
    /// sampling again under a grammar can be told apart by it.
    fn submit(&self, job: TypeId) -> Option<Ticket>;
    /// The calling pool thread begins the job that `ticket` was made for.
    fn enter(&self, ticket: Ticket);
    /// The calling pool thread has ended the job, also by a panic.
    fn leave(&self);
}

/// An observer had already been installed in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlreadyInstalled;

impl std::fmt::Display for AlreadyInstalled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an observer of the forward pass is already installed in this process")
    }
}

impl std::error::Error for AlreadyInstalled {}

static OBSERVER: OnceLock<&'static dyn Observer> = OnceLock::new();
static ACTIVE: AtomicBool = AtomicBool::new(false);

/// Installs the one observer of this process and begins to report to it.
///
/// # Errors
/// [`AlreadyInstalled`] when there is one; it stays.
pub fn install(observer: &'static dyn Observer) -> Result<(), AlreadyInstalled> {
    OBSERVER.set(observer).map_err(|_| AlreadyInstalled)?;
    set_active(true);
    Ok(())
}

/// Turns the reports on or off; off, an event costs one relaxed atomic load.
pub fn set_active(active: bool) {
    ACTIVE.store(active, Ordering::Relaxed);
}

#[inline]
fn observer() -> Option<&'static dyn Observer> {
    if !ACTIVE.load(Ordering::Relaxed) {
        return None;
    }
    OBSERVER.get().copied()
}

/// Called by the `candle-nn` stand-in before every RMSNorm.
#[inline]
pub fn on_norm(input: &Tensor, weight: &Tensor) {
    if let Some(observer) = observer() {
        observer.norm(input, weight);
    }
}

/// Called by the `tokio-rayon` stand-in where a job of type `F` is submitted.
#[inline]
pub fn ticket<F: 'static>() -> Option<Ticket> {
    observer().and_then(|observer| observer.submit(TypeId::of::<F>()))
}

/// Runs `job` on the calling pool thread under the ticket it was submitted with.
pub fn with_ticket<R>(ticket: Option<Ticket>, job: impl FnOnce() -> R) -> R {
    let (Some(observer), Some(ticket)) = (observer(), ticket) else {
        return job();
    };
    observer.enter(ticket);
    let _leave = Leave(observer);
    job()
}

struct Leave(&'static dyn Observer);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.leave();
    }
}
