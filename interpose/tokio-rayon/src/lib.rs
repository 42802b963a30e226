//! Stand-in for `tokio-rayon`: the original, re-exported, with one function replaced.
//!
//! [`spawn`] carries a ticket of the submitting thread into the pool thread, so that a logits
//! processor that runs there can tell which row of which forward pass it is sampling.

#![forbid(unsafe_code)]

pub use upstream::*;

/// Runs `func` on rayon's global pool: the original's `spawn`, with the submitter's ticket.
pub fn spawn<F, R>(func: F) -> AsyncRayonHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let ticket = themecast_seam::ticket::<F>();
    upstream::spawn(move || themecast_seam::with_ticket(ticket, func))
}
