//! The waves of a worker's connections, where replies find them.

use super::Links;
use crate::cluster::forward::wave::Wave;

/// Names a wave among a worker's, for as long as it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaveKey {
    index: u32,
    generation: u32,
}

const INDEX_BITS: u32 = 24;
const FRAME_BITS: u32 = 16;

impl WaveKey {
    /// The id of one of its frames.
    pub(super) fn frame_id(self, frame: u16) -> u64 {
        u64::from(self.generation) << (INDEX_BITS + FRAME_BITS) | u64::from(frame) << INDEX_BITS | u64::from(self.index)
    }

    /// The wave of a frame, and which of its frames it is.
    pub(super) fn of_frame(id: u64) -> (Self, u16) {
        let index = (id & ((1 << INDEX_BITS) - 1)) as u32;
        (Self { index, generation: (id >> (INDEX_BITS + FRAME_BITS)) as u32 }, (id >> INDEX_BITS) as u16)
    }

    fn next_generation(self) -> u32 {
        (self.generation + 1) & ((1 << (64 - INDEX_BITS - FRAME_BITS)) - 1)
    }
}

/// Where a wave stands while it waits; its generation tells it from those that stood there before.
#[derive(Debug, Default)]
pub(super) struct Place {
    generation: u32,
    pub(super) wave: Option<Box<Wave>>,
}

/// How many idle waves are kept for later batches.
const SPARE_MAX: usize = 64;

impl Links {
    /// An empty wave for a batch.
    #[inline]
    pub(crate) fn lend(&mut self) -> Box<Wave> {
        self.spare.pop().unwrap_or_default()
    }

    /// Takes back a wave that nothing joined, or that has ended.
    #[inline]
    pub(crate) fn give_back(&mut self, mut wave: Box<Wave>) {
        if !wave.is_empty() || !wave.requests.is_empty() || !wave.local.is_empty() {
            wave.reset();
        }
        if self.spare.len() < SPARE_MAX {
            self.spare.push(wave);
        }
    }

    /// Registers a wave, so that replies find it.
    pub(crate) fn insert(&mut self, wave: Box<Wave>) -> WaveKey {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            (self.places.len() - 1) as u32
        });
        let place = &mut self.places[index as usize];
        place.wave = Some(wave);
        WaveKey { index, generation: place.generation }
    }

    /// The wave of that name, if it still waits.
    pub(crate) fn wave(&mut self, key: WaveKey) -> Option<&mut Wave> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation == key.generation { place.wave.as_deref_mut() } else { None }
    }

    /// Takes a wave out; replies that come for it are ignored from now on.
    pub(crate) fn remove(&mut self, key: WaveKey) -> Option<Box<Wave>> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation != key.generation {
            return None;
        }
        let mut wave = place.wave.take()?;
        place.generation = key.next_generation();
        self.free.push(key.index);
        // The wave is used again: what it owes is paid once.
        if std::mem::take(&mut wave.is_parked) {
            self.parked_bytes -= wave.requests.len();
        }
        Some(wave)
    }

    /// Takes a wave to work on; [`Links::put_back`] must follow.
    pub(crate) fn borrow(&mut self, key: WaveKey) -> Option<Box<Wave>> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation == key.generation { place.wave.take() } else { None }
    }

    /// Puts a borrowed wave back.
    pub(crate) fn put_back(&mut self, key: WaveKey, wave: Box<Wave>) {
        if let Some(place) = self.places.get_mut(key.index as usize) {
            place.wave = Some(wave);
        }
    }

    /// How many waves wait.
    pub(crate) fn waiting(&self) -> usize {
        self.places.len() - self.free.len()
    }
}
