//! What to do when a peer does not read as fast as it is written to?

/// How much output may wait for one peer to read it, and what follows: from the first mark on, read no more of that
/// peer, until half of it has been written; beyond the second, drop the connection.
///
/// Output grows by what you send, and by what the peer has you send. To stop reading bounds the second: answers,
/// echoes, Pongs. It does not bound what others send to that peer (a broadcast); that is what the second mark is for.
///
/// Ask between events, as one read may hold many; what is left stays in the [`ReadBuffer`](crate::ReadBuffer). After
/// writing, ask again and go on receiving, before you read and before you wait: there may be nothing to wait for.
///
/// ```
/// # use std::io::{self, Write};
/// use websocket_proto::{Backlog, Connection, Event, Flow, ReadBuffer};
///
/// /// Receives and answers as long as the peer keeps up. `Flow::Read`: all is done, the loop may read more.
/// fn turn(
///     ws: &mut Connection, input: &mut ReadBuffer, output: &mut Vec<u8>, backlog: &mut Backlog,
/// ) -> Result<Flow, Box<dyn std::error::Error>> {
///     loop {
///         match backlog.flow(output.len()) {
///             Flow::Read => {}
///             // wait until the stream takes more, write, drain the output, and call this again
///             // (or, on `Overflow`, drop the stream: what waits will not be read)
///             full => return Ok(full),
///         }
///         match ws.receive(input, output)? {
///             Some(Event::Binary(data)) => ws.send_binary(data, output)?,
///             Some(_) => {}
///             None => return Ok(Flow::Read),
///         }
///     }
/// }
///
/// let mut ws = Connection::server(&Default::default());
/// let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
/// for _ in 0..3 {
///     input.extend_from_slice(b"\x82\x84\0\0\0\0echo");
/// }
/// let mut backlog = Backlog::new(8, 100);
/// assert_eq!(turn(&mut ws, &mut input, &mut output, &mut backlog)?, Flow::Pause);
/// assert_eq!(output.len(), 2 * 6);
/// output.drain(..7); // so much could be written
/// assert_eq!(turn(&mut ws, &mut input, &mut output, &mut backlog)?, Flow::Pause);
/// output.drain(..1);
/// assert_eq!(turn(&mut ws, &mut input, &mut output, &mut backlog)?, Flow::Pause);
/// assert_eq!(output.len(), 4 + 6); // the third echo
/// output.drain(..);
/// assert_eq!(turn(&mut ws, &mut input, &mut output, &mut backlog)?, Flow::Read);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    pause: usize,
    most: usize,
    is_paused: bool,
}

/// What the output that waits lets a loop do with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum Flow {
    /// Receive and read.
    Read,
    /// Neither receive nor read, until more is written.
    Pause,
    /// The peer is too slow for what others send it: drop the connection. A Close would wait behind all the rest.
    Overflow,
}

impl Backlog {
    /// Octets from which on the peer is not read, and above which it is given up. One message of your own must fit in
    /// between: `most` is not less than `pause`, whatever you say.
    #[must_use]
    pub const fn new(pause: usize, most: usize) -> Self {
        Self { pause, most: if most < pause { pause } else { most }, is_paused: false }
    }

    /// What to do while so many octets are not written.
    pub const fn flow(&mut self, unwritten: usize) -> Flow {
        self.is_paused = match self.is_paused {
            true => unwritten > self.pause / 2,
            false => unwritten >= self.pause && unwritten > 0,
        };
        match self.is_paused {
            _ if unwritten > self.most => Flow::Overflow,
            true => Flow::Pause,
            false => Flow::Read,
        }
    }
}

impl Default for Backlog {
    /// 64 KiB and 16 MiB.
    fn default() -> Self {
        Self::new(64 << 10, 16 << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_stops_at_the_mark_and_goes_on_at_half_of_it() {
        use Flow::{Overflow, Pause, Read};
        let mut backlog = Backlog::new(100, 300);
        let flows = [0, 99, 100, 99, 51, 50, 99, 100, 300, 301, 300, 0].map(|unwritten| backlog.flow(unwritten));
        assert_eq!(flows, [Read, Read, Pause, Pause, Pause, Read, Read, Pause, Pause, Overflow, Pause, Read]);
    }

    #[test]
    fn whatever_the_marks_are_a_loop_goes_on_once_all_is_written() {
        for pause in [0, 1, 2, usize::MAX] {
            for most in [0, 1, 2, usize::MAX] {
                let mut backlog = Backlog::new(pause, most);
                assert_ne!(backlog.flow(pause.max(most)), Flow::Overflow, "{pause} {most}");
                assert_eq!(backlog.flow(0), Flow::Read, "{pause} {most}");
            }
        }
    }
}
