//! RFC 6455 §5.5.3: which Pongs are sent, if a peer sends Pings and does not read?

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::owed::ControlPayload;
use crate::send::Encoder;
use crate::wire::OpCode;

/// The Pongs that wait in a connection's output. The output is the caller's, who appends other frames to it, and makes
/// it shorter when some of it is written. All that can be seen of that is its length: for each octet by which others
/// have changed it, there is room for one more. So what waits is no more than what others append, and [`ROOM`] besides.
#[derive(Debug, Default)]
pub(super) struct Pongs {
    /// Octets of Pongs that have taken room.
    waiting: u32,
    /// How long the output was when that was counted.
    end: u32,
    /// The latest, if there was no room for it.
    held: Option<Box<Held>>,
}

/// A Pong for which there was no room. It is kept when it is sent, as there may soon be another.
#[derive(Debug)]
struct Held {
    payload: ControlPayload,
    is_owed: bool,
}

impl Pongs {
    /// Whether a Pong is held back.
    pub(super) fn is_holding(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.is_owed)
    }

    /// Appends a Pong; or holds it back, in place of an earlier one, which §5.5.3 allows.
    pub(super) fn answer(&mut self, payload: ControlPayload, encoder: &mut Encoder, output: &mut Vec<u8>) {
        if self.has_room(ROOM, output) {
            self.append(&payload, encoder, output);
            return;
        }
        match &mut self.held {
            Some(held) => (held.payload, held.is_owed) = (payload, true),
            none => *none = Some(Box::new(Held { payload, is_owed: true })),
        }
    }

    /// Appends the Pong that is held back, if there is room now. For the last there is more, at the end of what has
    /// come: a loop that writes all before it reads again may have nothing to read unless this is sent.
    #[inline]
    pub(super) fn release(&mut self, is_last: bool, encoder: &mut Encoder, output: &mut Vec<u8>) {
        if self.waiting == 0 {
            return; // nothing is held back, and this is on the way of every piece of a message
        }
        let has_room = self.has_room(if is_last { ROOM + LONGEST } else { ROOM }, output);
        let Some(held) = self.held.as_mut().filter(|held| held.is_owed && has_room) else { return };
        held.is_owed = false;
        let payload = held.payload;
        self.append(&payload, encoder, output);
    }

    /// Takes the one that is held back: somebody else sends it, or it is too late for it.
    pub(super) fn take(&mut self) -> Option<ControlPayload> {
        self.held.take().filter(|held| held.is_owed).map(|held| held.payload)
    }

    /// Octets of memory.
    pub(super) fn memory_used(&self) -> usize {
        self.held.as_ref().map_or(0, |_| size_of::<Held>())
    }

    /// Takes note of what others have done to the output, and says whether another Pong may be appended. Not behind
    /// 4 GiB, where lengths are not counted any more.
    fn has_room(&mut self, room: u32, output: &[u8]) -> bool {
        let Ok(len) = u32::try_from(output.len()) else { return false };
        self.waiting = self.waiting.saturating_sub(self.end.abs_diff(len));
        self.end = len;
        self.waiting < room
    }

    fn append(&mut self, payload: &ControlPayload, encoder: &mut Encoder, output: &mut Vec<u8>) {
        let before = output.len();
        encoder.frame(true, OpCode::Pong, payload.octets(), output);
        let appended = u32::try_from(output.len().saturating_sub(before)).unwrap_or(ROOM);
        self.waiting = self.waiting.saturating_add(appended);
        self.end = self.end.saturating_add(appended);
    }
}

/// Octets of Pongs that may wait in the output. Some two thousand short ones: who sends more Pings than that at once
/// learns nothing from all the answers.
const ROOM: u32 = 16 * 1024;

/// Octets of the longest one, masked.
const LONGEST: u32 = 2 + 4 + 125;
