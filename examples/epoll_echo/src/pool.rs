//! Where do the read buffers come from?

use websocket_proto::ReadBuffer;

/// Octets that a read asks for, unless it is amid a longer frame.
pub(crate) const READ: usize = 16 << 10;

/// How many buffers wait to be used again, and of how many octets each at most.
const SPARE: usize = 32;
const LONGEST: usize = 32 << 10;

/// Read buffers that nobody uses at the moment.
///
/// A connection has one while its octets are dealt with, and keeps it only while a message is incomplete or waits for
/// the peer to read its answers: an idle one has none.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    spare: Vec<ReadBuffer>,
}

impl Pool {
    pub(crate) fn take(&mut self) -> ReadBuffer {
        self.spare.pop().unwrap_or_default()
    }

    /// Takes back a buffer that is empty.
    pub(crate) fn give(&mut self, mut buffer: ReadBuffer) {
        if self.spare.len() < SPARE {
            buffer.clear();
            buffer.shrink(LONGEST);
            self.spare.push(buffer);
        }
    }
}

/// Has a buffer that its connection keeps hold little more than what is in it: ten thousand peers that stop amid a
/// message would otherwise hold ten thousand reads.
pub(crate) fn trim(buffer: &mut ReadBuffer) {
    if buffer.capacity() / 4 > buffer.len() {
        buffer.shrink(buffer.len());
    }
}
