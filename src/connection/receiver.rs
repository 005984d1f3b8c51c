//! RFC 6455 §5.5, §6.2: the half of a connection that receives, and leaves to the other what is to be sent for it.

use super::events::{event, whole_binary, whole_event};
use super::owed::{Debt, Owed};
use super::{Connection, Sender};
use crate::config::{Limits, PongPolicy, Role};
use crate::error::ProtocolError;
use crate::receive::{Decoder, Event, Item, ReadBuffer};

/// The half of a [`Connection`] that receives; see [`Connection::split`].
#[derive(Debug)]
pub struct Receiver {
    decoder: Decoder,
    role: Role,
    pong: PongPolicy,
    owed: Option<Owed>,
    /// No octet of the peer matters any more.
    is_over: bool,
}

impl Connection {
    /// Splits the connection for two threads or tasks: one receives, the other sends, and they share no lock. What the
    /// first owes the peer, it hands over as a small value:
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, ReadBuffer, State};
    ///
    /// let (mut receiver, mut sender) = Connection::server(&Config::default()).split();
    /// // bounded: while the one cannot write, the other waits, and does not read
    /// let (to_sender, from_receiver) = std::sync::mpsc::sync_channel(4);
    ///
    /// // one thread reads; here a Ping and a Close came
    /// let mut input = ReadBuffer::default();
    /// input.extend_from_slice(b"\x89\x81\0\0\0\0!\x88\x82\0\0\0\0\x03\xe8");
    /// loop {
    ///     let received = receiver.receive(&mut input);
    ///     let goes_on = matches!(received, Ok(Some(_))); // an event, for you
    ///     if let Some(owed) = receiver.take_owed() {
    ///         to_sender.send(owed)?; // also on failure: it is the Close that says why
    ///     }
    ///     if !goes_on {
    ///         break; // read more, if `receiver.wants_read()`
    ///     }
    /// }
    ///
    /// // the other writes
    /// let mut output = Vec::new();
    /// while sender.state() == State::Open {
    ///     sender.settle(from_receiver.recv()?, &mut output);
    /// }
    /// assert_eq!(output, b"\x8a\x01!\x88\x02\x03\xe8");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Both halves are plain values: a task that is cancelled between two calls has lost nothing. What is owed stays
    /// with the receiver until it is [taken](Receiver::take_owed), and may be [given back](Receiver::give_back). Only
    /// the latest is kept: a Ping takes the place of an earlier one (§5.5.3), a Close that of a Ping. So where the
    /// channel is bounded, and the sending side takes from it only while its output has room (see
    /// [`Backlog`](crate::Backlog)), a peer that sends Pings and reads nothing fills no memory:
    ///
    /// * a thread waits for a place on the channel, and does not read meanwhile;
    /// * a task reserves a place, where [`owes`](Receiver::owes) says so, and takes what is owed only then, without an
    ///   await between; if it is cancelled before, nothing was taken;
    /// * who cannot wait tries to send, gives back what does not fit, and goes on.
    ///
    /// The receiver goes on after the sender has sent a Close, until the peer's has come; the sender's
    /// [`close_outcome`](Sender::close_outcome) is that of the connection.
    #[must_use]
    pub fn split(mut self) -> (Receiver, Sender) {
        self.decoder.look_each_time(false);
        let receiver = Receiver {
            is_over: !self.wants_read(),
            owed: self.pongs.take().map(|payload| Owed(Debt::Pong(payload))),
            decoder: self.decoder,
            role: self.sender.role(),
            pong: self.pong,
        };
        (receiver, self.sender)
    }
}

