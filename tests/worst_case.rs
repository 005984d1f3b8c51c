//! The worst-case memory of one connection: the formula of `SECURITY.md` against an allocator that counts, under every
//! limit. What is measured is never more than the formula, and what is worst at least half of it.

#[path = "worst_case/allocator.rs"]
mod allocator;
mod common;
#[path = "worst_case/formula.rs"]
mod formula;
#[cfg(feature = "deflate")]
#[path = "worst_case/inflating.rs"]
mod inflating;

use allocator::{live, peak_of};
use common::{ROLES, connection, fixed_random, frame_to};
use formula::{Settings, WorstCase, open, opening, worst_case};
use proptest::prelude::*;
use websocket_proto::handshake::{Answer, ClientRequest, ServerHandshake, Uri, accept_value};
use websocket_proto::wire::extension::MOST_ENTRIES;
use websocket_proto::{Config, Connection, Delivery, HandshakeError, ProtocolError, ReadBuffer, Role};

/// A connection that is read from as the settings say.
struct End {
    ws: Connection,
    input: ReadBuffer,
    output: Vec<u8>,
    read: usize,
    is_owned: bool,
}

impl End {
    fn new(role: Role, settings: &Settings) -> Self {
        Self::with(connection(role, &settings.config), ReadBuffer::default(), settings)
    }

    fn with(ws: Connection, input: ReadBuffer, settings: &Settings) -> Self {
        Self { ws, input, output: Vec::new(), read: settings.read, is_owned: settings.is_owned }
    }

    /// Receives these octets, in reads that are full but for the last; then nothing more can be received.
    fn feed(&mut self, octets: &[u8]) -> Result<(), ProtocolError> {
        for octets in octets.chunks(self.read) {
            self.input.spare(self.read)[..octets.len()].copy_from_slice(octets);
            self.input.filled(octets.len());
            while self.receive()? {}
        }
        Ok(())
    }

    /// One stream after another, each of which keeps the rules and ends in a read of its own.
    fn feed_all(&mut self, streams: &[Vec<u8>]) {
        for octets in streams {
            self.feed(octets).unwrap();
        }
    }

    /// The same in reads that the buffer says the room for.
    fn feed_by_room(&mut self, streams: &[Vec<u8>]) {
        for octets in streams {
            let mut octets = &octets[..];
            while !octets.is_empty() {
                let room = self.input.room(self.read);
                let len = room.len().min(octets.len());
                let (read, rest) = octets.split_at(len);
                room[..len].copy_from_slice(read);
                octets = rest;
                self.input.filled(len);
                while self.receive().unwrap() {}
            }
        }
    }

    /// Whether something came.
    fn receive(&mut self) -> Result<bool, ProtocolError> {
        match self.is_owned {
            true => Ok(self.ws.receive_message(&mut self.input, &mut self.output)?.is_some()),
            false => Ok(self.ws.receive(&mut self.input, &mut self.output)?.is_some()),
        }
    }
}

fn settings(message: u64, read: usize, delivery: Delivery, is_owned: bool) -> Settings {
    let mut config = Config::default();
    config.limits.message = message;
    config.limits.frame = message;
    config.limits.head = 2000;
    config.delivery = delivery;
    Settings { config, read, is_owned }
}

/// Both deliveries, both doors, with messages longer and shorter than a read.
fn all_settings() -> Vec<Settings> {
    let mut all = Vec::new();
    for (message, read) in [(20_000, 200), (14_000, 1000), (1000, 4096), (0, 100), (131, 1)] {
        for delivery in [Delivery::Whole, Delivery::Chunks] {
            for is_owned in [false, true] {
                all.push(settings(message, read, delivery, is_owned));
            }
        }
    }
    all
}

fn message_limit(settings: &Settings) -> usize {
    usize::try_from(settings.config.limits.message).unwrap()
}

/// That this takes no more than the formula says, and, where it is the worst, no less than half of that.
#[track_caller]
fn assert_within(peak: usize, formula: usize, what: &str) {
    assert!(peak <= formula, "{what}: {peak} octets, by the formula {formula}");
}

#[track_caller]
fn assert_worst(peak: usize, formula: usize, what: &str) {
    assert_within(peak, formula, what);
    assert!(2 * peak >= formula, "{what}: the formula says {formula}, the worst that was found is {peak}");
}

