//! The tables that an endpoint is held against: RFC 6455 §5.4, §5.5 and §7, and what they leave open as
//! `src/choices.md` decides it. They know nothing of the code in `src`; of its types, only those that a program sees.
//!
//! An endpoint is a machine: in a state, for an input, it gives something, puts something out, and is in the next
//! state. Its state has four parts, each with a table of its own, which the others do not touch.

use std::cell::Cell;

use websocket_proto::{CloseCode, Delivery, ProtocolError, Role, SendError, Side, State, TimedOut};

use crate::common::frame_from;

/// All that may happen to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    Send(Call),
    Receive(Frame),
    /// The stream ends.
    Eof,
    /// The time comes that was asked for.
    Deadline,
}

/// What the application may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    Text,
    Binary,
    /// The header of a binary message, whose payload is sent by others.
    Header,
    BeginText,
    BeginBinary,
    ContinueText,
    ContinueBinary,
    FinishText,
    FinishBinary,
    Ping,
    Pong,
    Close,
    CloseWithoutCode,
}

/// What may come from the peer; `End` is FIN=1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Frame {
    Text,
    Binary,
    BeginText,
    /// The first frame of a binary message, without payload.
    BeginBinary,
    Continue,
    ContinueEmpty,
    End,
    EndEmpty,
    /// A text message in one frame, which is not UTF-8.
    NotText,
    Ping,
    Pong,
    Close,
    CloseWithoutCode,
    /// A Close whose body is one octet.
    CloseTooShort,
    /// Of an opcode that is reserved.
    Reserved,
}

/// What goes over the wire for a call: the first octet of the frame, and its payload.
#[rustfmt::skip]
pub const fn sent(call: Call) -> (u8, &'static [u8]) {
    match call {
        Call::Text             => (0x81, b"s"), // §5.6
        Call::Binary           => (0x82, b"t"),
        Call::Header           => (0x82, b"u"),
        Call::BeginText        => (0x01, b"v"), // §5.4
        Call::BeginBinary      => (0x02, b""),
        Call::ContinueText     => (0x00, b"w"),
        Call::ContinueBinary   => (0x00, b"x"),
        Call::FinishText       => (0x80, b""),
        Call::FinishBinary     => (0x80, b"y"),
        Call::Ping             => (0x89, b"!"), // §5.5.2
        Call::Pong             => (0x8A, b"?"), // §5.5.3
        Call::Close            => (0x88, b"\x03\xE8bye"), // §5.5.1: 1000
        Call::CloseWithoutCode => (0x88, b""),
    }
}

/// What comes over the wire as a frame: its first octet, and its payload. A piece of data has one octet, or none, so
/// that it is one piece however the stream is cut.
#[rustfmt::skip]
pub const fn come(frame: Frame) -> (u8, &'static [u8]) {
    match frame {
        Frame::Text             => (0x81, b"a"), // §5.6
        Frame::Binary           => (0x82, b"b"),
        Frame::BeginText        => (0x01, b"c"), // §5.4
        Frame::BeginBinary      => (0x02, b""),
        Frame::Continue         => (0x00, b"d"),
        Frame::ContinueEmpty    => (0x00, b""),
        Frame::End              => (0x80, b"e"),
        Frame::EndEmpty         => (0x80, b""),
        Frame::NotText          => (0x81, b"\xFF"), // §8.1
        Frame::Ping             => (0x89, b"p"), // §5.5.2
        Frame::Pong             => (0x8A, b"q"), // §5.5.3
        Frame::Close            => (0x88, b"\x0F\xA1gone"), // §5.5.1: 4001
        Frame::CloseWithoutCode => (0x88, b""),
        Frame::CloseTooShort    => (0x88, b"\x03"),
        Frame::Reserved         => (0x83, b""), // §5.2
    }
}

/// How far the closing handshake is, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Open,
    /// Our Close was sent.
    Closing,
    /// The peer's Close came, and was answered.
    Answered,
    /// Our Close was sent, then the peer's came.
    Agreed,
    /// The peer broke a rule, and was told so.
    Failed,
    /// The peer broke a rule after our Close was sent.
    FailedLate,
    /// The stream ended.
    Cut,
    /// The stream ended after our Close was sent.
    CutLate,
}

/// Which message is under way, in one of the directions (§5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    Idle,
    Text,
    Binary,
}

/// What is waited for, and by when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Watch {
    /// Something, from the peer.
    Quiet,
    /// The same, after a Ping.
    Asked,
    /// The stream's end.
    Ending,
    /// Nothing any more.
    GaveUp,
}

/// What a row of the first table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    SendData,
    SendPing,
    SendPong,
    SendClose,
    Data,
    Ping,
    Pong,
    Close,
    Bad,
    Eof,
}

