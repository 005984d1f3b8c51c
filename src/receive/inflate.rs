//! RFC 7692 §7.2.2: which octets does a compressed message inflate to, within its limits?

use alloc::boxed::Box;

pub(super) use super::inflated::Inflated;
use crate::config::{Delivery, Limits};
use crate::deflate::{Decompressor, DeflateConfig, DeflatePool, Direction, Step, Stop, Until, Window};
use crate::error::ProtocolError;

/// permessage-deflate in one direction: the messages that come.
#[derive(Debug)]
pub(crate) struct Inflater {
    /// The peer keeps its window from one message to the next.
    takeover: bool,
    delivery: Delivery,
    /// Where the state comes from and goes to; `None`: it stays here.
    pool: Option<DeflatePool>,
    /// There while a message is under way, and longer if there is no pool.
    state: Option<Box<Decompressor>>,
    /// What the peer may refer to, kept where nothing else holds it: of messages before, and of pieces that were
    /// delivered. Zlib has a copy that it does not give back when a final block ends.
    window: Window,
    progress: Progress,
    /// Octets that it was inflated to.
    made: u64,
    /// Final blocks of the message under way: to go on behind one costs as much as a whole window.
    finals: u64,
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// No octet of it has come.
    Between,
    /// All that came is inflated.
    Waiting,
    /// The last step filled its room: there may be more.
    Blocked,
    /// A final block (BFINAL) ended with the last octet that came.
    Final,
}

/// How far a message may be inflated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Octets of the whole message.
    most: u64,
    /// What it means when there are more.
    breach: ProtocolError,
    /// Final blocks in it.
    finals: u64,
}

impl Bounds {
    /// For a message whose frames have announced so many octets.
    pub(crate) fn new(limits: &Limits, announced: u64) -> Self {
        let finals = u64::from(limits.fragments).min((announced / OCTETS_OF_FINAL).saturating_add(FREE_FINALS));
        let by_ratio = limits.inflate_ratio.map(|ratio| announced.saturating_mul(ratio.into()).max(FREE_OF_RATIO));
        match by_ratio {
            Some(most) if most < limits.message => Self { most, breach: ProtocolError::InflatesTooMuch, finals },
            _ => Self { most: limits.message, breach: ProtocolError::MessageTooBig, finals },
        }
    }
}

impl Inflater {
    pub(crate) fn new(config: &DeflateConfig, agreed: Direction, delivery: Delivery) -> Self {
        Self {
            takeover: agreed.takeover,
            delivery,
            pool: config.memory.pool(),
            state: None,
            window: Window::new(agreed.window_bits),
            progress: Progress::Between,
            made: 0,
            finals: 0,
        }
    }

    /// Begins a message, once octets of it have come.
    fn begin(&mut self) {
        let is_new = self.state.is_none();
        let pool = self.pool.as_ref();
        let state = self.state.get_or_insert_with(|| pool.map(DeflatePool::take_decompressor).unwrap_or_default());
        if is_new || !self.takeover {
            state.reset();
        }
        if is_new && self.takeover {
            self.window.parts().into_iter().for_each(|part| state.prime(part));
        }
        self.progress = Progress::Waiting;
        self.made = 0;
        self.finals = 0;
    }

    /// There may be more to inflate of what came already.
    pub(crate) fn is_blocked(&self) -> bool {
        self.progress == Progress::Blocked
    }

    /// Inflates the next octets of a message, and returns how many of them it took: all, or, where messages are
    /// delivered in chunks, as many as make a chunk full.
    ///
    /// What was inflated before an error is there.
    pub(crate) fn feed(
        &mut self,
        payload: &[u8],
        plain: &mut Inflated,
        bounds: Bounds,
    ) -> (usize, Result<(), ProtocolError>) {
        if self.progress == Progress::Between && !payload.is_empty() {
            self.begin();
        }
        let mut taken = 0;
        while taken < payload.len() || self.is_blocked() {
            if self.delivery == Delivery::Chunks && plain.len() >= CHUNK {
                break;
            }
            let rest = payload.get(taken..).unwrap_or_default();
            match self.step(rest, plain, bounds) {
                Ok(step) => taken = taken.saturating_add(step),
                Err(error) => return (taken, Err(error)),
            }
        }
        (taken, Ok(()))
    }

    /// Ends a message whose octets have all been fed.
    ///
    /// What the sender cut off is put back; thereafter the data has to be whole: another empty block has to be read as
    /// one, or this one would reach into the next message.
    pub(crate) fn finish(&mut self) -> Result<(), ProtocolError> {
        match self.progress {
            Progress::Between => return Err(ProtocolError::InvalidDeflate),
            Progress::Waiting | Progress::Blocked => self.read_tail()?,
            Progress::Final => {}
        }
        if self.progress == Progress::Final && self.takeover && self.pool.is_none() {
            self.restart(b"");
        }
        self.progress = Progress::Between;
        self.release();
        Ok(())
    }

