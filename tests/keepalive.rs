//! Deadlines as data (RFC 6455 §5.5.2, §7.1.1): time is a number that the test moves by hand.

mod common;

use core::time::Duration;

use common::{frame_to, frames_in};
use proptest::collection::vec;
use proptest::prelude::*;
use websocket_proto::wire::OpCode;
use websocket_proto::{
    Backlog, CloseCode, CloseFrame, Config, Connection, Event, Flow, Keepalive, Limits, ReadBuffer, Role, Sender,
    State, TimedOut, Timeouts,
};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Ping after 30 s, Pong within 20, Close within 10, writing within 25; nothing else.
fn timeouts() -> Timeouts {
    let mut timeouts = Timeouts::default();
    timeouts.write = secs(25);
    timeouts
}

/// A connection whose handshake was over at 0, its output, and a clock that stands still.
struct Loop {
    ws: Connection,
    keepalive: Keepalive,
    output: Vec<u8>,
    now: Duration,
}

impl Loop {
    fn new(timeouts: &Timeouts) -> Self {
        let mut keepalive = Keepalive::new(timeouts, secs(0));
        keepalive.opened(secs(0));
        let ws = common::connection(Role::Server, &Config::default());
        Self { ws, keepalive, output: Vec::new(), now: secs(0) }
    }

    fn deadline(&mut self) -> Option<Duration> {
        self.keepalive.next_deadline(self.now, &self.ws)
    }

    /// Time passes; what is due then is done.
    fn at(&mut self, now: u64) -> Result<Vec<(OpCode, Vec<u8>)>, TimedOut> {
        self.now = secs(now);
        self.output.clear();
        self.keepalive.handle_timeout(self.now, &mut self.ws, &mut self.output)?;
        Ok(frames_in(&self.output).into_iter().map(|(header, payload)| (header.opcode, payload)).collect())
    }

    /// A frame of the peer comes, as a loop takes it.
    fn comes(&mut self, now: u64, first: u8, payload: &[u8]) {
        self.now = secs(now);
        let mut input = ReadBuffer::default();
        input.extend_from_slice(&frame_to(Role::Server, first, payload));
        self.keepalive.heard(self.now);
        while let Some(event) = self.ws.receive(&mut input, &mut self.output).unwrap() {
            match event {
                Event::Pong(payload) => self.keepalive.pong(self.now, payload),
                Event::Text(_) | Event::Binary(_) => self.keepalive.active(self.now),
                _ => {}
            }
        }
    }
}

fn closed(code: u16, reason: &str) -> Vec<(OpCode, Vec<u8>)> {
    let frame = CloseFrame { code: CloseCode(code), reason };
    let (body, len) = frame.encode().unwrap();
    vec![(OpCode::Close, body[..len].to_vec())]
}

fn ping(count: u32) -> Vec<(OpCode, Vec<u8>)> {
    vec![(OpCode::Ping, count.to_be_bytes().to_vec())]
}

#[test]
fn s7_1_1_4_the_handshake_has_a_deadline() {
    // 6455-7.1.1-4, SIO-1
    assert_eq!(Keepalive::new(&Timeouts::default(), secs(5)).handshake_deadline(), Some(secs(15)));
    let mut never = Timeouts::default();
    never.handshake = Duration::MAX;
    assert_eq!(Keepalive::new(&never, secs(5)).handshake_deadline(), None);
    assert_eq!(Keepalive::new(&never, secs(5)).check_handshake(secs(1 << 40)), Ok(()));
    never.handshake = secs(0);
    assert_eq!(Keepalive::new(&never, secs(5)).handshake_deadline(), Some(secs(5)));
    let mut keepalive = Keepalive::new(&Timeouts::default(), secs(5));
    assert_eq!(keepalive.check_handshake(secs(14)), Ok(()));
    assert_eq!(keepalive.timed_out(), None);
    assert_eq!(keepalive.check_handshake(secs(15)), Err(TimedOut::Handshake));
    assert_eq!(keepalive.timed_out(), Some(TimedOut::Handshake));
}