/// The next phase.
#[derive(Clone, Copy, Debug)]
enum Next {
    Same,
    To(Phase),
}

/// What the caller gets, by the first table.
#[derive(Clone, Copy, Debug)]
enum Caller {
    /// `Ok`: it is done.
    Done,
    /// [`SendError::Closed`].
    Refused,
    /// What came, as an event.
    Delivered,
    /// The rule that was broken.
    Error,
    /// Nothing: what came is dropped.
    Discarded,
}

/// What goes out, by the first table.
#[derive(Clone, Copy, Debug)]
enum Out {
    Nothing,
    /// The frame of the call.
    Itself,
    /// A Pong with the Ping's payload.
    Pong,
    /// A Close with the code that came.
    Echo,
    /// A Close with the code of the error.
    Why,
}

/// A part of the state, an input, and what they come to; beside it, the sections that say so.
#[derive(Debug)]
struct Row<S, I, T> {
    state: S,
    input: I,
    then: T,
    sections: &'static str,
    /// How often it was looked up.
    used: Cell<u64>,
}

macro_rules! rows {
    ($($state:ident | $input:ident => $($then:expr),+ ; $sections:literal)+) => {
        vec![$(Row { state: $state, input: $input, then: ($($then),+), sections: $sections, used: Cell::new(0) }),+]
    };
}

type ClosingRow = Row<State, Kind, (Next, Caller, Out)>;

/// The closing handshake: what is allowed, delivered and answered. What is data and what is bad is for the other tables
/// to say.
#[rustfmt::skip]
fn closing() -> Vec<ClosingRow> {
    use Caller::{Delivered, Discarded, Done, Error, Refused};
    use Kind::{Bad, Close, Data, Eof, Ping, Pong, SendClose, SendData, SendPing, SendPong};
    use Next::{Same, To};
    use Out::{Echo, Itself, Nothing, Why};
    use Phase::{Agreed, Answered, Cut, CutLate, Failed, FailedLate};
    use State::{Closed, Closing, Open};
    rows! {
        // state | input      => phase,              caller,    output;       RFC 6455
        Open     | SendData   => Same,               Done,      Itself;       "6.1"
        Open     | SendPing   => Same,               Done,      Itself;       "5.5.2"
        Open     | SendPong   => Same,               Done,      Itself;       "5.5.3"
        Open     | SendClose  => To(Phase::Closing), Done,      Itself;       "7.1.2, 7.1.3"
        Open     | Data       => Same,               Delivered, Nothing;      "6.2"
        Open     | Ping       => Same,               Delivered, Out::Pong;    "5.5.2, 5.5.3"
        Open     | Pong       => Same,               Delivered, Nothing;      "5.5.3"
        Open     | Close      => To(Answered),       Delivered, Echo;         "5.5.1, 7.1.3"
        Open     | Bad        => To(Failed),         Error,     Why;          "7.1.7"
        Open     | Eof        => To(Cut),            Error,     Nothing;      "7.1.5, 7.2.1"

        Closing  | SendData   => Same,               Refused,   Nothing;      "5.5.1"
        Closing  | SendPing   => Same,               Refused,   Nothing;      "5.5.2 allows it; choice 2"
        Closing  | SendPong   => Same,               Done,      Itself;       "5.5.2, 5.5.3; choice 2"
        Closing  | SendClose  => Same,               Refused,   Nothing;      "5.5.1"
        Closing  | Data       => Same,               Delivered, Nothing;      "1.4, 5.5.1; choice 3"
        Closing  | Ping       => Same,               Delivered, Out::Pong;    "5.5.2, 5.5.3; choice 2"
        Closing  | Pong       => Same,               Delivered, Nothing;      "5.5.3"
        Closing  | Close      => To(Agreed),         Delivered, Nothing;      "5.5.1, 7.1.1"
        Closing  | Bad        => To(FailedLate),     Error,     Nothing;      "7.1.7, 5.5.1"
        Closing  | Eof        => To(CutLate),        Error,     Nothing;      "7.1.5, 7.2.1"

        Closed   | SendData   => Same,               Refused,   Nothing;      "5.5.1"
        Closed   | SendPing   => Same,               Refused,   Nothing;      "5.5.2"
        Closed   | SendPong   => Same,               Refused,   Nothing;      "5.5.2, 5.5.3"
        Closed   | SendClose  => Same,               Refused,   Nothing;      "5.5.1"
        Closed   | Data       => Same,               Discarded, Nothing;      "1.4, 7.1.7"
        Closed   | Ping       => Same,               Discarded, Nothing;      "1.4, 5.5.2, 7.1.7"
        Closed   | Pong       => Same,               Discarded, Nothing;      "1.4, 7.1.7"
        Closed   | Close      => Same,               Discarded, Nothing;      "1.4, 7.1.5: the first one counts; 7.1.7"
        Closed   | Bad        => Same,               Discarded, Nothing;      "1.4, 7.1.7; choice 4"
        Closed   | Eof        => Same,               Done,      Nothing;      "7.1.4"
    }
}

