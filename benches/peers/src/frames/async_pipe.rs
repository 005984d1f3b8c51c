//! A stream for a library that wants one, async or not: it reads from a source, and writes to a wire.
//!
//! It never waits but for more to read: that is how the end of a source is told. All of it is inlined, and nothing is
//! zeroed or copied that a socket would not.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::codec::KEPT;
use super::transport::{Reads, Source, Wire};

/// A message of this length, or more, is refused.
pub(crate) const LIMIT: usize = 16 << 20;

/// A library owns one, its driver the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe(Rc<RefCell<Ends>>);

#[derive(Debug)]
struct Ends {
    source: Source,
    wire: Wire,
    gate: Gate,
}

/// Is a read answered?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    Open,
    /// One more is.
    Once,
    Shut,
}

impl Default for Ends {
    fn default() -> Self {
        Self { source: Source::new(&Rc::from([]), Reads::Full), wire: Wire::default(), gate: Gate::Open }
    }
}

impl Ends {
    /// The octets of a read. None: there is nothing left, or it has to wait.
    #[inline]
    fn next(&mut self, room: usize) -> &[u8] {
        if self.gate == Gate::Shut {
            return &[];
        }
        let octets = self.source.next(room);
        if self.gate == Gate::Once && !octets.is_empty() {
            self.gate = Gate::Shut;
        }
        octets
    }
}

impl Pipe {
    /// Changes places with what is read.
    pub(crate) fn swap_source(&self, source: &mut Source) {
        mem::swap(&mut self.0.borrow_mut().source, source);
    }

    /// Changes places with where is written.
    pub(crate) fn swap_wire(&self, wire: &mut Wire) {
        mem::swap(&mut self.0.borrow_mut().wire, wire);
    }

    /// From now on, until [`Pipe::open`], a library waits after each read.
    pub(crate) fn pace(&self) {
        self.0.borrow_mut().gate = Gate::Once;
    }

    /// Lets the library read once more. False: it could have, and there was nothing left.
    pub(crate) fn go_on(&self) -> bool {
        mem::replace(&mut self.0.borrow_mut().gate, Gate::Once) == Gate::Shut
    }

    /// From now on a library reads as often as it likes.
    pub(crate) fn open(&self) {
        self.0.borrow_mut().gate = Gate::Open;
    }

    #[inline]
    fn write(&self, octets: &[u8]) -> usize {
        self.0.borrow_mut().wire.write(&[octets]);
        octets.len()
    }

    #[inline]
    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> usize {
        let wire = &mut self.0.borrow_mut().wire;
        let writes = wire.writes + 1;
        let mut len = 0;
        for slice in slices {
            wire.write(&[slice]);
            len += slice.len();
        }
        // it was one
        wire.writes = writes;
        len
    }
}

impl AsyncRead for Pipe {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let ends = &mut *self.0.borrow_mut();
        let octets = ends.next(room.remaining());
        if octets.is_empty() {
            return Poll::Pending;
        }
        room.put_slice(octets);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.write(octets)))
    }

    #[inline]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.write_vectored(slices)))
    }

    #[inline]
    fn is_write_vectored(&self) -> bool {
        true
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Read for Pipe {
    #[inline]
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let ends = &mut *self.0.borrow_mut();
        let octets = ends.next(room.len());
        if octets.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        room[..octets.len()].copy_from_slice(octets);
        Ok(octets.len())
    }
}

impl Write for Pipe {
    #[inline]
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        Ok(Self::write(self, octets))
    }

    #[inline]
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(Self::write_vectored(self, slices))
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The context of what nobody wakes.
pub(crate) fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// Polls once. `None`: it waits for more to read, and is let go of.
#[inline]
pub(crate) fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut context()) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Polls what has nothing to wait for.
#[inline]
pub(crate) fn ready<T>(poll: Poll<T>) -> T {
    match poll {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a write in memory has nothing to wait for"),
    }
}

/// The last messages that were received.
#[derive(Debug)]
pub(crate) struct Kept<T>(VecDeque<T>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(VecDeque::with_capacity(KEPT))
    }
}

impl<T> Kept<T> {
    #[inline]
    pub(crate) fn push(&mut self, message: T) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(message);
    }
}
