//! How does the cost of a message grow with the connections beside it, in the loop of one thread?
//!
//! Each turn, each connection gets one message and echoes it, and then it is the next one's turn; which that is has
//! nothing to do with where it lies in memory.

use std::hint::black_box;
use std::time::Instant;

use websocket_proto::{Config, Connection, Event, ReadBuffer};

use super::feed::{Feed, Look, Payload, Seen};
use super::measure::typical;
use super::report::{Table, float, grouped};
use crate::alloc::Counts;
use crate::frames::report::short;
use crate::frames::workload::{Content, Random};
use crate::{Effort, Wanted};

/// Octets of each message, of its frame as it comes, and of the room for a read.
const LEN: usize = 125;
const FRAME: usize = 6 + LEN;
const ROOM: usize = 4 << 10;

pub(crate) fn run(title: &str, wanted: &Wanted) {
    let heads = ["connections", "one read buffer", "heap octets of each", "4 KiB for each", "heap octets of each"];
    let mut table = Table::new(&heads);
    let most = wanted.effort.choose(100_000, 10_000);
    for count in [1, 10, 100, 1000, 10_000, 100_000].into_iter().filter(|&count| count <= most) {
        let (shared, own) = (measure::<Connection>(count, wanted.effort), measure::<WithBuffer>(count, wanted.effort));
        let cells = [shared, own].map(|cost| [short(cost.nanos), grouped(cost.heap)]);
        table.row(grouped(count), cells.into_iter().flatten());
    }
    table.print(title, "each echoes one message of 125 B in turn: ns per message");
    println!("\na connection is {} octets, a read buffer {}", size_of::<Connection>(), size_of::<ReadBuffer>());
}

/// What a connection has to itself.
trait Member {
    /// Octets of memory.
    const HELD: usize;

    fn open() -> Self;

    fn parts<'p>(&'p mut self, shared: &'p mut ReadBuffer) -> (&'p mut Connection, &'p mut ReadBuffer);
}

impl Member for Connection {
    const HELD: usize = size_of::<Self>();

    fn open() -> Self {
        Self::server(&Config::default())
    }

    #[inline]
    fn parts<'p>(&'p mut self, shared: &'p mut ReadBuffer) -> (&'p mut Connection, &'p mut ReadBuffer) {
        (self, shared)
    }
}

struct WithBuffer {
    ws: Connection,
    input: ReadBuffer,
}

impl Member for WithBuffer {
    const HELD: usize = size_of::<Self>() + ROOM;

    fn open() -> Self {
        let mut input = ReadBuffer::default();
        input.spare(ROOM);
        Self { ws: Connection::open(), input }
    }

    #[inline]
    fn parts<'p>(&'p mut self, _: &'p mut ReadBuffer) -> (&'p mut Connection, &'p mut ReadBuffer) {
        (&mut self.ws, &mut self.input)
    }
}

struct Cost {
    /// Of a message.
    nanos: f64,
    /// Octets of a connection.
    heap: usize,
}

fn measure<M: Member>(count: usize, effort: Effort) -> Cost {
    let mut traffic = Traffic::new();
    traffic.turns::<M>(&mut [Box::new(M::open())], 1, Look::All);
    let before = Counts::now().live;
    let mut members: Vec<_> = (0..count).map(|_| Box::new(M::open())).collect();
    shuffle(&mut members);
    traffic.turns(&mut members, 1, Look::All);
    let turns = effort.choose(100_000, 20_000_usize).div_ceil(count);
    let nanos = (0..effort.choose(25, 3)).map(|_| {
        let started = Instant::now();
        traffic.turns(&mut members, turns, Look::Ends);
        started.elapsed().as_secs_f64() * 1e9 / float(turns * count)
    });
    let nanos = typical(nanos.collect());
    let held = usize::try_from(Counts::now().live - before).expect("they hold something");
    let heap = held / count - size_of::<Box<M>>();
    assert_eq!(heap, M::HELD, "nothing is held besides");
    Cost { nanos, heap }
}

fn shuffle<T>(items: &mut [T]) {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for end in (1..items.len()).rev() {
        items.swap(end, usize::try_from(random.next() >> 32).expect("it is small") % (end + 1));
    }
}

/// What all connections of a loop share.
struct Traffic {
    /// Few enough to stay in the nearest cache.
    feed: Feed,
    payload: Vec<u8>,
    input: ReadBuffer,
    output: Vec<u8>,
}

impl Traffic {
    fn new() -> Self {
        let payload = Payload::new(Content::Binary, LEN);
        let feed = Feed::messages(&payload, 64);
        Self { feed, payload: payload.whole(), input: ReadBuffer::default(), output: Vec::new() }
    }

    /// So many messages for each.
    fn turns<M: Member>(&mut self, members: &mut [Box<M>], turns: usize, look: Look) {
        let mut frames = self.feed.octets().chunks_exact(FRAME).cycle();
        let mut seen = Seen::default();
        let count = members.len();
        for member in (0..turns).flat_map(|_| 0..count) {
            let (ws, input) = members[member].parts(&mut self.input);
            input.room(ROOM)[..FRAME].copy_from_slice(frames.next().expect("there is always one"));
            input.filled(FRAME);
            while let Some(event) = ws.receive(input, &mut self.output).expect("it is right") {
                if let Event::Binary(data) = event {
                    seen.add(data, Look::Ends);
                    ws.send_binary(data, &mut self.output).expect("it is open");
                }
            }
            assert_eq!(black_box(&self.output).len(), 2 + LEN);
            assert!(look == Look::Ends || (input.is_empty() && self.output[2..] == self.payload), "it is what came");
            self.output.clear();
        }
        assert_eq!(seen.tally.messages, (turns * count) as u64);
        assert_eq!(seen.tally.octets, seen.tally.messages * LEN as u64);
        let [first, .., last] = self.payload[..] else { return };
        assert_eq!(seen.tally.sum, seen.tally.messages * (u64::from(first) + u64::from(last)));
    }
}
