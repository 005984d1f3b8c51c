//! What is still to be written to one peer?

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::iter;

use bytes::Bytes;

/// Pieces that one `writev` takes.
const PIECES: usize = 16;

/// Frames that wait to be written, and large payloads between them, which are not copied.
///
/// ```text
/// |  queue: frames, payload, frames, payload ..  |  frames  |
/// |  written  |                 len                         |
/// ```
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Octets of all pieces in the queue.
    queued: usize,
    queue: VecDeque<Bytes>,
    /// The last piece: what the connection appends to.
    pub(crate) frames: Vec<u8>,
    /// Octets of the first piece that are written already.
    written: usize,
}

impl Outbox {
    /// Octets that are not written yet.
    pub(crate) fn len(&self) -> usize {
        self.queued + self.frames.len() - self.written
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets of memory held.
    pub(crate) fn memory(&self) -> usize {
        self.queued + self.frames.capacity()
    }

    /// Has the frames of a peer that is behind hold little more than what is in them.
    pub(crate) fn trim(&mut self) {
        if self.frames.capacity() / 4 > self.frames.len() {
            self.frames.shrink_to_fit();
        }
    }

    /// A payload, to be written behind the frames that were appended last.
    pub(crate) fn push(&mut self, payload: Bytes) {
        // they are few, and their memory is used again
        let frames = Bytes::copy_from_slice(&self.frames);
        self.frames.clear();
        for piece in [frames, payload] {
            self.queued += piece.len();
            self.queue.push_back(piece);
        }
    }

    /// Writes once, as much as there is and fits.
    pub(crate) fn write_to(&mut self, stream: &mut impl Write) -> io::Result<usize> {
        let written = if self.queue.is_empty() {
            stream.write(&self.frames[self.written..])?
        } else {
            let mut slices = [IoSlice::new(&[]); PIECES];
            let pieces = self.queue.iter().map(|piece| &piece[..]).chain(iter::once(&self.frames[..]));
            for (slice, piece) in slices.iter_mut().zip(pieces) {
                *slice = IoSlice::new(piece);
            }
            let mut slices = &mut slices[..];
            IoSlice::advance_slices(&mut slices, self.written);
            stream.write_vectored(slices)?
        };
        match written {
            0 => Err(io::ErrorKind::WriteZero.into()),
            _ => Ok(self.advance(written)),
        }
    }

    fn advance(&mut self, len: usize) -> usize {
        self.written += len;
        while let Some(piece) = self.queue.pop_front_if(|piece| piece.len() <= self.written) {
            self.written -= piece.len();
            self.queued -= piece.len();
        }
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
            // a peer that is always a little behind must not make it grow
            if self.written >= self.frames.len() / 2 {
                self.frames.drain(..self.written);
                self.written = 0;
            }
        }
        len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many octets of each write.
    struct Slow(usize, Vec<u8>);

    impl Write for Slow {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let len = octets.len().min(self.0);
            self.1.extend_from_slice(&octets[..len]);
            Ok(len)
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let octets: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
            self.write(&octets)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn all_is_written_in_order_however_little_is_taken() {
        for each in 1..40 {
            let (mut stream, mut outbox) = (Slow(each, Vec::new()), Outbox::default());
            let mut all = Vec::new();
            for round in 0..60_u8 {
                outbox.frames.extend_from_slice(&[round; 3]);
                all.extend_from_slice(&[round; 3]);
                if round % 3 == 0 {
                    outbox.push(Bytes::from(vec![round; 20]));
                    all.extend_from_slice(&[round; 20]);
                }
                let before = outbox.len();
                let written = outbox.write_to(&mut stream).unwrap();
                assert_eq!(outbox.len(), before - written);
                if outbox.is_empty() {
                    outbox.frames = Vec::new();
                    assert_eq!(outbox.memory(), 0);
                }
            }
            while !outbox.is_empty() {
                outbox.write_to(&mut stream).unwrap();
            }
            assert_eq!(stream.1, all);
        }
    }

    #[test]
    fn a_peer_that_is_always_behind_does_not_make_it_grow() {
        let (mut stream, mut outbox) = (Slow(10, Vec::new()), Outbox::default());
        outbox.frames.extend_from_slice(&[0; 50]);
        for _ in 0..10_000 {
            outbox.frames.extend_from_slice(&[0; 10]);
            outbox.write_to(&mut stream).unwrap();
        }
        assert_eq!(outbox.len(), 50);
        assert!(outbox.memory() < 1000);
    }
}