    /// One step of zlib; returns how many octets of the payload it took.
    fn step(&mut self, payload: &[u8], plain: &mut Inflated, bounds: Bounds) -> Result<usize, ProtocolError> {
        if self.progress == Progress::Final {
            self.restart(plain.message());
        }
        let Some(state) = &mut self.state else { return Err(ProtocolError::InvalidDeflate) };
        let most = usize::try_from(bounds.most.saturating_sub(self.made)).unwrap_or(usize::MAX);
        let room = match self.delivery {
            Delivery::Whole => plain.room(usual_room(payload.len()), most),
            Delivery::Chunks => {
                let most = most.min(CHUNK.saturating_sub(plain.len()));
                plain.room(most, most)
            }
        };
        // whether there is more than may be is seen by giving room for one octet more
        let (is_full, mut excess) = (room.is_empty(), [0]);
        let room = if is_full { &mut excess } else { room };
        let room_len = room.len();
        let step = state.inflate(payload, room, Until::Empty);
        if is_full && step.made > 0 {
            return Err(bounds.breach);
        }
        let was_blocked = self.is_blocked();
        self.progress = match step.stop {
            Stop::Final => Progress::Final,
            Stop::Pause if step.made == room_len => Progress::Blocked,
            Stop::Pause | Stop::Invalid => Progress::Waiting,
        };
        self.made = self.made.saturating_add(step.made as u64);
        let made = plain.filled(step.made);
        if self.takeover || self.delivery == Delivery::Chunks {
            self.window.push(made);
        }
        self.finals = self.finals.saturating_add((step.stop == Stop::Final).into());
        match step.stop {
            Stop::Final if self.finals > bounds.finals => Err(ProtocolError::TooManyFragments),
            Stop::Invalid => Err(ProtocolError::InvalidDeflate),
            // or this would go on for ever
            Stop::Pause if step.taken == 0 && step.made == 0 && !was_blocked => Err(ProtocolError::InvalidDeflate),
            Stop::Pause | Stop::Final => Ok(step.taken),
        }
    }

    /// Goes on behind a final block, with what was inflated so far (§7.2.3.4): of this message, unless the window has
    /// it, what is in `plain`.
    fn restart(&mut self, plain: &[u8]) {
        let Some(state) = &mut self.state else { return };
        state.reset();
        if self.takeover || self.delivery == Delivery::Chunks {
            self.window.parts().into_iter().for_each(|part| state.prime(part));
        } else {
            state.prime(plain);
        }
        self.progress = Progress::Waiting;
    }

    /// Has zlib read the end that the sender cut off, which has to end a block; and then, where there is a next message
    /// for it, an empty block, which has to be read as one: thereby no bits are left that the next message would begin
    /// with.
    fn read_tail(&mut self) -> Result<(), ProtocolError> {
        let Some(state) = &mut self.state else { return Err(ProtocolError::InvalidDeflate) };
        // each with an octet more, which is not to be taken
        let (tail, block) = (b"\x00\x00\xff\xff.", b"\x00\x00\x00\xff\xff.");
        let mut room = [0];
        match state.inflate(tail, &mut room, Until::Block) {
            Step { taken: 4, made: 0, stop: Stop::Pause } if self.takeover => {}
            Step { taken: 4, made: 0, stop: Stop::Pause } => return Ok(()),
            Step { taken: 4, made: 0, stop: Stop::Final } => {
                self.progress = Progress::Final;
                return Ok(());
            }
            _ => return Err(ProtocolError::InvalidDeflate),
        }
        match state.inflate(block, &mut room, Until::Block) {
            Step { taken: 5, made: 0, stop: Stop::Pause } => Ok(()),
            // it was a final one that has ended
            Step { taken: 0, made: 0, stop: Stop::Final } => {
                self.progress = Progress::Final;
                Ok(())
            }
            _ => Err(ProtocolError::InvalidDeflate),
        }
    }

    /// Holds no more than the next message needs.
    fn release(&mut self) {
        if !self.takeover {
            self.window.clear();
        }
        if let Some(pool) = &self.pool {
            self.state.take().into_iter().for_each(|state| pool.give_decompressor(state));
        }
    }

    /// Octets of memory that it takes.
    #[expect(clippy::arithmetic_side_effects, reason = "all of it lies in memory, and none of it twice")]
    pub(crate) fn memory_used(&self) -> usize {
        let state = if self.state.is_some() { Decompressor::MEMORY } else { 0 };
        size_of::<Self>() + state + self.window.capacity()
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        self.release();
    }
}

/// A chunk of a compressed message has at most so many octets.
const CHUNK: usize = 16 * 1024;

/// Room for what so many octets are usually inflated to, within reason. If it is more, the room doubles.
fn usual_room(compressed: usize) -> usize {
    compressed.saturating_mul(4).clamp(256, 64 * 1024).max(compressed)
}

/// A compressed message may have a final block for so many octets that its frames announce: then these cost about as
/// much as others.
const OCTETS_OF_FINAL: u64 = 64;

/// And so many besides.
const FREE_FINALS: u64 = 16;

/// Octets that any message may be inflated to, whatever ratio is allowed: a short one may well repeat an earlier one.
const FREE_OF_RATIO: u64 = 4096;
