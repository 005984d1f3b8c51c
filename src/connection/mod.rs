//! RFC 6455 §5 to §7: what do both directions of one open WebSocket owe each other?
//!
//! Just two things: a Ping is answered by a Pong, a Close by a Close.

mod closing;
#[cfg(feature = "deflate")]
mod compressing;
mod events;
mod owed;
mod pongs;
mod receiver;
mod sender;
mod sending;
mod watched;

use alloc::vec::Vec;

pub use closing::{CloseOutcome, Side, State};
#[cfg(feature = "deflate")]
pub use compressing::Compressing;
use events::{event, whole_binary, whole_event};
use owed::Debt;
pub use owed::Owed;
use pongs::Pongs;
pub use receiver::Receiver;
pub use sender::Sender;
pub use watched::Watched;

use crate::config::{Config, Limits, PongPolicy, Role};
use crate::error::ProtocolError;
use crate::receive::{Decoder, Event, Item, ReadBuffer};
use crate::send::{Encoder, Random};

/// An open WebSocket, without the stream that carries it.
///
/// It is made by a [`handshake`](crate::handshake), or by [`server`](Self::server), `client` and
/// [`client_with_random`](Self::client_with_random) where somebody else did that. Its methods come in three families:
///
/// * **receive**: octets from the stream go into a [`ReadBuffer`]; [`receive`](Self::receive) is called until it
///   returns `None`, and gives borrowed events ([`receive_message`](Self::receive_message) gives owned ones); the end
///   of the stream goes into [`receive_eof`](Self::receive_eof).
/// * **send**: [`send_text`](Self::send_text), [`send_binary`](Self::send_binary), [`close`](Self::close) and their kin
///   append frames to the output.
/// * **ask**: [`state`](Self::state), [`wants_read`](Self::wants_read), [`close_outcome`](Self::close_outcome).
///
/// After any of the first two, write the output to the stream, in order; then clear it. Do so also when `receive`
/// fails: the Close frame that tells the peer why is in it. When [`wants_read`](Self::wants_read) turns false and the
/// output is written, close the stream: first its sending half, so that the last octets are not lost to a reset. A
/// client does well to wait a moment for the server to close first (§7.1.1).
///
/// It owns no memory of its own while idle, but for what permessage-deflate keeps, where that was agreed: what has come
/// is in the `ReadBuffer`, what has to go is in the output.
///
/// ```
/// use websocket_proto::{Config, Connection, Event, ReadBuffer};
///
/// let mut ws = Connection::server(&Config::default());
/// let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
/// input.extend_from_slice(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
/// while let Some(event) = ws.receive(&mut input, &mut output)? {
///     assert_eq!(event, Event::Text("Hello"));
///     ws.send_text("Hello yourself", &mut output)?;
/// }
/// assert_eq!(output, b"\x81\x0eHello yourself");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    decoder: Decoder,
    sender: Sender,
    pong: PongPolicy,
    pongs: Pongs,
}

impl Connection {
    /// The server's end of a connection that is open: the HTTP/1.1 upgrade or the extended CONNECT was done by others.
    #[must_use]
    pub fn server(config: &Config) -> Self {
        Self::new(Encoder::server(), config)
    }

