//! A peer's transport, in memory: what it reads is there, and what it writes is taken.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::mem;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// One read gives at most so many octets.
pub(crate) const READ: usize = 16 << 10;

/// All connections of a library have the same: one of them is driven at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe(Rc<RefCell<Ends>>);

#[derive(Debug, Default)]
struct Ends {
    input: Rc<[u8]>,
    read: usize,
    written: Vec<u8>,
}

impl Pipe {
    /// What will be read.
    pub(crate) fn fill(&self, input: &Rc<[u8]>) {
        let mut ends = self.0.borrow_mut();
        ends.input = Rc::clone(input);
        ends.read = 0;
    }

    /// Changes the place of what is written.
    pub(crate) fn swap(&self, written: &mut Vec<u8>) {
        mem::swap(&mut self.0.borrow_mut().written, written);
    }

    pub(crate) fn read(&self, room: &mut [u8]) -> usize {
        let mut ends = self.0.borrow_mut();
        let rest = &ends.input[ends.read..];
        let len = rest.len().min(room.len()).min(READ);
        room[..len].copy_from_slice(&rest[..len]);
        ends.read += len;
        len
    }

    pub(crate) fn write(&self, octets: &[u8]) {
        self.0.borrow_mut().written.extend_from_slice(octets);
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut ends = self.0.borrow_mut();
        let rest = &ends.input[ends.read..];
        let len = rest.len().min(room.remaining()).min(READ);
        if len == 0 {
            return Poll::Pending;
        }
        room.put_slice(&rest[..len]);
        ends.read += len;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.write(octets);
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut len = 0;
        for slice in slices {
            self.write(slice);
            len += slice.len();
        }
        Poll::Ready(Ok(len))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Runs what has nothing to wait for.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("in memory, there is nothing to wait for"),
    }
}
