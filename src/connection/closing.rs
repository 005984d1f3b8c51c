//! RFC 6455 §1.4, §5.5.1, §7.1: how far is the closing handshake, and how did it end?
//!
//! Everything that changes [`State`] is in the table of [`Closing::step`]. What is stored are facts (who sent which
//! code); what is asked for is derived from them.

use crate::error::ProtocolError;
use crate::wire::CloseCode;

/// Where an open connection stands in its closing handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Messages may go both ways.
    Open,
    /// Our Close was sent, the peer's has not come. Messages may still arrive, none may be sent.
    Closing,
    /// Nothing more will come of it: both have sent a Close, or the connection failed, or the stream ended. What is in
    /// the output still has to be written.
    Closed,
}

/// An end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Ours.
    Local,
    /// The peer's.
    Remote,
}

/// How a connection ended (RFC 6455 §7.1.4 to §7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CloseOutcome {
    /// Both sides sent a Close and kept the rules until then.
    pub clean: bool,
    /// Who sent the first Close, ended the stream, or broke a rule.
    pub began: Side,
    /// The code in our Close: [`CloseCode::NO_STATUS`] if it had none, [`CloseCode::ABNORMAL`] if none was sent.
    pub sent: CloseCode,
    /// The code in the peer's Close: [`CloseCode::NO_STATUS`] if it had none, [`CloseCode::ABNORMAL`] if none came.
    pub received: CloseCode,
    /// The rule that the peer broke, if it did.
    pub error: Option<ProtocolError>,
}

/// The closing handshake of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closing {
    state: State,
    began: Side,
    sent: Option<CloseCode>,
    received: Option<CloseCode>,
    error: Option<ProtocolError>,
}

/// What happens to a connection; the codes are those of Close frames, 1005 for an empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The application closes.
    Close(CloseCode),
    /// The peer's Close came.
    CloseCame(CloseCode),
    /// The peer broke a rule.
    Fail(ProtocolError),
    /// The stream ended.
    Eof,
}

/// What a step asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// A Close frame has to be sent.
    SendClose,
    /// Nothing has to be sent.
    Nothing,
    /// It is too late for that.
    Refuse,
}

impl Closing {
    pub(super) const fn new() -> Self {
        Self { state: State::Open, began: Side::Local, sent: None, received: None, error: None }
    }

    /// Takes one step. At most one of all steps of a connection reacts with [`Reaction::SendClose`] (§5.5.1).
    #[allow(clippy::match_same_arms)] // a table has a row for each case
    pub(super) const fn step(&mut self, step: Step) -> Reaction {
        use Reaction::{Nothing, Refuse, SendClose};
        use State::{Closed, Closing, Open};
        let (state, reaction) = match (self.state, step) {
            (Open, Step::Close(_)) => (Closing, SendClose),
            (Open, Step::CloseCame(_) | Step::Fail(_)) => (Closed, SendClose),
            (Open | Closing, Step::Eof) => (Closed, Nothing),
            (Closing, Step::CloseCame(_) | Step::Fail(_)) => (Closed, Nothing),
            (Closing | Closed, Step::Close(_)) => (self.state, Refuse),
            (Closed, Step::CloseCame(_) | Step::Fail(_) | Step::Eof) => (Closed, Nothing),
        };
        self.note(step);
        self.state = state;
        reaction
    }

    pub(super) const fn state(&self) -> State {
        self.state
    }

    pub(super) const fn outcome(&self) -> Option<CloseOutcome> {
        if !matches!(self.state, State::Closed) {
            return None;
        }
        Some(CloseOutcome {
            clean: self.sent.is_some() && self.received.is_some() && self.error.is_none(),
            began: self.began,
            sent: or_abnormal(self.sent),
            received: or_abnormal(self.received),
            error: self.error,
        })
    }

    /// Keeps what the step says, before it changes the state.
    const fn note(&mut self, step: Step) {
        if matches!((self.state, step), (State::Open, Step::CloseCame(_) | Step::Fail(_) | Step::Eof)) {
            self.began = Side::Remote;
        }
        match (self.state, step) {
            (State::Closed, _) | (State::Closing, Step::Close(_)) => {}
            (State::Open, Step::Close(code)) => self.sent = Some(code),
            (State::Open, Step::CloseCame(code)) => {
                self.received = Some(code);
                self.sent = Some(code);
            }
            (State::Closing, Step::CloseCame(code)) => self.received = Some(code),
            (State::Open, Step::Fail(error)) => {
                self.sent = Some(error.close_code());
                self.error = Some(error);
            }
            (State::Closing, Step::Fail(error)) => self.error = Some(error),
            (State::Open | State::Closing, Step::Eof) => self.error = Some(ProtocolError::UnexpectedEof),
        }
    }
}

const fn or_abnormal(code: Option<CloseCode>) -> CloseCode {
    match code {
        Some(code) => code,
        None => CloseCode::ABNORMAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Step; 4] = [
        Step::Close(CloseCode(4001)),
        Step::CloseCame(CloseCode(4002)),
        Step::Fail(ProtocolError::FrameMasked),
        Step::Eof,
    ];

    #[test]
    fn s5_5_1_10_one_close_at_most_and_closed_is_final() {
        // 6455-5.5.1-10, SIO-6
        for first in STEPS {
            for second in STEPS {
                for third in STEPS {
                    let mut closing = Closing::new();
                    let mut sent = 0;
                    let mut outcome = None;
                    for step in [first, second, third] {
                        sent += usize::from(closing.step(step) == Reaction::SendClose);
                        assert!(outcome.is_none() || closing.outcome() == outcome, "{first:?} {second:?} {third:?}");
                        outcome = closing.outcome();
                        assert_eq!(outcome.is_some(), closing.state() == State::Closed);
                    }
                    assert_eq!(sent, usize::from(first != Step::Eof));
                }
            }
        }
    }

    #[test]
    fn s7_1_4_and_5_outcomes() {
        // 6455-7.1.4-1, 6455-7.1.5-1, 6455-7.1.5-2, 28-41
        let outcome = |steps: &[Step]| {
            let mut closing = Closing::new();
            for &step in steps {
                closing.step(step);
            }
            closing.outcome().map(|end| (end.clean, end.began, end.sent.0, end.received.0))
        };
        let [close, came, fail, eof] = STEPS;
        assert_eq!(outcome(&[close]), None);
        assert_eq!(outcome(&[close, came]), Some((true, Side::Local, 4001, 4002)));
        assert_eq!(outcome(&[came, eof]), Some((true, Side::Remote, 4002, 4002)));
        assert_eq!(outcome(&[close, eof]), Some((false, Side::Local, 4001, 1006)));
        assert_eq!(outcome(&[eof]), Some((false, Side::Remote, 1006, 1006)));
        assert_eq!(outcome(&[fail, came]), Some((false, Side::Remote, 1002, 1006)));
        assert_eq!(outcome(&[close, fail]), Some((false, Side::Local, 4001, 1006)));
        let error = |steps: [Step; 2]| {
            let mut closing = Closing::new();
            for step in steps {
                closing.step(step);
            }
            closing.outcome().and_then(|end| end.error)
        };
        assert_eq!(error([close, fail]), Some(ProtocolError::FrameMasked));
        assert_eq!(error([close, eof]), Some(ProtocolError::UnexpectedEof));
        assert_eq!(error([came, eof]), None);
    }
}