/// A message of text in fragments of so many octets.
fn fragmented(role: Role, len: usize, fragment: usize) -> Vec<u8> {
    let mut octets = frame_to(role, 0x01, b"");
    vec![b'a'; len].chunks(fragment.max(1)).for_each(|piece| octets.extend(frame_to(role, 0x00, piece)));
    octets.extend(frame_to(role, 0x80, b""));
    octets
}

/// What has the input take as much as it can: messages that begin ever further behind, with as much in front of them as
/// they are long at last; and memory that has to double just before they end. How far behind is best depends on how
/// reads and headers fall, which `margin` stands for.
fn staircase(role: Role, settings: &Settings, margin: usize) -> Vec<Vec<u8>> {
    let (message, read) = (message_limit(settings), settings.read);
    let last = fragmented(role, message, message / 8 + 1);
    let (mut streams, mut most) = (Vec::new(), 0_usize);
    for _ in 0..6 {
        // where less is in front of it than has come of it when there is no room for a read, and nothing moves
        let begin = (most / 2).saturating_sub(margin).min(message);
        streams.push([frame_to(role, 0x81, &vec![b'a'; begin]), last.clone()].concat());
        most = streams[streams.len() - 1].len().next_multiple_of(read);
    }
    // before all, a frame whose end the memory grows to exactly; from there it doubles
    let first = (most / 2).saturating_sub(margin).min(message);
    streams.insert(0, frame_to(role, 0x81, &vec![b'a'; first]));
    streams
}

/// Pongs that nobody asked for, cut by the ends of reads.
fn pongs(role: Role, settings: &Settings) -> Vec<u8> {
    frame_to(role, 0x8A, &[b'p'; 125]).repeat(5 + 3 * settings.read / 127)
}

/// Pings whose Pongs are not read; the first such that the memory for these doubles just before the last.
fn pings(role: Role) -> Vec<u8> {
    [frame_to(role, 0x89, &[b'p'; 110]), frame_to(role, 0x89, &[b'p'; 125]).repeat(150)].concat()
}

/// The most that these streams make a connection hold, one after another, in reads of either kind.
fn peak_with(role: Role, settings: &Settings, streams: &[Vec<u8>]) -> usize {
    let by_spare = peak_of(|| End::new(role, settings).feed_all(streams));
    by_spare.max(peak_of(|| End::new(role, settings).feed_by_room(streams)))
}

#[test]
fn what_has_come_takes_what_the_formula_says() {
    for role in ROLES {
        for settings in all_settings() {
            let worst = open(&settings);
            let formula = worst.input + worst.moving.min(worst.input / 2);
            let mut most = 0;
            for margin in [100, settings.read / 2 + 100, 2 * settings.read] {
                let mut streams = staircase(role, &settings, margin);
                streams.push(pongs(role, &settings));
                most = most.max(peak_with(role, &settings, &streams));
            }
            assert_within(most, formula, &format!("{role:?} {settings:?}"));
            // where all is as short as a control frame, the formula is not exact
            if settings.read >= 1000
                || (settings.config.delivery == Delivery::Whole && message_limit(&settings) >= 1000)
            {
                assert_worst(most, formula, &format!("{role:?} {settings:?}"));
            }
        }
    }
}

#[test]
fn frames_that_are_half_as_long_again_as_there_is_memory_take_no_more_each_time() {
    // each is announced in a read of its own: `room` sees how long it is, and that it would nearly fit
    for role in ROLES {
        for is_owned in [false, true] {
            let mut settings = settings(16 << 20, 4096, Delivery::Chunks, is_owned);
            settings.config.limits.fragments = u32::MAX;
            let mut end = End::new(role, &settings);
            end.feed(&frame_to(role, 0x02, &[7; 4000])).unwrap();
            for _ in 0..20 {
                let len = (end.input.capacity() - 14) * 3 / 2;
                let frame = frame_to(role, 0x00, &vec![7; len]);
                let (header, payload) = frame.split_at(frame.len() - len);
                end.feed_by_room(&[header.to_vec(), payload.to_vec()]);
                assert!(end.input.capacity() <= open(&settings).input, "{:?}", end.input);
            }
        }
    }
}

