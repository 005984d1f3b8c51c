//! What would a stream be, in memory? Octets are read from it, and those written to it are counted.

use std::cell::RefCell;
use std::mem;
use std::rc::Rc;

/// How far a read goes at most, besides the room that it is given.
#[derive(Clone, Debug)]
pub(crate) enum Reads {
    /// As far as there is room.
    Full,
    /// To the end of the frame under way: there the octets of each frame end.
    Frames(Rc<[usize]>),
    /// So many octets.
    Each(usize),
}

/// What the peer sent.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    octets: Rc<[u8]>,
    reads: Reads,
    read: usize,
    /// Where the read under way ends at most.
    stop: usize,
    /// Which frame is under way.
    frame: usize,
}

impl Source {
    pub(crate) fn new(octets: &Rc<[u8]>, reads: Reads) -> Self {
        Self { octets: Rc::clone(octets), reads, read: 0, stop: 0, frame: 0 }.behind(0)
    }

    /// Passes over the first octets.
    pub(crate) fn behind(self, begin: usize) -> Self {
        let stop = match &self.reads {
            Reads::Full => self.octets.len(),
            Reads::Frames(ends) => ends.first().copied().unwrap_or(begin),
            Reads::Each(most) => self.octets.len().min(begin + most),
        };
        Self { read: begin, stop, ..self }
    }

    /// A read. 0: there is nothing left.
    #[inline]
    pub(crate) fn read(&mut self, room: &mut [u8]) -> usize {
        let octets = self.next(room.len());
        room[..octets.len()].copy_from_slice(octets);
        octets.len()
    }

    /// The octets of a read, for who copies them to where they belong.
    #[inline]
    pub(crate) fn next(&mut self, room: usize) -> &[u8] {
        let begin = self.read;
        self.read = self.stop.min(begin + room);
        match &self.reads {
            Reads::Each(most) => self.stop = self.octets.len().min(self.read + most),
            Reads::Frames(ends) if self.read == self.stop => {
                self.frame += 1;
                self.stop = ends.get(self.frame).copied().unwrap_or(self.stop);
            }
            Reads::Full | Reads::Frames(_) => {}
        }
        &self.octets[begin..self.read]
    }
}

thread_local! {
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Where what is written goes: it is counted, and its ends are looked at; a kernel would copy it, for all alike.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wire {
    pub(crate) writes: u64,
    pub(crate) octets: u64,
    pub(crate) sum: u64,
    keeps: Keeps,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Keeps {
    #[default]
    Nothing,
    All,
}

impl Wire {
    /// One that keeps what is written to it, until [`Wire::take`].
    pub(crate) fn keeping() -> Self {
        Self { keeps: Keeps::All, ..Self::default() }
    }

    /// What was written to the one that keeps it.
    pub(crate) fn take() -> Vec<u8> {
        WRITTEN.with_borrow_mut(mem::take)
    }

    /// A write of one or more slices.
    #[inline]
    pub(crate) fn write(&mut self, slices: &[&[u8]]) {
        self.writes += 1;
        for slice in slices {
            self.octets += slice.len() as u64;
            if let [first, .., last] = slice {
                self.sum += u64::from(*first) + u64::from(*last);
            }
        }
        if self.keeps == Keeps::All {
            WRITTEN.with_borrow_mut(|written| slices.iter().for_each(|slice| written.extend_from_slice(slice)));
        }
    }
}
