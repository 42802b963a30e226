//! Blocking work awaited from any runtime, or none.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    thread,
};

/// Does `work` on a thread of its own; false also where it panics or no thread can be had.
pub(crate) async fn elsewhere(work: impl FnOnce() -> bool + Send + 'static) -> bool {
    let shared = Arc::new(Mutex::new(Shared::default()));
    let settle = Settle { shared: Arc::clone(&shared), outcome: false };
    let spawned =
        thread::Builder::new().name("themecast-flush".to_owned()).spawn(move || settle.after(work));
    if spawned.is_err() {
        return false;
    }
    poll_fn(move |context| {
        let mut shared = lock(&shared);
        shared.waker = Some(context.waker().clone());
        shared.outcome.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

#[derive(Default)]
struct Shared {
    outcome: Option<bool>,
    waker: Option<Waker>,
}

/// Tells the outcome when it is dropped, so that a panic is told as well.
struct Settle {
    shared: Arc<Mutex<Shared>>,
    outcome: bool,
}

impl Settle {
    fn after(mut self, work: impl FnOnce() -> bool) {
        self.outcome = work();
    }
}

impl Drop for Settle {
    fn drop(&mut self) {
        let waker = {
            let mut shared = lock(&self.shared);
            shared.outcome = Some(self.outcome);
            shared.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Nothing is ever half-written under this lock, so a panic elsewhere doesn't matter.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