#[test]
fn a_frame_that_stops_one_octet_short_takes_what_has_come() {
    for role in ROLES {
        for settings in all_settings() {
            for first in [0x81, 0x82, 0x01] {
                let mut octets = frame_to(role, first, &vec![b'a'; message_limit(&settings)]);
                octets.pop();
                let peak = peak_with(role, &settings, &[octets]);
                let WorstCase { input, moving, .. } = open(&settings);
                assert_within(peak, input + moving, &format!("{role:?} {settings:?}"));
            }
        }
    }
}

#[test]
fn a_header_that_announces_the_limit_takes_a_read() {
    for role in ROLES {
        for delivery in [Delivery::Whole, Delivery::Chunks] {
            for is_owned in [false, true] {
                let settings = settings(16 << 20, 4096, delivery, is_owned);
                // the length of 64 bits, without what it announces
                let mut header = frame_to(role, 0x82, &vec![0; 70_000]);
                header.truncate(header.len() - 70_000);
                header[2..10].copy_from_slice(&(16_u64 << 20).to_be_bytes());
                let peak = peak_of(|| {
                    let mut end = End::new(role, &settings);
                    end.feed(&header).unwrap();
                    assert_eq!(end.ws.missing(), 16 << 20);
                    // the next read has room for as much as has come, or for what is usual
                    assert_eq!(end.input.room(4096).len(), 4096);
                });
                assert_within(peak, 3 * (header.len() + 4096), &format!("{role:?} {settings:?}"));
            }
        }
    }
}

#[test]
fn the_limit_of_fragments_takes_nothing() {
    for role in ROLES {
        for delivery in [Delivery::Whole, Delivery::Chunks] {
            let mut settings = settings(1000, 1000, delivery, false);
            settings.config.limits.fragments = 5000;
            let mut octets = frame_to(role, 0x01, b"");
            octets.extend(frame_to(role, 0x00, b"").repeat(4999));
            let peak = peak_of(|| {
                let mut end = End::new(role, &settings);
                end.feed(&octets).unwrap();
                let one_more = end.feed(&frame_to(role, 0x00, b""));
                assert_eq!(one_more, Err(ProtocolError::TooManyFragments));
            });
            // reads whose ends cut headers, and the Close that says why
            assert_within(peak, 3 * (1000 + 14) + 100, &format!("{role:?} {delivery:?}"));
        }
    }
}

#[test]
fn pongs_that_are_not_read_take_what_the_formula_says() {
    let settings = settings(1000, 1000, Delivery::Whole, false);
    let worst = open(&settings);
    for role in ROLES {
        let octets = pings(role);
        let mut end = End::new(role, &settings);
        end.input.spare(2000);
        let peak = peak_of(|| end.feed(&octets).unwrap());
        assert!(end.output.len() > 16 * 1024);
        assert_worst(peak, worst.answers + worst.answers / 2 + worst.fixed, &format!("{role:?}"));
        assert_eq!(end.ws.memory_used(), size_of::<Connection>() + 127, "the Pong that is held back");
    }
}

/// A request or a response of this length with as many names in its lists as may be, and a value that has to be copied
/// only at its end. It ends in the list of extensions.
fn head_with_lists(role: Role, len: usize) -> Vec<u8> {
    let mut head = match role {
        Role::Server => format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {}\r\n",
            (0..128).map(|name| name.to_string()).collect::<Vec<_>>().join(",")
        ),
        Role::Client => format!(
            "HTTP/1.1 101\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n",
            str::from_utf8(&accept_of_fixed()).unwrap()
        ),
    };
    head.push_str("Sec-WebSocket-Extensions: ");
    head.push_str(&"a;a,".repeat(MOST_ENTRIES / 2 - 1));
    let value = "b".repeat(len - head.len() - 12);
    [&head, "a;a=\"", &value, "\\a\"\r\n\r\n"].concat().into_bytes()
}

/// What answers a client whose key is of [`fixed_random`].
fn accept_of_fixed() -> [u8; 28] {
    let (uri, mut request) = (Uri::parse("ws://a/").unwrap(), Vec::new());
    ClientRequest::new(&uri).send_with_random(&Config::default(), fixed_random(), &mut request).unwrap();
    let request = String::from_utf8(request).unwrap();
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    accept_value(key.as_bytes())
}