/// How a connection ended: clean or not, who began, the code that was sent, the one that came, what was broken.
pub type Outcome = (bool, Side, u16, u16, Option<ProtocolError>);

/// What a program is told of a phase. `ours` and `theirs` are the codes of the Closes, `rule` what was broken.
#[rustfmt::skip]
fn told(phase: Phase, ours: u16, theirs: u16, rule: Option<ProtocolError>) -> (State, Option<Outcome>) {
    use Side::{Local, Remote};
    const NONE: u16 = 1006; // §7.1.5
    let eof = Some(ProtocolError::UnexpectedEof);
    match phase {
        //                     state                 clean, began,  sent, received, error    RFC 6455
        Phase::Open       => (State::Open,    None),
        Phase::Closing    => (State::Closing, None),                                        // 7.1.3
        Phase::Answered   => (State::Closed,  Some((true,  Remote, ours, theirs,   None))), // 7.1.4, 7.1.5
        Phase::Agreed     => (State::Closed,  Some((true,  Local,  ours, theirs,   None))), // 7.1.4, 7.1.5
        Phase::Failed     => (State::Closed,  Some((false, Remote, ours, NONE,     rule))), // 7.1.5, 7.1.7
        Phase::FailedLate => (State::Closed,  Some((false, Local,  ours, NONE,     rule))), // 7.1.5, 7.1.7
        Phase::Cut        => (State::Closed,  Some((false, Remote, NONE, NONE,     eof))),  // 7.1.4, 7.1.5
        Phase::CutLate    => (State::Closed,  Some((false, Local,  ours, NONE,     eof))),  // 7.1.4, 7.1.5
    }
}

/// What is known of a code when a rule was broken (§7.4.1).
fn code(error: ProtocolError) -> u16 {
    use ProtocolError::{CloseBodyTooShort, InvalidUtf8, MessageInterleaved, NothingToContinue, ReservedOpCode};
    match error {
        ReservedOpCode | NothingToContinue | MessageInterleaved | CloseBodyTooShort => 1002,
        InvalidUtf8 => 1007,
        _ => panic!("not an error of the tables: {error:?}"),
    }
}

/// What a data frame comes to, by the second table.
#[derive(Clone, Copy, Debug)]
enum Take {
    /// It is a message.
    Whole,
    /// It begins one, with its payload.
    First,
    /// Its payload belongs to the message under way.
    More,
    /// It ends the message under way, with its payload.
    Last,
    /// It is not for this table.
    Control,
    /// It breaks a rule.
    Break(ProtocolError),
}

type ReceivingRow = Row<Message, Frame, (Message, Take)>;