impl Receiver {
    /// Takes the next event off the input, as [`Connection::receive`]; what it asks for is then
    /// [owed](Self::take_owed).
    ///
    /// # Errors
    /// The rule that the peer broke; the Close that says so is owed. Whatever else comes is discarded.
    #[inline]
    pub fn receive<'i>(&mut self, input: &'i mut ReadBuffer) -> Result<Option<Event<'i>>, ProtocolError> {
        if self.decoder.waits(input) {
            return Ok(None);
        }
        let Some(whole) = self.decoder.whole_message(input.unparsed()) else {
            return self.receive_by_steps(input);
        };
        whole_event(&whole, input, |error| self.fail(error))
    }

    /// Says that the stream has ended, as [`Connection::receive_eof`]; that is owed to the other half, too.
    ///
    /// # Errors
    /// [`ProtocolError::UnexpectedEof`] if the peer owed a Close.
    pub fn receive_eof(&mut self) -> Result<(), ProtocolError> {
        if self.is_over {
            return Ok(());
        }
        self.end(Debt::Eof);
        Err(ProtocolError::UnexpectedEof)
    }

    /// Takes what is owed to the peer since it was last taken, for the other half to [`settle`](Sender::settle). Ask
    /// after each `receive`, also after one that failed, and after [`receive_eof`](Self::receive_eof).
    pub fn take_owed(&mut self) -> Option<Owed> {
        self.owed.take()
    }

    /// Gives back what was taken and could not be handed over; something newer that is owed by now stays instead.
    pub fn give_back(&mut self, owed: Owed) {
        self.owed.get_or_insert(owed);
    }

    /// Whether [`take_owed`](Self::take_owed) has something to give.
    #[must_use]
    pub fn owes(&self) -> bool {
        self.owed.is_some()
    }

    /// Whether octets from the peer still matter: its Close has not come, it has broken no rule, the stream goes on.
    #[must_use]
    pub fn wants_read(&self) -> bool {
        !self.is_over
    }

    /// As [`Connection::limits`].
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.decoder.limits()
    }

    /// As [`Connection::set_limits`].
    pub fn set_limits(&mut self, limits: Limits) {
        self.decoder.set_limits(limits);
    }

    /// Which end this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// As [`Connection::missing`].
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.decoder.missing()
    }

    /// Octets of memory that it holds, its own size among them.
    #[must_use]
    #[expect(clippy::arithmetic_side_effects, reason = "all of it lies in memory, and none of it twice")]
    pub fn memory_used(&self) -> usize {
        size_of::<Self>() + self.decoder.memory_used()
    }

    /// The short path for who unmasks elsewhere.
    pub(crate) fn whole_binary<'i>(&mut self, input: &'i mut ReadBuffer) -> Option<(&'i [u8], [u8; 4])> {
        whole_binary(&mut self.decoder, input)
    }

    #[inline(never)]
    fn receive_by_steps<'i>(&mut self, input: &'i mut ReadBuffer) -> Result<Option<Event<'i>>, ProtocolError> {
        let Some(item) = self.next_item(input)? else { return Ok(None) };
        match event(&item, input, &mut self.decoder) {
            Ok(event) => Ok(Some(event)),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// The next item of any kind, with what it asks for owed.
    fn next_item(&mut self, input: &mut ReadBuffer) -> Result<Option<Item>, ProtocolError> {
        if self.is_over {
            input.clear();
            return Ok(None);
        }
        let received = match self.decoder.next(input) {
            Ok(Some(item)) if item.asks() => self.owe(&item, input).map(|()| Some(item)),
            received => received,
        };
        received.map_err(|error| {
            input.clear();
            self.fail(error)
        })
    }

    /// Notes what an item asks for.
    fn owe(&mut self, item: &Item, input: &mut ReadBuffer) -> Result<(), ProtocolError> {
        match Debt::of(item, input, self.pong)? {
            None => {}
            Some(debt @ Debt::Pong(_)) => self.owed = Some(Owed(debt)),
            Some(debt) => self.end(debt),
        }
        Ok(())
    }

    #[cold]
    fn fail(&mut self, error: ProtocolError) -> ProtocolError {
        self.end(Debt::Fail(error));
        error
    }

    /// Nothing more is to be received.
    fn end(&mut self, debt: Debt) {
        self.owed = Some(Owed(debt));
        self.is_over = true;
        self.decoder.end();
    }
}
