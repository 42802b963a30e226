//! The one observer of this process: hands events of engine and pool threads to the right tap.

use crate::{EngineTap, Frame, Row, sites::SeenNorm};
use candle_core::{Tensor, TensorId};
use parking_lot::{Condvar, Mutex, RwLock};
use std::{
    any::TypeId,
    cell::RefCell,
    collections::{HashMap, HashSet},
    sync::{
        Arc, LazyLock, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
};
use themecast_seam::{Observer, Ticket};

pub(crate) static WATCHER: LazyLock<Watcher> = LazyLock::new(Watcher::default);

/// Every tap by the weight of its first norm, and what is being recorded.
#[derive(Default)]
pub(crate) struct Watcher {
    taps: RwLock<HashMap<TensorId, Weak<EngineTap>>>,
    /// Every norm that was ever resolved: an engine that ends while another is discovered may
    /// still run, and its norms must not be taken for the new one's.
    known: RwLock<HashSet<TensorId>>,
    recording: AtomicBool,
    recorded: Mutex<Recording>,
    ended: Condvar,
    leases: Mutex<usize>,
}

#[derive(Default)]
struct Recording {
    busy: bool,
    seen: Vec<SeenNorm>,
}

thread_local! {
    /// The tap whose model this engine thread is running.
    static ENGINE: RefCell<Option<Arc<EngineTap>>> = const { RefCell::new(None) };
    /// The frames and rows that this pool thread is sampling: one within another where a sampling
    /// waits in the pool for work of its own, as DRY's does.
    static POOL: RefCell<Vec<Option<Row>>> = const { RefCell::new(Vec::new()) };
}

/// Installs the watcher at the seam, once; reports stay off until someone listens. False where
/// another observer was there before.
pub(crate) fn install() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| {
        let installed = themecast_seam::install(&*WATCHER).is_ok();
        if installed {
            WATCHER.switch();
        }
        installed
    })
}

/// The row that the calling thread is sampling right now; none outside of a logits processor or
/// when no lease was open at the start of the forward pass.
pub fn current() -> Option<Row> {
    let pooled = POOL.with_borrow(|rows| rows.last().cloned().flatten());
    pooled.or_else(|| {
        let frame = ENGINE.with_borrow(|tap| tap.as_ref().and_then(|tap| tap.sole()))?;
        Some(Row { frame, row: Some(0) })
    })
}

/// How many leases are open in the whole process.
pub fn live_leases() -> usize {
    *WATCHER.leases.lock()
}

impl Watcher {
    pub(crate) fn start_recording(&self) {
        let mut recorded = self.recorded.lock();
        while recorded.busy {
            self.ended.wait(&mut recorded);
        }
        *recorded = Recording { busy: true, seen: Vec::new() };
        self.recording.store(true, Ordering::Release);
        drop(recorded);
        self.switch();
    }

    pub(crate) fn recorded(&self) -> Vec<SeenNorm> {
        self.recorded.lock().seen.clone()
    }

    pub(crate) fn stop_recording(&self) {
        self.recording.store(false, Ordering::Release);
        *self.recorded.lock() = Recording::default();
        self.ended.notify_one();
        self.switch();
    }

    pub(crate) fn register(&self, tap: &Arc<EngineTap>) {
        self.known.write().extend(tap.map().weights());
        let mut taps = self.taps.write();
        taps.retain(|_, tap| tap.strong_count() > 0);
        taps.insert(tap.map().first(), Arc::downgrade(tap));
    }

    pub(crate) fn lease_opened(&self) {
        *self.leases.lock() += 1;
        self.switch();
    }

    pub(crate) fn lease_closed(&self) {
        *self.leases.lock() -= 1;
        self.switch();
    }

    /// Reports are on exactly while somebody listens.
    fn switch(&self) {
        let leases = self.leases.lock();
        themecast_seam::set_active(*leases > 0 || self.recording.load(Ordering::Acquire));
    }

    /// Makes the tap that `first` belongs to the calling thread's own.
    fn enter_engine(&self, first: TensorId) -> Option<Arc<EngineTap>> {
        let tap = self.taps.read().get(&first).and_then(Weak::upgrade)?;
        ENGINE.set(Some(tap.clone()));
        Some(tap)
    }
}

impl Observer for Watcher {
    fn norm(&self, input: &Tensor, weight: &Tensor) {
        let own = ENGINE.with_borrow(|tap| {
            let ordinal = tap.as_ref()?.map().ordinal_of(weight.id())?;
            tap.as_ref().map(|tap| tap.norm(ordinal, input))
        });
        if own.is_some() {
            return;
        }
        if let Some(tap) = self.enter_engine(weight.id()) {
            tap.norm(0, input);
        } else if self.recording.load(Ordering::Acquire)
            && !self.known.read().contains(&weight.id())
        {
            let norm = SeenNorm { weight: weight.id(), width: weight.elem_count() };
            self.recorded.lock().seen.push(norm);
        }
    }

    fn submit(&self, job: TypeId) -> Option<Ticket> {
        let ticket = ENGINE.with_borrow(|tap| tap.as_ref().and_then(|tap| tap.submit(job)));
        ticket.map(|ticket| Box::new(ticket) as Ticket)
    }

    fn enter(&self, ticket: Ticket) {
        let ticket = ticket.downcast::<(Arc<Frame>, Option<usize>)>();
        let row = ticket.ok().map(|ticket| Row { frame: ticket.0, row: ticket.1 });
        POOL.with_borrow_mut(|rows| rows.push(row));
    }

    fn leave(&self) {
        POOL.with_borrow_mut(Vec::pop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sampling_within_another_gives_the_row_back() {
        let frame = Arc::new(Frame { number: 1, rows: 2, positions: 1, sites: Vec::new() });
        let ticket = |row: usize| -> Ticket { Box::new((frame.clone(), Some(row))) };
        let row = || current().and_then(|row| row.row);
        let watcher = Watcher::default();
        watcher.enter(ticket(0));
        watcher.enter(ticket(1));
        assert_eq!(row(), Some(1));
        watcher.leave();
        assert_eq!(row(), Some(0));
        watcher.leave();
        assert_eq!(row(), None);
    }
}
