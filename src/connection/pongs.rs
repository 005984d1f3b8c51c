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
    /// How long the output was when that was counted; from 4 GiB on, 4 GiB.
    end: u32,
    /// The latest for which there was no room.
    held: Option<Box<ControlPayload>>,
}

impl Pongs {
    /// Whether a Pong is held back.
    pub(super) fn is_holding(&self) -> bool {
        self.held.is_some()
    }

    /// Appends the Pong that is held back, if there is room now.
    pub(super) fn release(&mut self, encoder: &mut Encoder, output: &mut Vec<u8>) {
        if let Some(payload) = self.held.take() {
            self.answer(&payload, encoder, output);
        }
    }

    /// Appends a Pong; or holds it back, in place of an earlier one, which §5.5.3 allows.
    pub(super) fn answer(&mut self, payload: &ControlPayload, encoder: &mut Encoder, output: &mut Vec<u8>) {
        let before = saturated(output.len());
        self.waiting = self.waiting.saturating_sub(self.end.saturating_sub(before)).min(before);
        self.end = before;
        if self.waiting >= ROOM {
            self.held = Some(Box::new(*payload));
            return;
        }
        self.held = None;
        encoder.frame(true, OpCode::Pong, payload.octets(), output);
        self.end = saturated(output.len());
        self.waiting += self.end - before;
    }

    /// Takes the one that is held back: somebody else sends it, or it is too late for it.
    pub(super) fn take(&mut self) -> Option<ControlPayload> {
        self.held.take().map(|payload| *payload)
    }

    /// Octets of memory.
    pub(super) fn memory_used(&self) -> usize {
        self.held.as_ref().map_or(0, |_| size_of::<ControlPayload>())
    }
}

fn saturated(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Octets of Pongs that may wait in the output. Some two thousand short ones: who sends more Pings than that at once
/// learns nothing from all the answers.
const ROOM: u32 = 16 * 1024;
