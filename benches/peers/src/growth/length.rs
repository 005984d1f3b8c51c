//! How does the cost of a message grow with its length?

use std::hint::black_box;

use websocket_proto::{Config, Connection, Event, MessageKind, ReadBuffer};

use super::feed::{Feed, Look, Payload};
use super::measure::{Pass, Task, measure};
use super::report::{Table, float};
use crate::Wanted;
use crate::frames::codec::READ;
use crate::frames::report::{length, short};
use crate::frames::workload::Content;

const HEADS: [&str; 8] = [
    "",
    "server receives binary",
    "the same, a read for each frame",
    "the same, the first of a connection",
    "ASCII text",
    "mixed UTF-8",
    "client sends binary",
    "server sends a header",
];

pub(crate) fn run(title: &str, wanted: &Wanted) {
    // 64 B to 64 MiB, or to 4 MiB
    let rows: Vec<_> = (3..=wanted.effort.choose(13, 11)).map(|power| Row::new(1 << (2 * power))).collect();
    let tasks: Vec<_> = rows.iter().flat_map(Row::tasks).collect();
    let times = measure(&tasks, wanted.effort);
    let (mut messages, mut kibs) = (Table::new(&HEADS), Table::new(&HEADS));
    for (row, times) in rows.iter().zip(times.chunks_exact(HEADS.len() - 1)) {
        let each: Vec<_> = times.iter().zip(row.counts()).map(|(time, count)| time / float(count)).collect();
        messages.row(length(row.len), each.iter().map(|&time| short(time)));
        kibs.row(length(row.len), each.iter().map(|time| short(time * 1024.0 / float(row.len))));
    }
    messages.print(title, "ns per message");
    kibs.print(title, "ns per KiB");
}

/// All that is done with one length.
struct Row {
    len: usize,
    binary: Traffic,
    ascii: Traffic,
    mixed: Traffic,
}

impl Row {
    fn new(len: usize) -> Self {
        let [binary, ascii, mixed] =
            [Content::Binary, Content::Ascii, Content::Mixed].map(|content| Traffic::new(content, len));
        Self { len, binary, ascii, mixed }
    }

    /// One for each head.
    fn tasks(&self) -> [Task<'_>; HEADS.len() - 1] {
        let Self { len, binary, ascii, mixed } = self;
        [
            binary.receive(READ),
            binary.receive(len + header(*len)),
            binary.first(),
            ascii.receive(READ),
            mixed.receive(READ),
            binary.send(),
            binary.send_headers(),
        ]
    }

    /// Messages of a pass, of each task.
    fn counts(&self) -> [usize; HEADS.len() - 1] {
        let count = self.binary.count;
        [count, count, 1, count, count, count, HEADERS]
    }
}

/// Octets of a masked header.
fn header(len: usize) -> usize {
    match len {
        ..126 => 6,
        126..0x1_0000 => 8,
        _ => 14,
    }
}

/// Headers that are sent in a pass.
const HEADERS: usize = 64;

/// Messages of one length.
struct Traffic {
    config: Config,
    feed: Feed,
    /// One of them.
    single: Feed,
    octets: Vec<u8>,
    /// Messages of a pass.
    count: usize,
}

impl Traffic {
    fn new(content: Content, len: usize) -> Self {
        let mut config = Config::default();
        (config.limits.frame, config.limits.message) = (64 << 20, 64 << 20);
        let (payload, count) = (Payload::new(content, len), ((256 << 10) / len).clamp(1, 1024));
        let (feed, single) = (Feed::messages(&payload, count), Feed::messages(&payload, 1));
        Self { config, feed, single, octets: payload.whole(), count }
    }

    fn receive(&self, room: usize) -> Task<'_> {
        Box::new(move || {
            let (mut ws, mut input) = (Connection::server(&self.config), ReadBuffer::default());
            Box::new(move |look| self.feed.receive(&mut ws, &mut input, room, look))
        })
    }

    /// With a buffer that has yet to grow.
    fn first(&self) -> Task<'_> {
        Box::new(move || {
            Box::new(move |look| {
                let (mut ws, mut input) = (Connection::server(&self.config), ReadBuffer::default());
                self.single.receive(&mut ws, &mut input, READ, look);
            })
        })
    }

    fn send(&self) -> Task<'_> {
        Box::new(move || {
            let (mut ws, mut output) = (Connection::client(&self.config), Vec::new());
            Box::new(move |look| {
                for _ in 0..self.count {
                    output.clear();
                    ws.send_binary(black_box(&self.octets), &mut output).expect("it is open");
                    assert_eq!(output.len(), header(self.octets.len()) + self.octets.len());
                    self.look(&output, look);
                }
            }) as Pass<'_>
        })
    }

    /// A server gets what was sent.
    fn look(&self, output: &[u8], look: Look) {
        if look == Look::All {
            let (mut ws, mut input) = (Connection::server(&self.config), ReadBuffer::default());
            input.extend_from_slice(output);
            let event = ws.receive(&mut input, &mut Vec::new()).expect("it is right");
            assert!(event == Some(Event::Binary(&self.octets)), "it is what was sent");
        }
    }

    fn send_headers(&self) -> Task<'_> {
        Box::new(move || {
            let (mut ws, mut output) = (Connection::server(&self.config), Vec::new());
            Box::new(move |_| {
                for _ in 0..HEADERS {
                    output.clear();
                    let len = self.octets.len() as u64;
                    let _ = ws.send_header(MessageKind::Binary, len, &mut output).expect("it is open");
                    assert_eq!(output.len() + 4, header(self.octets.len()));
                    black_box(&output);
                }
            })
        })
    }
}
