//! How does the cost of a message grow with its fragments?

use std::cell::Cell;

use websocket_proto::{Config, Connection, Event, ReadBuffer};

use super::feed::{Feed, Look, parts};
use super::measure::{Task, measure};
use super::report::{Table, float, grouped};
use crate::Wanted;
use crate::frames::codec::READ;
use crate::frames::report::short;
use crate::frames::workload::{Content, Random, message};

/// One message in ever more fragments.
const LEN: usize = 4 << 20;

const COUNTS: [usize; 7] = [1, 10, 100, 1000, 10_000, 65_536, 100_000];

pub(crate) fn run(title: &str, wanted: &Wanted) {
    divided(title, wanted);
    many(title, wanted);
}

/// Ever more fragments, of the same octets.
fn divided(title: &str, wanted: &Wanted) {
    let heads = ["fragments", "binary", "ASCII text", "mixed UTF-8", "client sends binary", "read buffer"];
    let mut table = Table::new(&heads);
    let contents = CONTENTS.map(|content| (content, message(content, LEN, &mut Random(SEED))));
    let row = |count| contents.each_ref().map(|(content, octets)| Message::new(*content, octets, count));
    let rows = COUNTS.map(row);
    let tasks: Vec<_> = rows.iter().flat_map(received_and_sent).collect();
    let times = measure(&tasks, wanted.effort);
    for ((count, [binary, ..]), times) in COUNTS.into_iter().zip(&rows).zip(times.chunks_exact(4)) {
        let cell = |time: &f64| format!("{} / {:.2}", short(time / float(count)), time / 1e6);
        let capacity = format!("{} KiB", grouped(binary.capacity.get() >> 10));
        table.row(grouped(count), times.iter().map(cell).chain([capacity]));
    }
    table.print(title, "4 MiB: ns per fragment / ms per message");
}

/// Ever more fragments of one octet; and ever more of none.
fn many(title: &str, wanted: &Wanted) {
    let heads =
        ["fragments", "binary", "ASCII text", "mixed UTF-8", "client sends", "read buffer", "empty", "its read buffer"];
    let mut table = Table::new(&heads);
    let contents = |count| CONTENTS.map(|content| (content, message(content, count, &mut Random(SEED))));
    let contents = COUNTS.map(|count| (count, contents(count)));
    let rows = contents.each_ref().map(|(count, contents)| {
        let [binary, ascii, mixed] =
            contents.each_ref().map(|(content, octets)| Message::new(*content, octets, *count));
        ([binary, ascii, mixed], Message::new(Content::Binary, &[], *count))
    });
    let tasks: Vec<_> =
        rows.iter().flat_map(|(row, empty)| received_and_sent(row).into_iter().chain([empty.receive()])).collect();
    let times = measure(&tasks, wanted.effort);
    for ((count, ([binary, ..], empty)), times) in COUNTS.into_iter().zip(&rows).zip(times.chunks_exact(5)) {
        let [with_octets, without] = [binary, empty].map(|message| grouped(message.capacity.get()));
        let [binary, ascii, mixed, sent, nothing] =
            [0, 1, 2, 3, 4].map(|task: usize| short(times[task] / float(count)));
        table.row(grouped(count), [binary, ascii, mixed, sent, with_octets, nothing, without]);
    }
    table.print(title, "fragments of one octet, and empty ones: ns per fragment; octets of the read buffer");
}

fn received_and_sent<'t>([binary, ascii, mixed]: &'t [Message<'_>; 3]) -> [Task<'t>; 4] {
    [binary.receive(), ascii.receive(), mixed.receive(), binary.send()]
}

const CONTENTS: [Content; 3] = [Content::Binary, Content::Ascii, Content::Mixed];

const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

/// One message, in fragments.
struct Message<'o> {
    feed: Feed,
    octets: &'o [u8],
    fragments: usize,
    /// Of the read buffer, when all has come.
    capacity: Cell<usize>,
}

impl<'o> Message<'o> {
    fn new(content: Content, octets: &'o [u8], fragments: usize) -> Self {
        Self { feed: Feed::fragments(content, octets, fragments), octets, fragments, capacity: Cell::new(0) }
    }

    fn receive(&self) -> Task<'_> {
        Box::new(move || {
            let (mut ws, mut input) = (Connection::server(&Config::default()), ReadBuffer::default());
            Box::new(move |look| {
                self.feed.receive(&mut ws, &mut input, READ, look);
                self.capacity.set(input.capacity());
            })
        })
    }

    fn send(&self) -> Task<'_> {
        Box::new(move || {
            let (mut ws, mut output) = (Connection::client(&Config::default()), Vec::new());
            Box::new(move |look| {
                output.clear();
                self.put(&mut ws, &mut output);
                if look == Look::All {
                    self.look(&output);
                }
            })
        })
    }

    fn put(&self, ws: &mut Connection, output: &mut Vec<u8>) {
        let last = self.fragments - 1;
        for (index, part) in parts(self.octets, self.fragments).enumerate() {
            let sent = match index {
                0 if last == 0 => ws.send_binary(part, output),
                0 => ws.begin_binary(part, output),
                _ if index == last => ws.finish_binary(part, output),
                _ => ws.continue_binary(part, output),
            };
            sent.expect("it is open, and in order");
        }
    }

    /// A server gets what was sent.
    fn look(&self, output: &[u8]) {
        let (mut ws, mut input) = (Connection::server(&Config::default()), ReadBuffer::default());
        input.extend_from_slice(output);
        let event = ws.receive(&mut input, &mut Vec::new()).expect("it is right");
        assert!(event == Some(Event::Binary(self.octets)), "it is what was sent");
    }
}