/// The message that comes in fragments. What a broken rule does is in the first table.
#[rustfmt::skip]
fn receiving() -> Vec<ReceivingRow> {
    #[allow(clippy::enum_glob_use)] // they are the columns
    use Frame::*;
    use Message::Idle;
    use ProtocolError::{CloseBodyTooShort, InvalidUtf8, MessageInterleaved, NothingToContinue, ReservedOpCode};
    use Take::{Break, Control, First, Last, More, Whole};
    const TEXT: Message = Message::Text;
    const BINARY: Message = Message::Binary;
    rows! {
        // under way | frame        => then,   it is;                         RFC 6455
        Idle   | Text               => Idle,   Whole;                         "5.4, 5.6"
        Idle   | Binary             => Idle,   Whole;                         "5.4, 5.6"
        Idle   | BeginText          => TEXT,   First;                         "5.4"
        Idle   | BeginBinary        => BINARY, First;                         "5.4"
        Idle   | Continue           => Idle,   Break(NothingToContinue);      "5.4"
        Idle   | ContinueEmpty      => Idle,   Break(NothingToContinue);      "5.4"
        Idle   | End                => Idle,   Break(NothingToContinue);      "5.4"
        Idle   | EndEmpty           => Idle,   Break(NothingToContinue);      "5.4"
        Idle   | NotText            => Idle,   Break(InvalidUtf8);            "8.1"
        Idle   | Ping               => Idle,   Control;                       "5.5"
        Idle   | Pong               => Idle,   Control;                       "5.5"
        Idle   | Close              => Idle,   Control;                       "5.5"
        Idle   | CloseWithoutCode   => Idle,   Control;                       "5.5"
        Idle   | CloseTooShort      => Idle,   Break(CloseBodyTooShort);      "5.5.1"
        Idle   | Reserved           => Idle,   Break(ReservedOpCode);         "5.2"

        TEXT   | Text               => TEXT,   Break(MessageInterleaved);     "5.4"
        TEXT   | Binary             => TEXT,   Break(MessageInterleaved);     "5.4"
        TEXT   | BeginText          => TEXT,   Break(MessageInterleaved);     "5.4"
        TEXT   | BeginBinary        => TEXT,   Break(MessageInterleaved);     "5.4"
        TEXT   | Continue           => TEXT,   More;                          "5.4"
        TEXT   | ContinueEmpty      => TEXT,   More;                          "5.4"
        TEXT   | End                => Idle,   Last;                          "5.4"
        TEXT   | EndEmpty           => Idle,   Last;                          "5.4"
        TEXT   | NotText            => TEXT,   Break(MessageInterleaved);     "5.4: the header comes first"
        TEXT   | Ping               => TEXT,   Control;                       "5.4, 5.5"
        TEXT   | Pong               => TEXT,   Control;                       "5.4, 5.5"
        TEXT   | Close              => TEXT,   Control;                       "5.4, 5.5.1; choice 5"
        TEXT   | CloseWithoutCode   => TEXT,   Control;                       "5.4, 5.5.1; choice 5"
        TEXT   | CloseTooShort      => TEXT,   Break(CloseBodyTooShort);      "5.5.1"
        TEXT   | Reserved           => TEXT,   Break(ReservedOpCode);         "5.2"

        BINARY | Text               => BINARY, Break(MessageInterleaved);     "5.4"
        BINARY | Binary             => BINARY, Break(MessageInterleaved);     "5.4"
        BINARY | BeginText          => BINARY, Break(MessageInterleaved);     "5.4"
        BINARY | BeginBinary        => BINARY, Break(MessageInterleaved);     "5.4"
        BINARY | Continue           => BINARY, More;                          "5.4"
        BINARY | ContinueEmpty      => BINARY, More;                          "5.4"
        BINARY | End                => Idle,   Last;                          "5.4"
        BINARY | EndEmpty           => Idle,   Last;                          "5.4"
        BINARY | NotText            => BINARY, Break(MessageInterleaved);     "5.4: the header comes first"
        BINARY | Ping               => BINARY, Control;                       "5.4, 5.5"
        BINARY | Pong               => BINARY, Control;                       "5.4, 5.5"
        BINARY | Close              => BINARY, Control;                       "5.4, 5.5.1; choice 5"
        BINARY | CloseWithoutCode   => BINARY, Control;                       "5.4, 5.5.1; choice 5"
        BINARY | CloseTooShort      => BINARY, Break(CloseBodyTooShort);      "5.5.1"
        BINARY | Reserved           => BINARY, Break(ReservedOpCode);         "5.2"
    }
}

type SendingRow = Row<Message, Call, (Message, Result<(), SendError>)>;

