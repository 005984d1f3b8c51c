//! What is asked of a library whose framing is measured?

use super::transport::{Source, Wire};

/// A library.
pub(crate) trait Library {
    fn name(&self) -> &'static str;

    fn standing(&self) -> Standing {
        Standing::Peer
    }

    fn delivery(&self) -> Delivery {
        Delivery::Messages
    }

    /// One end of an open connection without extensions.
    fn open(&self, role: Role) -> Box<dyn Codec>;
}

/// One end of an open connection.
///
/// Each method goes through all of its traffic in a loop of its own, so that for a message nothing but the library is
/// called. `None`: the library cannot do that.
pub(crate) trait Codec {
    /// Receives all of the source, and lets go of each message once it is counted.
    fn receive(&mut self, source: &mut Source) -> Option<Tally>;

    /// Receives all of the source as messages that are owned, of which the last [`KEPT`] are held.
    fn receive_kept(&mut self, source: &mut Source) -> Option<Tally>;

    /// Sends each payload as a binary message. With [`Flush::Each`] each is written by itself, as a vector if the
    /// library can; with [`Flush::Batch`] many are encoded first, and then written.
    fn send(&mut self, payloads: &mut Payloads, flush: Flush, wire: &mut Wire) -> Option<()>;

    /// Sends each binary message of the source back, and writes once for each read.
    fn echo(&mut self, source: &mut Source, wire: &mut Wire) -> Option<Tally>;

    /// Gives back what an idle connection can do without, as far as the library lets an application say so.
    fn idle(&mut self) {}
}

/// A read is of so many octets, where the library leaves it to the application.
pub(crate) const READ: usize = 16 << 10;

/// A batch is written when it has come to so many octets.
pub(crate) const BATCH: usize = 16 << 10;

/// From so many octets on, a payload in a batch that need not be masked is a slice of its own, where the library lets
/// the application have its header.
pub(crate) const LARGE: usize = 4 << 10;

/// How many messages an application holds that keeps them.
pub(crate) const KEPT: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Server,
    Client,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// This crate.
    Ours,
    /// Someone else's.
    Peer,
    /// Written by hand, without a check. Nobody can be much below it.
    Floor,
}

/// What is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// A message in one piece.
    Messages,
    /// Its octets, as they come: a long message is never whole in one place, nor leaves the nearest cache.
    Pieces,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    Each,
    Batch,
}

/// What is sent: all of one length, in the form that a library takes without a copy.
#[derive(Debug)]
pub(crate) struct Payloads {
    pub(crate) octets: Vec<Vec<u8>>,
    pub(crate) shared: Vec<bytes::Bytes>,
}

/// What was received. Each message is looked at: its first and last octet have to be there, unmasked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) messages: u64,
    pub(crate) octets: u64,
    pub(crate) sum: u64,
}

impl Tally {
    #[inline]
    pub(crate) fn add(&mut self, payload: &[u8]) {
        self.messages += 1;
        self.octets += payload.len() as u64;
        if let [first, .., last] = payload {
            self.sum += u64::from(*first) + u64::from(*last);
        }
    }
}

/// What was received in pieces.
#[derive(Default)]
pub(crate) struct Pieces {
    pub(crate) tally: Tally,
    /// The last octet of the message under way.
    last: Option<u8>,
}

impl Pieces {
    #[inline]
    pub(crate) fn add(&mut self, piece: &[u8]) {
        self.tally.octets += piece.len() as u64;
        if let [first, ..] = piece
            && self.last.is_none()
        {
            self.tally.sum += u64::from(*first);
        }
        self.last = piece.last().copied().or(self.last);
    }

    #[inline]
    pub(crate) fn end(&mut self) {
        self.tally.messages += 1;
        self.tally.sum += u64::from(self.last.take().unwrap_or(0));
    }
}