#[test]
fn s5_5_2_a_silent_peer_is_pinged_and_one_that_answers_lives() {
    // 6455-5.5.2-4
    let mut ws = Loop::new(&timeouts());
    assert_eq!(ws.deadline(), Some(secs(30)));
    assert_eq!(ws.at(29), Ok(vec![]), "nothing is due yet");
    assert_eq!(ws.at(30), Ok(ping(1)));
    assert_eq!(ws.at(30), Ok(vec![]), "it is done");
    assert_eq!(ws.deadline(), Some(secs(50)));
    ws.comes(42, 0x8A, &1_u32.to_be_bytes());
    assert_eq!(ws.keepalive.round_trip(), Some(secs(12)));
    assert_eq!(ws.deadline(), Some(secs(72)));
    assert_eq!(ws.at(50), Ok(vec![]), "the old deadline is over");
    // whatever comes puts the Ping off
    ws.comes(70, 0x81, b"text");
    assert_eq!(ws.deadline(), Some(secs(100)));
    assert_eq!(ws.at(100), Ok(ping(2)));
    // and is as good as its Pong; that, when it comes, still tells the time
    ws.comes(103, 0x82, b"");
    assert_eq!(ws.deadline(), Some(secs(133)));
    ws.comes(104, 0x8A, &2_u32.to_be_bytes());
    assert_eq!(ws.keepalive.round_trip(), Some(secs(4)));
    assert_eq!(ws.ws.state(), State::Open);
}

#[test]
fn s5_5_3_only_the_pong_of_the_last_ping_tells_a_round_trip_time() {
    let mut ws = Loop::new(&timeouts());
    ws.comes(1, 0x8A, &0_u32.to_be_bytes());
    assert_eq!(ws.keepalive.round_trip(), None, "nobody asked");
    assert_eq!(ws.at(31), Ok(ping(1)));
    ws.comes(32, 0x8A, b"unasked");
    ws.comes(33, 0x8A, &2_u32.to_be_bytes());
    assert_eq!(ws.keepalive.round_trip(), None);
    assert_eq!(ws.at(63), Ok(ping(2)));
    ws.comes(64, 0x8A, &1_u32.to_be_bytes());
    assert_eq!(ws.keepalive.round_trip(), None, "which of the two Pings it was sent for, nobody knows");
    ws.comes(65, 0x8A, &2_u32.to_be_bytes());
    ws.comes(69, 0x8A, &2_u32.to_be_bytes());
    assert_eq!(ws.keepalive.round_trip(), Some(secs(2)), "the first one counts");
}

#[test]
fn s7_1_1_4_a_silent_peer_is_closed_and_then_dropped() {
    // 6455-7.1.1-4
    let mut ws = Loop::new(&timeouts());
    assert_eq!(ws.at(30), Ok(ping(1)));
    assert_eq!(ws.at(50), Ok(closed(1011, "no pong in time")));
    assert_eq!(ws.ws.state(), State::Closing);
    assert_eq!(ws.deadline(), Some(secs(60)));
    // nothing but the peer's Close, and the end of the stream, helps now
    ws.comes(55, 0x81, b"still there");
    assert_eq!(ws.deadline(), Some(secs(60)));
    assert_eq!(ws.at(59), Ok(vec![]));
    assert_eq!(ws.at(60), Err(TimedOut::Pong), "it is given up for the first reason of all");
    assert_eq!(ws.at(61), Err(TimedOut::Pong), "and it stays so");
    assert_eq!(ws.keepalive.timed_out(), Some(TimedOut::Pong));
    assert_eq!(ws.deadline(), Some(secs(60)));
}