/// The message that is sent in fragments, while that is allowed by the first table.
#[rustfmt::skip]
fn sending() -> Vec<SendingRow> {
    #[allow(clippy::enum_glob_use)] // they are the columns
    use Call::*;
    use Message::Idle;
    const TEXT: Message = Message::Text;
    const BINARY: Message = Message::Binary;
    const GOES: Result<(), SendError> = Ok(());
    const FINISH_FIRST: Result<(), SendError> = Err(SendError::MessageUnfinished);
    const BEGIN_FIRST: Result<(), SendError> = Err(SendError::NothingToContinue);
    rows! {
        // under way | call         => then,   it;            RFC 6455
        Idle   | Text               => Idle,   GOES;          "5.4, 6.1"
        Idle   | Binary             => Idle,   GOES;          "5.4, 6.1"
        Idle   | Header             => Idle,   GOES;          "5.4, 6.1"
        Idle   | BeginText          => TEXT,   GOES;          "5.4, 6.1"
        Idle   | BeginBinary        => BINARY, GOES;          "5.4, 6.1"
        Idle   | ContinueText       => Idle,   BEGIN_FIRST;   "5.4"
        Idle   | ContinueBinary     => Idle,   BEGIN_FIRST;   "5.4"
        Idle   | FinishText         => Idle,   BEGIN_FIRST;   "5.4"
        Idle   | FinishBinary       => Idle,   BEGIN_FIRST;   "5.4"
        Idle   | Ping               => Idle,   GOES;          "5.5.2"
        Idle   | Pong               => Idle,   GOES;          "5.5.3"
        Idle   | Close              => Idle,   GOES;          "5.5.1"
        Idle   | CloseWithoutCode   => Idle,   GOES;          "5.5.1"

        TEXT   | Text               => TEXT,   FINISH_FIRST;  "5.4"
        TEXT   | Binary             => TEXT,   FINISH_FIRST;  "5.4"
        TEXT   | Header             => TEXT,   FINISH_FIRST;  "5.4"
        TEXT   | BeginText          => TEXT,   FINISH_FIRST;  "5.4"
        TEXT   | BeginBinary        => TEXT,   FINISH_FIRST;  "5.4"
        TEXT   | ContinueText       => TEXT,   GOES;          "5.4"
        TEXT   | ContinueBinary     => TEXT,   BEGIN_FIRST;   "5.4: the type is that of the first frame"
        TEXT   | FinishText         => Idle,   GOES;          "5.4"
        TEXT   | FinishBinary       => TEXT,   BEGIN_FIRST;   "5.4: the type is that of the first frame"
        TEXT   | Ping               => TEXT,   GOES;          "5.4, 5.5"
        TEXT   | Pong               => TEXT,   GOES;          "5.4, 5.5"
        TEXT   | Close              => TEXT,   GOES;          "5.4, 5.5.1: then, nothing more of it"
        TEXT   | CloseWithoutCode   => TEXT,   GOES;          "5.4, 5.5.1: then, nothing more of it"

        BINARY | Text               => BINARY, FINISH_FIRST;  "5.4"
        BINARY | Binary             => BINARY, FINISH_FIRST;  "5.4"
        BINARY | Header             => BINARY, FINISH_FIRST;  "5.4"
        BINARY | BeginText          => BINARY, FINISH_FIRST;  "5.4"
        BINARY | BeginBinary        => BINARY, FINISH_FIRST;  "5.4"
        BINARY | ContinueText       => BINARY, BEGIN_FIRST;   "5.4: the type is that of the first frame"
        BINARY | ContinueBinary     => BINARY, GOES;          "5.4"
        BINARY | FinishText         => BINARY, BEGIN_FIRST;   "5.4: the type is that of the first frame"
        BINARY | FinishBinary       => Idle,   GOES;          "5.4"
        BINARY | Ping               => BINARY, GOES;          "5.4, 5.5"
        BINARY | Pong               => BINARY, GOES;          "5.4, 5.5"
        BINARY | Close              => BINARY, GOES;          "5.4, 5.5.1: then, nothing more of it"
        BINARY | CloseWithoutCode   => BINARY, GOES;          "5.4, 5.5.1: then, nothing more of it"
    }
}

/// What is done when the time has come.
#[derive(Clone, Copy, Debug)]
enum Due {
    /// A Ping goes out.
    Ping,
    /// A Close with 1011 goes out.
    Close,
    /// The stream is given up; for a Ping that was not answered, if that is why it was closed.
    GiveUp,
}

/// Deadlines, of which the RFC wants only that there are some for the closing handshake. Whatever comes while it is
/// open makes it quiet again; once it is not open, it is ending.
#[rustfmt::skip]
#[allow(clippy::match_same_arms)] // a table has a row for each case
const fn due(watch: Watch) -> (Due, Watch) {
    match watch {
        //                 what is done, then                RFC 6455
        Watch::Quiet  => (Due::Ping,     Watch::Asked),   // 5.5.2: a keepalive
        Watch::Asked  => (Due::Close,    Watch::Ending),  // 7.3, 7.4.1: 1011
        Watch::Ending => (Due::GiveUp,   Watch::GaveUp),  // 7.1.1: after a reasonable time period
        Watch::GaveUp => (Due::GiveUp,   Watch::GaveUp),
    }
}

/// How many seconds are left: those of `Timeouts::default()`.
#[rustfmt::skip]
const fn seconds(watch: Watch) -> u64 {
    match watch {
        Watch::Quiet  => 30,
        Watch::Asked  => 20,
        Watch::Ending => 10,
        Watch::GaveUp =>  0,
    }
}

/// All that a program sees of one input, and of where the endpoint is then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub gives: Gives,
    /// The payload of the event, or the reason of the peer's Close.
    pub payload: Vec<u8>,
    pub output: Vec<u8>,
    /// Octets held in the read buffer after a frame.
    pub held: usize,
    pub state: State,
    pub wants_read: bool,
    pub outcome: Option<Outcome>,
    /// Seconds to the next deadline.
    pub deadline: u64,
    pub timed_out: Option<TimedOut>,
}

/// What the caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    Done,
    Refused(SendError),
    /// No event.
    Nothing,
    Text,
    Binary,
    TextChunk {
        first: bool,
        last: bool,
    },
    BinaryChunk {
        first: bool,
        last: bool,
    },
    Ping,
    Pong,
    Close(Option<CloseCode>),
    Error(ProtocolError),
    TimedOut(TimedOut),
    /// More than one frame can give.
    TooMuch,
}

impl Seen {
    pub fn new() -> Self {
        Self {
            gives: Gives::Done,
            payload: Vec::new(),
            output: Vec::new(),
            held: 0,
            state: State::Open,
            wants_read: true,
            outcome: None,
            deadline: 0,
            timed_out: None,
        }
    }
}

