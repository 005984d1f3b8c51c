//! RFC 6455 §5.5.3: which Pongs are sent, if a peer sends Pings and does not read?

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::owed::ControlPayload;
use crate::send::Encoder;
use crate::wire::OpCode;

/// The Pongs that wait in a connection's output. The output is the caller's, who appends other frames to it, and makes
/// it shorter when some of it is written: for each octet less than there were before, there is room for one more.
#[derive(Debug, Default)]
pub(super) struct Pongs {
    /// Octets of Pongs that have taken room.
    waiting: u32,
    /// waiting <= end: how long the output was when that was counted.
    end: u32,
    /// The latest, if there was no room for it.
    held: Option<Box<Held>>,
}

/// A Pong for which there was no room. It is kept when it is sent, as there may soon be another.
#[derive(Debug)]
struct Held {
    payload: ControlPayload,
    is_owed: bool,
    /// One was sent without room; that is done again only when some of the output is written.
    is_overdrawn: bool,
}

impl Pongs {
    /// Whether a Pong is held back.
    pub(super) fn is_holding(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.is_owed)
    }

    /// Appends a Pong; or holds it back, in place of an earlier one, which §5.5.3 allows.
    pub(super) fn answer(&mut self, payload: ControlPayload, encoder: &mut Encoder, output: &mut Vec<u8>) {
        if self.has_room(output) {
            self.append(&payload, encoder, output);
            return;
        }
        match &mut self.held {
            Some(held) => (held.payload, held.is_owed) = (payload, true),
            none => *none = Some(Box::new(Held { payload, is_owed: true, is_overdrawn: false })),
        }
    }

    /// Appends the Pong that is held back, if there is room now. At the end of what has come, there is room for one in
    /// any case, if some of the output was written since the last time: a loop that writes all of it before it reads
    /// again may have nothing to read unless this is sent.
    pub(super) fn release(&mut self, is_last: bool, encoder: &mut Encoder, output: &mut Vec<u8>) {
        let has_room = self.has_room(output);
        let Some(held) = self.held.as_mut().filter(|held| held.is_owed) else { return };
        if has_room || (is_last && !held.is_overdrawn) {
            held.is_owed = false;
            held.is_overdrawn |= !has_room;
            let payload = held.payload;
            self.append(&payload, encoder, output);
        }
    }

    /// Takes the one that is held back: somebody else sends it, or it is too late for it.
    pub(super) fn take(&mut self) -> Option<ControlPayload> {
        self.held.take().filter(|held| held.is_owed).map(|held| held.payload)
    }

    /// Octets of memory.
    pub(super) fn memory_used(&self) -> usize {
        self.held.as_ref().map_or(0, |_| size_of::<Held>())
    }

    /// Takes note of what was written, and says whether another Pong may be appended. Not behind 4 GiB, where lengths
    /// are not counted any more.
    fn has_room(&mut self, output: &[u8]) -> bool {
        let Ok(len) = u32::try_from(output.len()) else { return false };
        let written = self.end.saturating_sub(len);
        self.waiting = self.waiting.saturating_sub(written);
        self.end = len;
        if let Some(held) = self.held.as_mut().filter(|_| written > 0) {
            held.is_overdrawn = false;
        }
        self.waiting < ROOM
    }

    fn append(&mut self, payload: &ControlPayload, encoder: &mut Encoder, output: &mut Vec<u8>) {
        let before = output.len();
        encoder.frame(true, OpCode::Pong, payload.octets(), output);
        let appended = u32::try_from(output.len() - before).unwrap_or(ROOM);
        self.waiting = self.waiting.saturating_add(appended);
        self.end = self.end.saturating_add(appended);
    }
}

/// Octets of Pongs that may wait in the output. Some two thousand short ones: who sends more Pings than that at once
/// learns nothing from all the answers.
const ROOM: u32 = 16 * 1024;