#[test]
fn s7_1_1_4_every_way_to_close_has_its_deadline() {
    // 6455-7.1.1-4: ours, the peer's, a breach, the end of the stream
    let ways: [&dyn Fn(&mut Loop); 4] = [
        &|ws| ws.ws.close(CloseCode::NORMAL, "", &mut ws.output).unwrap(),
        &|ws| ws.comes(7, 0x88, b"\x03\xe8"),
        &|ws| {
            let mut input = ReadBuffer::default();
            input.extend_from_slice(b"\xFF");
            ws.ws.receive(&mut input, &mut ws.output).unwrap_err();
        },
        &|ws| {
            ws.ws.receive_eof().unwrap_err();
        },
    ];
    for way in ways {
        let mut ws = Loop::new(&timeouts());
        ws.now = secs(7);
        way(&mut ws);
        assert_eq!(ws.deadline(), Some(secs(17)), "from when it was noticed");
        assert_eq!(ws.at(16), Ok(vec![]));
        // the peer's answer does not make it longer
        if ws.ws.state() == State::Closing {
            ws.comes(16, 0x88, b"\x03\xe8");
        }
        assert_eq!(ws.deadline(), Some(secs(17)));
        assert_eq!(ws.at(17), Err(TimedOut::Close));
    }
}

#[test]
fn a_peer_that_does_not_read_is_dropped() {
    let mut ws = Loop::new(&timeouts());
    ws.keepalive.wrote(secs(1), 100, 0);
    assert_eq!(ws.deadline(), Some(secs(30)), "all was written");
    ws.keepalive.wrote(secs(2), 50, 50);
    assert_eq!(ws.deadline(), Some(secs(27)));
    ws.keepalive.wrote(secs(3), 0, 60);
    assert_eq!(ws.deadline(), Some(secs(27)), "more waits, and nothing was taken");
    ws.keepalive.wrote(secs(20), 1, 59);
    ws.comes(20, 0x81, b"it sends, at least");
    assert_eq!(ws.deadline(), Some(secs(45)));
    assert_eq!(ws.at(44), Ok(vec![]));
    assert_eq!(ws.at(45), Err(TimedOut::Write));
    // also while closing
    let mut ws = Loop::new(&timeouts());
    ws.ws.close(CloseCode::NORMAL, "", &mut ws.output).unwrap();
    ws.keepalive.wrote(secs(0), 0, 4);
    let mut long = timeouts();
    long.close = secs(1000);
    ws.keepalive = Keepalive::new(&long, secs(0));
    ws.keepalive.wrote(secs(0), 0, 4);
    assert_eq!(ws.at(25), Err(TimedOut::Write));
}

#[test]
fn idle_ends_who_sends_an_octet_a_second_and_lifetime_ends_all() {
    let mut limited = timeouts();
    limited.idle = secs(60);
    limited.lifetime = secs(3600);
    let mut ws = Loop::new(&limited);
    ws.comes(1, 0x81, b"login");
    for now in 2..61 {
        ws.keepalive.heard(secs(now)); // an octet of a frame that does not end
        assert_eq!(ws.at(now), Ok(vec![]));
    }
    assert_eq!(ws.deadline(), Some(secs(61)));
    assert_eq!(ws.at(61), Ok(closed(1001, "idle for too long")));
    assert_eq!(ws.keepalive.timed_out(), Some(TimedOut::Idle), "also if the peer answers the Close");
    assert_eq!(ws.at(71), Err(TimedOut::Idle));

    let mut ws = Loop::new(&limited);
    for now in 1..3600 {
        ws.comes(now, 0x81, b"busy");
        assert_eq!(ws.at(now), Ok(vec![]));
    }
    assert_eq!(ws.at(3600), Ok(closed(1001, "open for too long")));
    assert_eq!(ws.keepalive.timed_out(), Some(TimedOut::Lifetime));

    // both are counted from the end of the handshake
    (limited.ping, limited.lifetime) = (Duration::MAX, secs(3600));
    let mut ws = Loop::new(&limited);
    ws.keepalive = Keepalive::new(&limited, secs(0));
    ws.keepalive.opened(secs(9));
    assert_eq!(ws.at(68), Ok(vec![]));
    assert_eq!(ws.at(69), Ok(closed(1001, "idle for too long")));
    limited.idle = Duration::MAX;
    let mut ws = Loop::new(&limited);
    ws.keepalive = Keepalive::new(&limited, secs(0));
    ws.keepalive.opened(secs(9));
    assert_eq!(ws.at(3608), Ok(vec![]));
    assert_eq!(ws.at(3609), Ok(closed(1001, "open for too long")));
}