/// Brings a head to a handshake in reads of the settings; the buffer that is left, and what came of it.
fn open_with(role: Role, settings: &Settings, head: &[u8]) -> (ReadBuffer, Result<Option<Connection>, HandshakeError>) {
    let (uri, mut input, mut output) = (Uri::parse("ws://a/").unwrap(), ReadBuffer::default(), Vec::new());
    let mut server = ServerHandshake::new(&settings.config);
    let request = ClientRequest::new(&uri).send_with_random(&settings.config, fixed_random(), &mut output);
    let mut client = request.unwrap();
    let mut opened = Ok(None);
    for octets in head.chunks(settings.read) {
        input.spare(settings.read)[..octets.len()].copy_from_slice(octets);
        input.filled(octets.len());
        opened = match role {
            Role::Server => server
                .receive(&mut input, &mut output)
                .map(|request| request.map(|request| request.accept().send(&mut output).unwrap())),
            Role::Client => client.receive(&mut input).map(|answer| {
                answer.map(|answer| match answer {
                    Answer::Accepted { connection, .. } => connection,
                    answer @ Answer::Rejected { .. } => panic!("{answer:?}"),
                })
            }),
        };
    }
    (input, opened)
}

#[test]
fn a_head_takes_what_the_formula_says() {
    let mut settings = settings(1000, 1000, Delivery::Whole, false);
    for role in ROLES {
        for head in [4096, 8000, 16_384, 16_640] {
            settings.config.limits.head = head;
            let worst = opening(&settings);
            let what = format!("{role:?}, {head} octets");
            // many fields, of a head that never ends
            let start = if role == Role::Server { &b"GET / HTTP/1.1\r\n"[..] } else { b"HTTP/1.1 101\r\n" };
            let mut fields = [start, &b"a:".repeat(head)].concat();
            fields[start.len()..].chunks_mut(head / 90).for_each(|line| {
                if let [.., cr, lf] = line {
                    (*cr, *lf) = (b'\r', b'\n');
                }
            });
            fields.truncate(head);
            let peak = peak_of(|| assert!(matches!(open_with(role, &settings, &fields).1, Ok(None))));
            assert_within(peak, worst.input + worst.input / 2 + worst.fixed, &what);
            let lists = head_with_lists(role, head);
            let peak = peak_of(|| drop(open_with(role, &settings, &lists)));
            match role {
                Role::Server => assert_worst(peak, worst.total(), &what),
                // a response lists no subprotocols
                Role::Client => assert_within(peak, worst.total(), &what),
            }
        }
    }
}