/// Where an endpoint is, by the tables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    pub phase: Phase,
    pub incoming: Message,
    pub outgoing: Message,
    pub watch: Watch,
    /// The code of our Close, once it was sent.
    ours: u16,
    /// The code of the peer's, once it came.
    theirs: u16,
    rule: Option<ProtocolError>,
    timed_out: Option<TimedOut>,
    /// Nothing of the message that comes has been delivered.
    is_first: bool,
    /// What is not delivered yet of the message that comes.
    content: Vec<u8>,
    /// Pings that a deadline has sent.
    pings: u32,
}

impl Position {
    /// Where a connection begins that has been opened.
    pub fn start() -> Self {
        Self {
            phase: Phase::Open,
            incoming: Message::Idle,
            outgoing: Message::Idle,
            watch: Watch::Quiet,
            ours: 0,
            theirs: 0,
            rule: None,
            timed_out: None,
            is_first: true,
            content: Vec::new(),
            pings: 0,
        }
    }

    /// The same without what only grows: how many Pings were sent, and how many octets came after the first.
    pub fn bounded(&self) -> Self {
        let mut bounded = self.clone();
        bounded.pings = 0;
        bounded.content.truncate(1);
        bounded
    }
}

/// The machine that the tables describe.
#[derive(Debug)]
pub struct Spec {
    tables: Tables,
    delivery: Delivery,
    role: Role,
    pub at: Position,
}

/// The tables, to be looked up, and what goes over the wire.
#[derive(Debug)]
struct Tables {
    closing: Vec<ClosingRow>,
    receiving: Vec<ReceivingRow>,
    sending: Vec<SendingRow>,
    /// The frame of each call.
    calls: Vec<Vec<u8>>,
    pong: Vec<u8>,
    /// Those that have been asked for: the code, and the frame.
    closes: Vec<(u16, Vec<u8>)>,
    /// The sections beside the row that was looked up last.
    because: Cell<&'static str>,
}

pub const CALLS: [Call; 13] = [
    Call::Text,
    Call::Binary,
    Call::Header,
    Call::BeginText,
    Call::BeginBinary,
    Call::ContinueText,
    Call::ContinueBinary,
    Call::FinishText,
    Call::FinishBinary,
    Call::Ping,
    Call::Pong,
    Call::Close,
    Call::CloseWithoutCode,
];

pub const FRAMES: [Frame; 15] = [
    Frame::Text,
    Frame::Binary,
    Frame::BeginText,
    Frame::BeginBinary,
    Frame::Continue,
    Frame::ContinueEmpty,
    Frame::End,
    Frame::EndEmpty,
    Frame::NotText,
    Frame::Ping,
    Frame::Pong,
    Frame::Close,
    Frame::CloseWithoutCode,
    Frame::CloseTooShort,
    Frame::Reserved,
];

const STATES: [State; 3] = [State::Open, State::Closing, State::Closed];

const MESSAGES: [Message; 3] = [Message::Idle, Message::Text, Message::Binary];

const KINDS: [Kind; 10] = [
    Kind::SendData,
    Kind::SendPing,
    Kind::SendPong,
    Kind::SendClose,
    Kind::Data,
    Kind::Ping,
    Kind::Pong,
    Kind::Close,
    Kind::Bad,
    Kind::Eof,
];

/// Brings a table into the order in which it is looked up, and sees to it that it has one row for each case.
fn ordered<S: Copy + PartialEq, I: Copy + PartialEq, T>(
    mut rows: Vec<Row<S, I, T>>,
    states: &[S],
    inputs: &[I],
) -> Vec<Row<S, I, T>> {
    let mut ordered = Vec::new();
    for state in states {
        for input in inputs {
            let at =
                rows.iter().position(|row| (row.state, row.input) == (*state, *input)).expect("a row for each case");
            ordered.push(rows.swap_remove(at));
        }
    }
    assert!(rows.is_empty(), "a case has two rows");
    ordered
}

impl Tables {
    fn new(role: Role) -> Self {
        Self {
            closing: ordered(closing(), &STATES, &KINDS),
            receiving: ordered(receiving(), &MESSAGES, &FRAMES),
            sending: ordered(sending(), &MESSAGES, &CALLS),
            calls: CALLS.iter().map(|call| frame_from(role, sent(*call).0, sent(*call).1)).collect(),
            pong: frame_from(role, 0x8A, come(Frame::Ping).1),
            closes: [1002, 1007, 4001].map(|code: u16| (code, frame_from(role, 0x88, &code.to_be_bytes()))).to_vec(),
            because: Cell::new(""),
        }
    }