#[test]
fn what_is_never_to_happen_has_no_deadline() {
    let mut never = Timeouts::default();
    (never.ping, never.close) = (Duration::MAX, Duration::MAX);
    let mut ws = Loop::new(&never);
    assert_eq!(ws.deadline(), None);
    assert_eq!(ws.at(1 << 60), Ok(vec![]));
    ws.ws.close(CloseCode::NORMAL, "", &mut ws.output).unwrap();
    assert_eq!(ws.deadline(), None);
    assert_eq!(ws.at(1 << 61), Ok(vec![]));
}

#[test]
fn several_at_once_a_late_loop_and_timeouts_of_nothing() {
    // a loop that slept for a day does all that is due, in one call or in several, and never turns without end
    let mut limited = timeouts();
    limited.idle = secs(40);
    let mut ws = Loop::new(&limited);
    let frames = ws.at(86_400).unwrap();
    assert_eq!(frames, [ping(1), closed(1001, "idle for too long")].concat());
    let mut nothing = Timeouts::default();
    (nothing.ping, nothing.pong, nothing.close) = (secs(0), secs(0), secs(0));
    let mut ws = Loop::new(&nothing);
    assert_eq!(ws.at(0), Err(TimedOut::Pong));
    assert_eq!(ws.ws.state(), State::Closing, "a Ping and a Close are in the output all the same");
    assert_eq!(frames_in(&ws.output).len(), 2);
}

#[test]
fn amid_a_fragmented_message_a_ping_and_a_close_may_go() {
    // 6455-5.4-2
    let mut ws = Loop::new(&timeouts());
    ws.ws.begin_text("a", &mut ws.output).unwrap();
    assert_eq!(ws.at(30), Ok(ping(1)));
    assert_eq!(ws.at(50), Ok(closed(1011, "no pong in time")));
}

#[test]
fn the_half_that_sends_will_do() {
    fn next(keepalive: &mut Keepalive, sender: &Sender) -> Option<Duration> {
        keepalive.next_deadline(secs(0), sender)
    }
    let (_, mut sender) = Connection::server(&Config::default()).split();
    let mut keepalive = Keepalive::new(&timeouts(), secs(0));
    let mut output = Vec::new();
    assert_eq!(next(&mut keepalive, &sender), Some(secs(30)));
    keepalive.handle_timeout(secs(30), &mut sender, &mut output).unwrap();
    assert_eq!(output, b"\x89\x04\0\0\0\x01");
    assert!(size_of::<Keepalive>() <= 160, "{}", size_of::<Keepalive>());
}

#[test]
fn a_slow_reader_that_is_not_read_is_not_taken_for_dead() {
    // the loop does not read it while output waits; that it takes octets, now and then, is all there is of it
    let mut ws = Loop::new(&timeouts());
    for now in (20..1000).step_by(20) {
        ws.keepalive.wrote(secs(now), 1000, 100_000);
        ws.keepalive.blocked(secs(now));
        assert_eq!(ws.at(now), Ok(vec![]));
        assert_eq!(ws.deadline(), Some(secs(now + if now == 20 { 10 } else { 25 })));
    }
    // what goes at once into the buffers below tells nothing, were it in pieces
    let mut ws = Loop::new(&timeouts());
    for now in (0..30).step_by(10) {
        ws.keepalive.wrote(secs(now), 0, 2000);
        ws.keepalive.wrote(secs(now), 1000, 1000);
        ws.keepalive.wrote(secs(now), 1000, 0);
    }
    assert_eq!(ws.at(30), Ok(ping(1)));
    ws.keepalive.wrote(secs(30), 0, 6);
    ws.keepalive.wrote(secs(31), 6, 0);
    assert_eq!(ws.deadline(), Some(secs(50)), "the Ping lies in the buffers below");
    // nor what is taken at once, after all that had to wait was dropped
    ws.keepalive.blocked(secs(40));
    ws.keepalive.wrote(secs(41), 0, 0);
    ws.keepalive.wrote(secs(42), 6, 0);
    assert_eq!(ws.deadline(), Some(secs(50)));
    // a Ping that waits with all the rest is answered by the first octets that are taken
    let mut ws = Loop::new(&timeouts());
    assert_eq!(ws.at(30), Ok(ping(1)));
    ws.keepalive.blocked(secs(31));
    ws.keepalive.wrote(secs(45), 1, 5);
    assert_eq!(ws.deadline(), Some(secs(70)), "no octet is taken for 25 s");
    ws.keepalive.wrote(secs(46), 5, 0);
    assert_eq!(ws.deadline(), Some(secs(75)), "that it was blocked counts once");
}

