//! The tap of one loaded model: who wants which sites, and the frame of the running pass.

use crate::{Frame, SiteMap, TapError, steering::Steering, watch::WATCHER};
use candle_core::{Device, Tensor};
use parking_lot::Mutex;
use std::{
    any::TypeId,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

static NEXT_PASS: AtomicU64 = AtomicU64::new(1);

/// The tap of one loaded model; its engine runs one forward pass at a time.
#[derive(Debug)]
pub struct EngineTap {
    map: SiteMap,
    wants: Vec<AtomicUsize>,
    wants_all: AtomicUsize,
    live: AtomicUsize,
    pass: Mutex<Pass>,
    steering: Mutex<Option<Steering>>,
}

/// The state of the pass that runs now or ran last.
#[derive(Debug, Default)]
struct Pass {
    building: Option<Frame>,
    frame: Option<Arc<Frame>>,
    first_job: Option<TypeId>,
    next_row: usize,
}

impl EngineTap {
    pub(crate) fn new(map: SiteMap) -> Self {
        let wants = (0..map.sites()).map(|_| AtomicUsize::new(0)).collect();
        Self {
            map,
            wants,
            wants_all: AtomicUsize::new(0),
            live: AtomicUsize::new(0),
            pass: Mutex::default(),
            steering: Mutex::default(),
        }
    }

    /// The model's sites.
    pub fn map(&self) -> &SiteMap {
        &self.map
    }

    /// How many leases are open.
    pub fn live(&self) -> usize {
        self.live.load(Ordering::Acquire)
    }

    /// Whether anything of a pass is still held: false once no lease is open.
    pub fn holds_anything(&self) -> bool {
        let pass = self.pass.lock();
        pass.building.is_some() || pass.frame.is_some()
    }

    /// Asks for the sites numbered `ordinals` (every position with `all`), from the next forward
    /// pass on and until the lease is dropped.
    pub fn lease(self: &Arc<Self>, ordinals: &[usize], all: bool) -> Lease {
        for &ordinal in ordinals {
            self.wants[ordinal].fetch_add(1, Ordering::AcqRel);
        }
        self.wants_all.fetch_add(usize::from(all), Ordering::AcqRel);
        self.live.fetch_add(1, Ordering::AcqRel);
        WATCHER.lease_opened();
        Lease { tap: self.clone(), ordinals: ordinals.to_vec(), all, steers: false }
    }

    /// A norm at site `ordinal` is about to read `input`.
    pub(crate) fn norm(&self, ordinal: usize, input: &Tensor) {
        let mut pass = self.pass.lock();
        if ordinal == 0 {
            *pass = Pass::default();
            pass.building = (self.live() > 0).then(|| self.begin(input)).flatten();
        }
        if self.steer(ordinal, input).is_err() {
            pass.building = None; // whoever reads this step is told that it was not tapped
        }
        let Some(frame) = pass.building.as_mut() else { return };
        if self.wants[ordinal].load(Ordering::Acquire) > 0 {
            let all = self.wants_all.load(Ordering::Acquire) > 0;
            frame.sites[ordinal] = keep(input, all).ok();
        }
        if ordinal + 1 == self.map.sites() {
            pass.frame = pass.building.take().map(Arc::new);
        }
    }

    fn steer(&self, ordinal: usize, input: &Tensor) -> candle_core::Result<()> {
        match &*self.steering.lock() {
            Some(steering) if steering.ordinal == ordinal => steering.apply(input),
            _ => Ok(()),
        }
    }

    fn begin(&self, input: &Tensor) -> Option<Frame> {
        let (rows, positions, _) = input.dims3().ok()?;
        let number = NEXT_PASS.fetch_add(1, Ordering::Relaxed);
        Some(Frame { number, rows, positions, sites: vec![None; self.map.sites()] })
    }

    /// The engine's thread submits a sampling job: which row of which frame it is for.
    ///
    /// mistral.rs submits the first samplings of a batch in row order, all from one place in its
    /// source and so of one job type; jobs of another type sample a row again.
    pub(crate) fn submit(&self, job: TypeId) -> Option<(Arc<Frame>, Option<usize>)> {
        let mut pass = self.pass.lock();
        let frame = pass.frame.clone()?;
        if *pass.first_job.get_or_insert(job) != job {
            return Some((frame, None));
        }
        let row = pass.next_row;
        pass.next_row += 1;
        Some((frame, Some(row)))
    }

    /// The frame for a sampling on the engine's own thread: a batch of one.
    pub(crate) fn sole(&self) -> Option<Arc<Frame>> {
        self.pass.lock().frame.clone().filter(|frame| frame.rows == 1)
    }
}

/// Keeps every position, or a copy of the last one, so that the whole pass is never held.
fn keep(input: &Tensor, all: bool) -> candle_core::Result<Tensor> {
    let positions = input.dim(1)?;
    if all || positions == 1 {
        return Ok(input.clone());
    }
    input.narrow(1, positions - 1, 1)?.force_contiguous()
}

/// The wish of one request for some sites; dropping it takes the wish back.
#[derive(Debug)]
pub struct Lease {
    tap: Arc<EngineTap>,
    ordinals: Vec<usize>,
    all: bool,
    steers: bool,
}

impl Lease {
    /// The sites' numbers, in the order asked for.
    pub fn ordinals(&self) -> &[usize] {
        &self.ordinals
    }

    /// Adds `direction` (*shape* `[hidden]`) to the residual at the site numbered `ordinal`, from
    /// the next forward pass on and until the lease is dropped, in every pass that reads one token
    /// of one request. The prompt is read as it is.
    ///
    /// # Errors
    /// [`TapError::Width`] where the direction has another width; [`TapError::Steered`] while
    /// another lease steers this model.
    pub fn steer(&mut self, ordinal: usize, direction: &[f32]) -> Result<(), TapError> {
        let (width, hidden) = (direction.len(), self.tap.map.hidden_size());
        if width != hidden {
            return Err(TapError::Width { width, hidden });
        }
        let copied = |error: candle_core::Error| TapError::Copy(error.to_string());
        let direction = Tensor::new(direction, &Device::Cpu).map_err(copied)?;
        let mut steering = self.tap.steering.lock();
        if steering.is_some() {
            return Err(TapError::Steered);
        }
        *steering = Some(Steering::new(ordinal, &direction).map_err(copied)?);
        self.steers = true;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        for &ordinal in &self.ordinals {
            self.tap.wants[ordinal].fetch_sub(1, Ordering::AcqRel);
        }
        self.tap.wants_all.fetch_sub(usize::from(self.all), Ordering::AcqRel);
        if self.steers {
            *self.tap.steering.lock() = None;
        }
        if self.tap.live.fetch_sub(1, Ordering::AcqRel) == 1 {
            let mut pass = self.tap.pass.lock();
            // Another lease may have been taken meanwhile, and its pass begun.
            if self.tap.live() == 0 {
                *pass = Pass::default();
            }
        }
        WATCHER.lease_closed();
    }
}