    /// The client's end of a connection that is open; masking keys come from the thread's CSPRNG.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn client(config: &Config) -> Self {
        Self::client_with_random(config, Random::default())
    }

    /// The client's end of a connection that is open, with a source of masking keys (§5.3).
    #[must_use]
    pub fn client_with_random(config: &Config, random: Random) -> Self {
        Self::new(Encoder::client(random), config)
    }

    fn new(encoder: Encoder, config: &Config) -> Self {
        let decoder = Decoder::new(encoder.role(), config);
        Self { decoder, sender: Sender::new(encoder), pong: config.pong, pongs: Pongs::default() }
    }

    /// Takes the next event off the input. `None`: read more, or stop if [`wants_read`](Self::wants_read) is false.
    ///
    /// A Pong or Close that answers the event is appended to `output`. Each call deals with what is there: it consumes
    /// something, or gives a chunk more of what it consumed, or returns `None`; before that, an input that is empty
    /// does not say that all has been delivered. What is appended is at most three times as long as what it consumes (a
    /// client's Pong for an empty Ping), or one Close of at most 8 octets.
    ///
    /// Once 16 KiB of Pongs wait, as far as the output's length tells, only the latest Ping is remembered (§5.5.3). Its
    /// Pong, and no more than that, comes with a later call: when there is room, or with the one that returns `None`,
    /// for which there is a little more room. So who stops receiving before `None`, as a [`Backlog`](crate::Backlog)
    /// asks for, calls this again after writing, and before reading.
    ///
    /// # Errors
    /// The rule that the peer broke. All that came before has been delivered; unless a Close had been sent before, the
    /// Close that says why is in `output`; the connection is [`State::Closed`], and whatever else comes is discarded.
    /// Octets may be left in the input: [`ReadBuffer::clear`] it before it serves another connection.
    #[inline(always)]
    pub fn receive<'i>(
        &mut self,
        input: &'i mut ReadBuffer,
        output: &mut Vec<u8>,
    ) -> Result<Option<Event<'i>>, ProtocolError> {
        if self.decoder.waits(input) {
            return Ok(None);
        }
        let Some(whole) = self.decoder.whole_message(input.unparsed()) else {
            return self.receive_by_steps(input, output);
        };
        whole_event(&whole, input, |error| self.fail(error, output))
    }

    /// Says that the stream has ended: no octet will come any more. What came before is to be received first, until
    /// [`receive`](Self::receive) returns `None`: a Close may be among it.
    ///
    /// # Errors
    /// [`ProtocolError::UnexpectedEof`] if the peer owed a Close. Nothing is appended to any output, as nobody is there
    /// to read it.
    pub fn receive_eof(&mut self) -> Result<(), ProtocolError> {
        let owed = self.wants_read();
        self.sender.eof();
        self.end();
        if owed { Err(ProtocolError::UnexpectedEof) } else { Ok(()) }
    }

    /// What the peer may make us hold.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.decoder.limits()
    }

    /// Changes what the peer may make us hold, from the next frame on: after a login, say. What a compressed message is
    /// inflated to is bound by it at once. The limits on heads are over with the handshake.
    pub fn set_limits(&mut self, limits: Limits) {
        self.decoder.set_limits(limits);
    }

    /// Which end this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.sender.role()
    }

    /// Where the connection stands in its closing handshake.
    #[must_use]
    pub fn state(&self) -> State {
        self.sender.state()
    }

    /// Whether octets from the peer still matter. When it turns false, write the output and close the stream.
    #[inline]
    #[must_use]
    pub fn wants_read(&self) -> bool {
        self.sender.state() != State::Closed
    }

    /// Octets that are missing of the data frame under way; 0 between frames. A hint for how far to read at least: it
    /// is the peer's word, so do not allocate by it.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.decoder.missing()
    }

    /// Octets of memory that the connection holds, its own size among them: what permessage-deflate keeps (on 32-bit
    /// machines, some hundred less), and a Pong that was held back. What has come is in the input, what has to go is in
    /// the output.
    #[must_use]
    #[expect(clippy::arithmetic_side_effects, reason = "all of it lies in memory, and none of it twice")]
    pub fn memory_used(&self) -> usize {
        size_of::<Self>() + self.decoder.memory_used() + self.sender.encoder.memory_used() + self.pongs.memory_used()
    }

    /// How the connection ended; `None` until it has.
    #[must_use]
    pub fn close_outcome(&self) -> Option<CloseOutcome> {
        self.sender.close_outcome()
    }

    /// The short path for who unmasks elsewhere: a binary message in one frame that has all come, and its masking key.
    pub(crate) fn whole_binary<'i>(&mut self, input: &'i mut ReadBuffer) -> Option<(&'i [u8], [u8; 4])> {
        whole_binary(&mut self.decoder, input)
    }

    /// The long path: the next item of any kind, with what it asks for done.
    fn next_item(&mut self, input: &mut ReadBuffer, output: &mut Vec<u8>) -> Result<Option<Item>, ProtocolError> {
        if !self.wants_read() {
            input.clear();
            return Ok(None);
        }
        self.pongs.release(false, &mut self.sender.encoder, output);
        let received = match self.decoder.next(input) {
            Ok(Some(item)) if item.asks() => self.answer(&item, input, output).map(|()| Some(item)),
            Ok(None) => {
                self.pongs.release(true, &mut self.sender.encoder, output);
                Ok(None)
            }
            received => received,
        };
        self.decoder.look_each_time(self.pongs.is_holding());
        received.map_err(|error| {
            input.clear();
            self.fail(error, output)
        })
    }

    #[inline(never)]
    fn receive_by_steps<'i>(
        &mut self,
        input: &'i mut ReadBuffer,
        output: &mut Vec<u8>,
    ) -> Result<Option<Event<'i>>, ProtocolError> {
        let Some(item) = self.next_item(input, output)? else { return Ok(None) };
        match event(&item, input, &mut self.decoder) {
            Ok(event) => Ok(Some(event)),
            Err(error) => Err(self.fail(error, output)),
        }
    }

    /// Gives what a Ping or a Close asks for.
    fn answer(&mut self, item: &Item, input: &mut ReadBuffer, output: &mut Vec<u8>) -> Result<(), ProtocolError> {
        match Debt::of(item, input, self.pong)? {
            None => {}
            Some(Debt::Pong(payload)) => self.pongs.answer(payload, &mut self.sender.encoder, output),
            Some(debt) => {
                self.sender.settle(Owed(debt), output);
                self.end();
            }
        }
        Ok(())
    }

    /// Ends the connection for a rule that the peer broke.
    #[cold]
    fn fail(&mut self, error: ProtocolError, output: &mut Vec<u8>) -> ProtocolError {
        self.sender.fail(error, output);
        self.end();
        error
    }

    /// Gives back what it holds for receiving, and what it would have sent.
    fn end(&mut self) {
        self.decoder.end();
        self.pongs.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::send::Random;

    #[test]
    fn what_a_loop_moves_between_threads_may_be_moved() {
        fn may_move<T: Send + Sync>() {}
        may_move::<Connection>();
        may_move::<ReadBuffer>();
        may_move::<Event<'_>>();
        may_move::<Random>();
        may_move::<Config>();
    }
}