#[test]
fn a_time_that_goes_back_counts_as_one_that_stands_still() {
    let mut ws = Loop::new(&timeouts());
    ws.keepalive.wrote(secs(10), 1, 10);
    ws.keepalive.wrote(secs(5), 1, 9);
    ws.keepalive.heard(secs(15));
    assert_eq!(ws.deadline(), Some(secs(35)), "and not at 30");
    let mut ws = Loop::new(&timeouts());
    ws.keepalive.active(secs(100));
    ws.ws.close(CloseCode::NORMAL, "", &mut ws.output).unwrap();
    ws.now = secs(50);
    assert_eq!(ws.deadline(), Some(secs(110)));
    let mut limited = timeouts();
    limited.idle = secs(20);
    let mut ws = Loop::new(&limited);
    ws.keepalive.active(secs(25));
    ws.keepalive.active(secs(3));
    ws.keepalive.heard(secs(40));
    assert_eq!(ws.deadline(), Some(secs(45)));
    // the time when octets came is that of the stream: what came before the Ping does not answer it
    let mut ws = Loop::new(&timeouts());
    assert_eq!(ws.at(30), Ok(ping(1)));
    ws.keepalive.heard(secs(29));
    assert_eq!(ws.deadline(), Some(secs(50)));
    ws.keepalive.heard(secs(30));
    assert_eq!(ws.deadline(), Some(secs(60)));
    ws.keepalive.heard(secs(1));
    assert_eq!(ws.deadline(), Some(secs(60)));
}

#[test]
fn s5_5_3_the_pong_that_was_asked_for_shows_life_whenever_it_came() {
    let mut ws = Loop::new(&timeouts());
    assert_eq!(ws.at(30), Ok(ping(1)));
    ws.keepalive.heard(secs(10)); // a clock that was set back
    ws.keepalive.pong(secs(10), &1_u32.to_be_bytes());
    assert_eq!(ws.keepalive.round_trip(), Some(secs(0)));
    assert_eq!(ws.at(50), Ok(ping(2)), "silent since 0");
    assert_eq!(ws.deadline(), Some(secs(70)));
}

#[test]
fn the_end_of_time_is_not_never() {
    for now in [Duration::MAX, Duration::from_nanos(u64::MAX), Duration::from_nanos(u64::MAX - 1)] {
        let mut ws = Loop::new(&timeouts());
        assert_eq!(ws.keepalive.handle_timeout(now, &mut ws.ws, &mut ws.output), Ok(()));
        assert_eq!(ws.output, b"\x89\x04\0\0\0\x01");
        assert_eq!(ws.keepalive.handle_timeout(now, &mut ws.ws, &mut ws.output), Ok(()));
        ws.ws.close(CloseCode::NORMAL, "", &mut ws.output).unwrap();
        assert_eq!(ws.keepalive.handle_timeout(now, &mut ws.ws, &mut ws.output), Ok(()));
        assert_eq!(Keepalive::new(&timeouts(), now).check_handshake(now), Ok(()));
    }
}

#[test]
fn silence_is_counted_from_the_end_of_the_handshake() {
    let mut ws = Loop::new(&timeouts());
    ws.keepalive = Keepalive::new(&timeouts(), secs(0));
    ws.keepalive.opened(secs(9));
    assert_eq!(ws.deadline(), Some(secs(39)));
}

#[test]
fn timeouts_may_be_changed_while_they_run() {
    let mut ws = Loop::new(&timeouts());
    let mut strict = timeouts();
    strict.ping = secs(3);
    ws.keepalive.set_timeouts(&strict);
    assert_eq!(ws.deadline(), Some(secs(3)));
}