    fn closing(&self, state: State, kind: Kind) -> (Next, Caller, Out) {
        self.look_up(&self.closing[state as usize * KINDS.len() + kind as usize])
    }

    fn receiving(&self, message: Message, frame: Frame) -> (Message, Take) {
        self.look_up(&self.receiving[message as usize * FRAMES.len() + frame as usize])
    }

    fn sending(&self, message: Message, call: Call) -> (Message, Result<(), SendError>) {
        self.look_up(&self.sending[message as usize * CALLS.len() + call as usize])
    }

    fn look_up<S, I, T: Copy>(&self, row: &Row<S, I, T>) -> T {
        row.used.set(row.used.get() + 1);
        self.because.set(row.sections);
        row.then
    }
}

impl Spec {
    pub fn new(role: Role, delivery: Delivery) -> Self {
        Self { tables: Tables::new(role), delivery, role, at: Position::start() }
    }

    /// Nothing more can come of it.
    pub fn has_ended(&self) -> bool {
        self.state() == State::Closed
    }

    fn state(&self) -> State {
        match self.at.phase {
            Phase::Open => State::Open,
            Phase::Closing => State::Closing,
            _ => State::Closed,
        }
    }

    /// Does what the tables say, and what is to be seen of it.
    pub fn step(&mut self, input: Input, seen: &mut Seen) {
        seen.payload.clear();
        seen.output.clear();
        seen.gives = match input {
            Input::Send(call) => self.send(call, &mut seen.output),
            Input::Receive(frame) => self.receive(frame, seen),
            Input::Eof => self.eof(),
            Input::Deadline => self.deadline(&mut seen.output),
        };
        let is_open = self.at.phase == Phase::Open;
        self.at.watch = match (self.at.watch, input) {
            (Watch::Quiet | Watch::Asked, _) if !is_open => Watch::Ending,
            (Watch::Asked, Input::Receive(_)) => Watch::Quiet,
            (watch, _) => watch,
        };
        // a whole message is held until it ends; whatever is left of a connection that is over is not
        let is_held = matches!(input, Input::Receive(_)) && self.delivery == Delivery::Whole && !self.has_ended();
        seen.held = if is_held { self.at.content.len() } else { 0 };
        (seen.state, seen.outcome) = told(self.at.phase, self.at.ours, self.at.theirs, self.at.rule);
        seen.wants_read = seen.state != State::Closed;
        seen.deadline = seconds(self.at.watch);
        seen.timed_out = self.at.timed_out;
    }

    fn send(&mut self, call: Call, output: &mut Vec<u8>) -> Gives {
        let kind = match call {
            Call::Ping => Kind::SendPing,
            Call::Pong => Kind::SendPong,
            Call::Close | Call::CloseWithoutCode => Kind::SendClose,
            _ => Kind::SendData,
        };
        let (next, caller, out) = self.tables.closing(self.state(), kind);
        if let Caller::Refused = caller {
            return Gives::Refused(SendError::Closed);
        }
        let (outgoing, goes) = self.tables.sending(self.at.outgoing, call);
        if let Err(error) = goes {
            return Gives::Refused(error);
        }
        self.at.outgoing = outgoing;
        if kind == Kind::SendClose {
            self.at.ours = close_code(sent(call).1);
        }
        if let Out::Itself = out {
            output.extend_from_slice(&self.tables.calls[call as usize]);
        }
        self.go(next);
        Gives::Done
    }

    fn receive(&mut self, frame: Frame, seen: &mut Seen) -> Gives {
        let (incoming, take) = match self.has_ended() {
            true => (self.at.incoming, Take::Control),
            false => self.tables.receiving(self.at.incoming, frame),
        };
        let kind = match (take, frame) {
            (Take::Break(_), _) | (_, Frame::Reserved | Frame::NotText | Frame::CloseTooShort) => Kind::Bad,
            (_, Frame::Ping) => Kind::Ping,
            (_, Frame::Pong) => Kind::Pong,
            (_, Frame::Close | Frame::CloseWithoutCode) => Kind::Close,
            _ => Kind::Data,
        };
        let (next, caller, out) = self.tables.closing(self.state(), kind);
        let payload = come(frame).1;
        let gives = match (caller, take) {
            (Caller::Discarded, _) => return Gives::Nothing,
            (Caller::Error, Take::Break(error)) => {
                self.at.rule = Some(error);
                Gives::Error(error)
            }
            (Caller::Delivered, Take::Control) => self.control(frame, &mut seen.payload),
            (Caller::Delivered, _) => self.data(frame, incoming, take, &mut seen.payload),
            other => panic!("the tables do not fit: {other:?}"),
        };
        self.at.incoming = incoming;
        match out {
            Out::Nothing => {}
            Out::Pong => seen.output.extend_from_slice(&self.tables.pong),
            Out::Echo => {
                self.at.ours = close_code(payload);
                self.put_close(self.at.ours, &mut seen.output);
            }
            Out::Why => {
                self.at.ours = code(self.at.rule.expect("that was broken"));
                self.put_close(self.at.ours, &mut seen.output);
            }
            Out::Itself => panic!("nobody called"),
        }
        self.go(next);
        gives
    }