#[test]
fn from_the_handshake_to_the_end_it_is_the_formula() {
    let mut settings = settings(20_000, 200, Delivery::Whole, true);
    settings.config.limits.head = 1000;
    for role in ROLES {
        for delivery in [Delivery::Whole, Delivery::Chunks] {
            settings.config.delivery = delivery;
            let (head, pings) = (head_with_lists(role, 1000), pings(role));
            let head = String::from_utf8(head).unwrap().replace("-Extensions", "-Not").replace("-Protocol", "-Not");
            let mut streams = staircase(role, &settings, 200);
            streams.push(pings);
            let peak = peak_of(|| {
                let (input, opened) = open_with(role, &settings, head.as_bytes());
                let mut end = End::with(opened.unwrap().unwrap(), input, &settings);
                end.feed_all(&streams);
            });
            assert_worst(peak, worst_case(&settings).total(), &format!("{role:?} {delivery:?}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_the_limits_are_no_stream_takes_more(
        message in 0_u64..6000, frame in 1_u64..6000, read in 1_usize..3000, fragment in 1_usize..3000,
        is_whole: bool, is_owned: bool, is_server: bool,
    ) {
        let delivery = if is_whole { Delivery::Whole } else { Delivery::Chunks };
        let role = if is_server { Role::Server } else { Role::Client };
        let mut settings = settings(message, read, delivery, is_owned);
        settings.config.limits.frame = frame;
        let len = message_limit(&settings);
        let fragment = fragment.min(usize::try_from(frame).unwrap());
        let mut streams = vec![fragmented(role, len, fragment)];
        for part in 1..6 {
            // what comes behind another message, in the same read
            streams.push([fragmented(role, len * part / 6, fragment), fragmented(role, len, fragment)].concat());
            streams.push(pongs(role, &settings));
        }
        streams.push(pings(role));
        prop_assert!(peak_with(role, &settings, &streams) <= worst_case(&settings).total());
    }
}

/// Fragments in a flood: a million where the tests are compiled for speed.
const FLOOD: usize = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };

/// Feeds fragments of one message, and then its end; gives the most that it took, and what is left.
fn flood(role: Role, settings: &Settings, payload: &[u8]) -> (usize, usize) {
    let (mut first, fragment) = (frame_to(role, 0x02, b""), frame_to(role, 0x00, payload));
    let some = fragment.repeat(1000);
    let last = frame_to(role, 0x80, b"");
    let mut end = End::new(role, settings);
    let before = live();
    let peak = peak_of(|| {
        end.feed(&first).unwrap();
        for _ in 0..FLOOD / 1000 {
            end.feed(&some).unwrap();
        }
        end.feed(&last).unwrap();
    });
    first.clear();
    assert!(end.input.is_empty());
    end.input.shrink(0);
    (peak, live() - before)
}

#[test]
fn a_million_fragments_stay_flat() {
    for role in ROLES {
        for is_owned in [false, true] {
            for (payload, delivery, held) in [
                (&b""[..], Delivery::Whole, 0),
                (b"", Delivery::Chunks, 0),
                (b"x", Delivery::Chunks, 0),
                // no more than the octets of the message, and what they take to grow
                (b"x", Delivery::Whole, FLOOD),
            ] {
                let mut settings = settings(FLOOD as u64, 4096, delivery, is_owned);
                settings.config.limits.fragments = u32::MAX;
                let (peak, left) = flood(role, &settings, payload);
                assert!(peak <= 3 * (held + 4096 + 144), "{role:?} {payload:?} {delivery:?} {peak}");
                assert_eq!(left, 0, "{role:?} {payload:?} {delivery:?}");
            }
        }
    }
}

#[test]
fn by_default_a_flood_of_fragments_is_refused_at_the_limit() {
    let limit = Config::default().limits.fragments as usize;
    for role in ROLES {
        for payload in [&b""[..], b"x"] {
            let settings = settings(16 << 20, 4096, Delivery::Whole, false);
            let mut end = End::new(role, &settings);
            let some = frame_to(role, 0x00, payload).repeat(1024);
            end.feed(&frame_to(role, 0x02, payload)).unwrap();
            end.feed(&some[..some.len() - some.len() / 1024]).unwrap();
            let refused = (1..1000).find_map(|thousand| Some((thousand, end.feed(&some).err()?)));
            assert_eq!(refused, Some((limit / 1024, ProtocolError::TooManyFragments)));
            assert!(end.output.ends_with(&common::frame_from(role, 0x88, &[0x03, 0xF0])), "1008");
        }
    }
}

#[cfg(feature = "deflate")]
#[test]
fn the_table_of_the_documentation_is_the_formula() {
    use websocket_proto::deflate::{DeflateConfig, DeflateMemory, DeflatePool};
    let totals = |settings: &Settings| [opening(settings).total(), formula::open_behind(settings).total()];
    let default = Settings { config: Config::default(), read: 4096, is_owned: false };
    let mut deflating = default.clone();
    deflating.config.deflate = Some(DeflateConfig::default());
    let mut in_chunks = default.clone();
    in_chunks.config.delivery = Delivery::Chunks;
    assert_eq!(totals(&default), [115_968, 100_711_314]);
    assert_eq!(totals(&deflating), [115_968, 117_739_986]);
    assert_eq!(totals(&in_chunks), [115_968, 96_306]);

    let mut small = settings(64 << 10, 4096, Delivery::Whole, false);
    small.config.limits.head = 4096;
    assert_eq!(totals(&small), [54_528, 441_234]);
    let (mut small_in_chunks, mut chunks_inflated) = (small.clone(), small.clone());
    small.config.deflate = Some(common::deflate::takeover(false));
    small.config.deflate.as_mut().unwrap().memory = DeflateMemory::Shared(DeflatePool::default());
    assert_eq!(totals(&small), [54_528, 725_458]);
    small_in_chunks.config.delivery = Delivery::Chunks;
    assert_eq!(totals(&small_in_chunks), [54_528, 68_043]);
    chunks_inflated.config.delivery = Delivery::Chunks;
    chunks_inflated.config.deflate = Some(DeflateConfig::default());
    assert_eq!(totals(&chunks_inflated), [54_528, 345_714]);
}