#[test]
fn the_defaults_are_those_of_the_docs_and_fit_each_other() {
    let Timeouts { handshake, ping, pong, close, write, idle, lifetime, .. } = Timeouts::default();
    assert_eq!([handshake, ping, pong, close, write], [10, 30, 20, 10, 30].map(secs));
    assert_eq!([idle, lifetime], [Duration::MAX; 2]);
    // an echo of the longest message, behind what just did not stop the loop, is no reason to drop a peer
    let longest = usize::try_from(Limits::default().message).unwrap() + 14;
    let mut backlog = Backlog::default();
    assert_eq!(backlog.flow((64 << 10) - 1), Flow::Read);
    assert_eq!(backlog.flow((64 << 10) - 1 + longest), Flow::Pause);
    assert_eq!(backlog.flow((32 << 20) + 1), Flow::Overflow);
    assert_eq!(Backlog::default().flow(64 << 10), Flow::Pause);
}

/// What may happen to a connection.
#[derive(Clone, Copy, Debug)]
enum Step {
    Heard,
    Active,
    Pong(u32),
    Wrote(usize, usize),
    Blocked,
    Close,
    Ask,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Heard),
        Just(Step::Active),
        (0..4_u32).prop_map(Step::Pong),
        (0..2_usize, 0..2_usize).prop_map(|(written, left)| Step::Wrote(written, left)),
        Just(Step::Blocked),
        Just(Step::Close),
        Just(Step::Ask),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens, and however late or often the loop asks: before the deadline nothing is done; at it, something
    /// is; nothing is sent after a Close; and a loop that only sleeps until the deadline comes to an end.
    #[test]
    fn the_deadline_is_when_something_is_due(
        steps in vec((0..20_u64, step()), 0..40),
        limits in proptest::array::uniform6(1..30_u64),
        is_ordered in any::<bool>(),
    ) {
        let [ping, pong, close, write, idle, lifetime] = limits.map(secs);
        let mut timeouts = Timeouts::default();
        (timeouts.ping, timeouts.pong, timeouts.close, timeouts.write) = (ping, pong, close, write);
        (timeouts.idle, timeouts.lifetime) = (idle * 4, lifetime * 20);
        let (mut ws, mut latest) = (Loop::new(&timeouts), secs(0));
        for (passed, step) in steps {
            // a clock may even be set back
            let back = if is_ordered || passed < 15 { secs(0) } else { secs(2 * passed) };
            ws.now = (ws.now + secs(passed)).saturating_sub(back);
            match step {
                Step::Heard => ws.keepalive.heard(ws.now),
                Step::Active => ws.keepalive.active(ws.now),
                Step::Pong(count) => ws.keepalive.pong(ws.now, &count.to_be_bytes()),
                Step::Wrote(written, left) => ws.keepalive.wrote(ws.now, written, left),
                Step::Blocked => ws.keepalive.blocked(ws.now),
                Step::Close => {
                    let _ = ws.ws.close(CloseCode::NORMAL, "", &mut ws.output);
                }
                Step::Ask => {}
            }
            latest = latest.max(ws.now);
            let deadline = ws.deadline().unwrap();
            let (before, state) = (ws.output.len(), ws.ws.state());
            let done = ws.keepalive.handle_timeout(ws.now, &mut ws.ws, &mut ws.output);
            let is_something = done.is_err() || ws.output.len() > before;
            prop_assert_eq!(is_something, deadline <= latest);
            prop_assert!(state == State::Open || ws.output.len() == before);
            if done.is_err() {
                return Ok(());
            }
            let next = ws.deadline().unwrap();
            prop_assert!(next > latest);
        }
        ws.keepalive.wrote(ws.now, 1, 0);
        for _ in 0..3 {
            ws.now = ws.deadline().unwrap();
            let before = ws.output.len();
            if ws.keepalive.handle_timeout(ws.now, &mut ws.ws, &mut ws.output).is_err() {
                return Ok(());
            }
            prop_assert!(ws.output.len() > before);
        }
        prop_assert!(false, "a Ping, a Close, and then it is dropped");
    }
}