    fn control(&mut self, frame: Frame, payload: &mut Vec<u8>) -> Gives {
        let body = come(frame).1;
        match frame {
            Frame::Ping | Frame::Pong => {
                payload.extend_from_slice(body);
                if frame == Frame::Ping { Gives::Ping } else { Gives::Pong }
            }
            _ => {
                self.at.theirs = close_code(body);
                payload.extend_from_slice(body.get(2..).unwrap_or_default());
                Gives::Close((!body.is_empty()).then_some(CloseCode(self.at.theirs)))
            }
        }
    }

    /// Delivers a message when it ends, or a piece unless it is empty amid the message.
    fn data(&mut self, frame: Frame, then: Message, take: Take, payload: &mut Vec<u8>) -> Gives {
        let (begins, ends) = match take {
            Take::Whole => (true, true),
            Take::First => (true, false),
            Take::More => (false, false),
            Take::Last => (false, true),
            Take::Control | Take::Break(_) => panic!("no data"),
        };
        let is_text = match (begins, self.at.incoming, then) {
            (true, _, Message::Text) | (false, Message::Text, _) => true,
            (true, _, Message::Idle) => frame == Frame::Text,
            _ => false,
        };
        self.at.content.extend_from_slice(come(frame).1);
        let first = begins || self.at.is_first;
        if !ends && (self.delivery == Delivery::Whole || self.at.content.is_empty()) {
            self.at.is_first = first;
            return Gives::Nothing;
        }
        self.at.is_first = ends;
        payload.append(&mut self.at.content);
        match (self.delivery, is_text) {
            (Delivery::Whole, true) => Gives::Text,
            (Delivery::Whole, false) => Gives::Binary,
            (_, true) => Gives::TextChunk { first, last: ends },
            (_, false) => Gives::BinaryChunk { first, last: ends },
        }
    }

    fn eof(&mut self) -> Gives {
        let (next, caller, _) = self.tables.closing(self.state(), Kind::Eof);
        self.go(next);
        match caller {
            Caller::Error => Gives::Error(ProtocolError::UnexpectedEof),
            _ => Gives::Done,
        }
    }

    fn deadline(&mut self, output: &mut Vec<u8>) -> Gives {
        let (due, watch) = due(self.at.watch);
        self.at.watch = watch;
        match due {
            Due::Ping => {
                self.at.pings += 1;
                output.extend(frame_from(self.role, 0x89, &self.at.pings.to_be_bytes()));
                Gives::Done
            }
            Due::Close => {
                self.at.timed_out = Some(TimedOut::Pong);
                self.at.ours = 1011;
                output.extend(frame_from(self.role, 0x88, b"\x03\xF3no pong in time"));
                self.at.phase = Phase::Closing;
                Gives::Done
            }
            Due::GiveUp => Gives::TimedOut(*self.at.timed_out.get_or_insert(TimedOut::Close)),
        }
    }

    fn put_close(&self, code: u16, output: &mut Vec<u8>) {
        match self.tables.closes.iter().find(|close| close.0 == code) {
            Some((_, frame)) => output.extend_from_slice(frame),
            None => output.extend_from_slice(&self.tables.calls[Call::CloseWithoutCode as usize]),
        }
    }

    fn go(&mut self, next: Next) {
        if let Next::To(phase) = next {
            self.at.phase = phase;
        }
        if self.has_ended() {
            self.at.content.clear(); // a part of a message is not delivered
        }
    }

    /// The sections of RFC 6455 that say what the last step had to come to.
    pub fn because(&self) -> &'static str {
        self.tables.because.get()
    }

    /// The rows that were not looked up.
    pub fn unused_rows(&self) -> Vec<String> {
        let Tables { closing, receiving, sending, .. } = &self.tables;
        let mut unused = Vec::new();
        unused.extend(closing.iter().filter(|row| row.used.get() == 0).map(|row| format!("{row:?}")));
        unused.extend(receiving.iter().filter(|row| row.used.get() == 0).map(|row| format!("{row:?}")));
        unused.extend(sending.iter().filter(|row| row.used.get() == 0).map(|row| format!("{row:?}")));
        unused
    }
}

/// The code in the body of a Close (§5.5.1); 1005 if there is none (§7.1.5).
fn close_code(body: &[u8]) -> u16 {
    match body {
        [high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => 1005,
    }
}
