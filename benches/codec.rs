//! What does one message cost? In memory, with the copy of its octets into the buffer, as a read makes it.
//!
//! `cargo bench -p websocket-proto-benches` for all of it, with `-- 'echo|125'` for a part. Times are for one
//! message, whatever the number of them in a read or a write. Compare figures of one machine and one build only.

use std::fmt::Write;
use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, measurement::WallTime};
use websocket_proto::deflate::{DeflateConfig, DeflateMemory, DeflatePool};
use websocket_proto::handshake::{ServerHandshake, accept_value};
use websocket_proto::wire::extension;
use websocket_proto::wire::{FrameHeader, Mask, OpCode, split_utf8};
use websocket_proto::{Config, Connection, Event, Message, MessageKind, ReadBuffer};

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(50)
        .configure_from_args();
    mask(&mut criterion);
    utf8(&mut criterion);
    header(&mut criterion);
    receive(&mut criterion);
    receive_owned(&mut criterion);
    send(&mut criterion);
    echo(&mut criterion);
    handshake(&mut criterion);
    deflate(&mut criterion);
    criterion.final_summary();
}

fn mask(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mask");
    for len in [16, 125, 1 << 10, 16 << 10, 64 << 10] {
        let mut payload = binary(len);
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
            bencher.iter(|| Mask::new(black_box(KEY)).apply(black_box(&mut payload)));
        });
    }
}

fn utf8(criterion: &mut Criterion) {
    for (name, text) in [("utf8 ascii", ascii as fn(usize) -> Vec<u8>), ("utf8 mixed", mixed)] {
        let mut group = criterion.benchmark_group(name);
        for len in [16, 125, 1 << 10, 16 << 10, 64 << 10] {
            let octets = text(len);
            group.throughput(Throughput::Bytes(octets.len() as u64));
            group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
                bencher.iter(|| split_utf8(black_box(&octets)).is_ok());
            });
        }
    }
}

fn header(criterion: &mut Criterion) {
    let octets = frame(OpCode::Binary, &binary(125));
    criterion.bench_function("header/decode", |bencher| bencher.iter(|| FrameHeader::decode(black_box(&octets))));
    let (header, _) = FrameHeader::decode(&octets).expect("it is right").expect("it is whole");
    let mut output = Vec::with_capacity(FrameHeader::MAX_SIZE);
    criterion.bench_function("header/encode", |bencher| {
        bencher.iter(|| {
            output.clear();
            black_box(header).encode(&mut output)
        });
    });
}

/// The server's side, borrowed events: streams of many frames to a read, and the two ends of how a stream may be cut.
fn receive(criterion: &mut Criterion) {
    for (name, opcode, payload) in [
        ("receive binary", OpCode::Binary, binary as fn(usize) -> Vec<u8>),
        ("receive ascii text", OpCode::Text, ascii),
        ("receive mixed text", OpCode::Text, mixed),
    ] {
        let mut group = criterion.benchmark_group(name);
        for len in SIZES {
            let stream = Stream::new(opcode, &payload(len), READ);
            bench(&mut group, len, &stream, receive_all);
        }
    }
    let mut group = criterion.benchmark_group("receive binary, one frame to a read");
    for len in SIZES {
        let frame_len = frame(OpCode::Binary, &binary(len)).len();
        let stream = Stream::new(OpCode::Binary, &binary(len), frame_len);
        bench(&mut group, len, &stream, receive_all);
    }
    drop(group);
    let mut group = criterion.benchmark_group("receive binary, one octet to a read");
    let stream = Stream::new(OpCode::Binary, &binary(125), 1);
    bench(&mut group, 125, &stream, receive_all);
    drop(group);
    // Autobahn's 9.3.1 and 9.4.1: the time grows with the octets, whatever the number of fragments that they come in
    for (name, opcode, payload) in [
        ("receive binary, in fragments of 64", OpCode::Binary, binary as fn(usize) -> Vec<u8>),
        ("receive mixed text, in fragments of 64", OpCode::Text, mixed),
    ] {
        let mut group = criterion.benchmark_group(name);
        for len in [64 << 10, 1 << 20, 4 << 20] {
            bench(&mut group, len, &Stream::fragmented(opcode, &payload(len), 64), receive_all);
        }
    }
}

/// The server's side, messages of which the last 64 are kept.
fn receive_owned(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receive owned");
    for len in SIZES {
        let stream = Stream::new(OpCode::Binary, &binary(len), READ);
        let mut kept: [Option<Message>; 64] = [const { None }; 64];
        bench(&mut group, len, &stream, |server, stream| {
            let Server { ws, input, output } = server;
            let mut count = 0;
            for read in stream.reads() {
                fill(input, read);
                while let Some(message) = ws.receive_message(input, output).expect("it is right") {
                    kept[count % 64] = Some(message);
                    count += 1;
                }
            }
            count
        });
    }
}

/// Frames one behind the other into an output that is warm, written at 16 KiB; and the header alone, for a vectored
/// write.
fn send(criterion: &mut Criterion) {
    type Open = fn(&Config) -> Connection;
    const APART: usize = PAGE / 2;
    for (name, open, distance, sizes) in [
        ("send server", Connection::server as Open, APART, &SIZES[..]),
        ("send server, output and payload alike in their pages", Connection::server, 0, &[16 << 10]),
        ("send client", Connection::client, APART, &SIZES),
        ("send client, output and payload alike in their pages", Connection::client, 0, &[16 << 10]),
    ] {
        let mut group = criterion.benchmark_group(name);
        for &len in sizes {
            let mut ws = open(&Config::default());
            let mut output = Vec::with_capacity(3 * READ);
            let (room, payload) = beside(&output, distance, &binary(len));
            let payload = &room[payload];
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
                bencher.iter(|| {
                    if output.len() >= READ {
                        black_box(&mut output).clear();
                    }
                    ws.send_binary(black_box(payload), &mut output)
                });
            });
        }
    }
    let mut ws = Connection::server(&Config::default());
    let mut output = Vec::new();
    criterion.bench_function("send server, header alone", |bencher| {
        bencher.iter(|| {
            black_box(&mut output).clear();
            ws.send_header(MessageKind::Binary, black_box(16 << 10), &mut output)
        });
    });
}

/// Each message goes back as it came; what has been answered is written after each read.
fn echo(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("echo");
    for len in [16, 125] {
        let stream = Stream::new(OpCode::Binary, &binary(len), READ);
        bench(&mut group, len, &stream, |server, stream| {
            let Server { ws, input, output } = server;
            let mut count = 0;
            for read in stream.reads() {
                fill(input, read);
                while let Some(event) = ws.receive(input, output).expect("it is right") {
                    if let Event::Binary(data) = event {
                        ws.send_binary(data, output).expect("it is open");
                        count += 1;
                    }
                }
                black_box(&mut *output).clear();
            }
            count
        });
    }
}

fn handshake(criterion: &mut Criterion) {
    let config = Config::default();
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let mut group = criterion.benchmark_group("handshake");
    group.throughput(Throughput::Bytes(REQUEST.len() as u64));
    for (name, read) in [("server", REQUEST.len()), ("server, one octet to a read", 1)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                output.clear();
                let mut handshake = ServerHandshake::new(&config);
                let mut opened = None;
                for octets in black_box(REQUEST).chunks(read) {
                    fill(&mut input, octets);
                    if let Some(request) = handshake.receive(&mut input, &mut output).expect("it is right") {
                        opened = Some(request.accept().send(&mut output).expect("it is right"));
                    }
                }
                opened.expect("it is complete")
            });
        });
    }
    drop(group);
    criterion.bench_function("handshake/accept_value", |bencher| {
        bencher.iter(|| accept_value(black_box(b"dGhlIHNhbXBsZSBub25jZQ==")));
    });
}

/// Measures a pass over a stream, and gives the time of one message of it. The pass returns how many came.
fn bench<F>(group: &mut BenchmarkGroup<'_, WallTime>, len: usize, stream: &Stream, mut pass: F)
where
    F: FnMut(&mut Server, &Stream) -> usize,
{
    let mut server = Server::new();
    group.throughput(Throughput::Bytes(len as u64));
    group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
        bencher.iter_custom(|messages| {
            let passes = messages.div_ceil(stream.count as u64);
            let started = Instant::now();
            for _ in 0..passes {
                assert_eq!(pass(&mut server, stream), stream.count);
            }
            let nanos = started.elapsed().as_nanos() * u128::from(messages) / u128::from(passes * stream.count as u64);
            Duration::from_nanos(u64::try_from(nanos).expect("a benchmark is over in this century"))
        });
    });
}

fn receive_all(server: &mut Server, stream: &Stream) -> usize {
    let Server { ws, input, output } = server;
    let mut count = 0;
    for read in stream.reads() {
        fill(input, read);
        while let Some(event) = ws.receive(input, output).expect("it is right") {
            // not the event: to move an enum through memory costs more than to receive it
            match event {
                Event::Text(text) => _ = black_box(text),
                Event::Binary(data) => _ = black_box(data),
                _ => continue,
            }
            count += 1;
        }
    }
    count
}

/// An open connection and its buffers, which get warm.
struct Server {
    ws: Connection,
    input: ReadBuffer,
    output: Vec<u8>,
}

impl Server {
    fn new() -> Self {
        Self { ws: Connection::server(&Config::default()), input: ReadBuffer::default(), output: Vec::new() }
    }
}

/// As a read does it: there is room for more than comes.
fn fill(input: &mut ReadBuffer, octets: &[u8]) {
    let room = &mut input.spare(READ.max(octets.len()))[..octets.len()];
    // by blocks, so that no figure depends on where the allocator put the two: see `beside`
    for (room, block) in room.chunks_mut(1 << 10).zip(octets.chunks(1 << 10)) {
        room.copy_from_slice(block);
    }
    input.filled(octets.len());
}

/// Puts a payload so far behind `output`, modulo a page, and says where it lies.
///
/// A C library's `memcpy` of more than 2 KiB may be 30 times slower on an AMD processor when the target lies 1 to 31
/// octets behind the source, modulo a page: as it does with 4 octets of header in front and both buffers fresh from the
/// allocator. Left to chance, it would make every figure a lottery.
fn beside(output: &[u8], distance: usize, payload: &[u8]) -> (Vec<u8>, Range<usize>) {
    let mut room = vec![0; payload.len() + PAGE];
    let begin = (output.as_ptr().addr() + distance).wrapping_sub(room.as_ptr().addr()) % PAGE;
    let range = begin..begin + payload.len();
    room[range.clone()].copy_from_slice(payload);
    (room, range)
}

/// Equal frames, one behind the other, and how many octets of them come with a read.
struct Stream {
    octets: Vec<u8>,
    count: usize,
    read: usize,
}

impl Stream {
    fn new(opcode: OpCode, payload: &[u8], read: usize) -> Self {
        let frame = frame(opcode, payload);
        let count = (256 << 10) / frame.len();
        Self { octets: frame.repeat(count), count, read }
    }

    /// One message in fragments.
    fn fragmented(opcode: OpCode, payload: &[u8], size: usize) -> Self {
        let fragments = payload.chunks(size);
        let last = fragments.len() - 1;
        let frames = fragments.enumerate().flat_map(|(i, fragment)| {
            let mut frame = frame(if i == 0 { opcode } else { OpCode::Continuation }, fragment);
            if i < last {
                frame[0] &= 0x7F; // not final
            }
            frame
        });
        Self { octets: frames.collect(), count: 1, read: READ }
    }

    fn reads(&self) -> impl Iterator<Item = &[u8]> {
        self.octets.chunks(self.read)
    }
}

/// A frame from a client.
fn frame(opcode: OpCode, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    let header = FrameHeader { fin: true, reserved: 0, opcode, mask: Some(KEY), payload_len: payload.len() as u64 };
    header.encode(&mut frame).expect("it is right");
    let size = frame.len();
    frame.extend_from_slice(payload);
    Mask::new(KEY).apply(&mut frame[size..]);
    frame
}

fn binary(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

fn ascii(len: usize) -> Vec<u8> {
    (b' '..=b'~').cycle().take(len).collect()
}

/// Japanese, emoji and ASCII, filled up with ASCII.
fn mixed(len: usize) -> Vec<u8> {
    let mut text = String::new();
    for character in "\u{3053}\u{3093}\u{306b}\u{3061}\u{306f}, world \u{1f600}\u{1f680} ".chars().cycle() {
        if text.len() + character.len_utf8() > len {
            break;
        }
        text.push(character);
    }
    text.extend(std::iter::repeat_n('x', len - text.len()));
    text.into_bytes()
}

/// Chat messages of JSON, 1 KiB and 64 KiB: sent, and received, with and without context takeover, in each way of
/// holding memory; and what zlib alone takes for the same octets.
fn deflate(criterion: &mut Criterion) {
    for (takeover, name) in [(false, "no takeover"), (true, "takeover")] {
        for window_bits in [12, 15] {
            let mut config = DeflateConfig::default();
            (config.takeover, config.peer_takeover) = (takeover, takeover);
            (config.window_bits, config.mem_level, config.threshold) = (window_bits, 8, 0);
            let mut group = criterion.benchmark_group(format!("deflate, {name}, window {window_bits}"));
            for len in [1 << 10, 64 << 10] {
                group.throughput(Throughput::Bytes(len as u64));
                let texts = json(len);
                for (mode, memory) in memories() {
                    config.memory = memory;
                    let mut ends = ends(&config);
                    let mut output = Vec::new();
                    group.bench_function(BenchmarkId::new(mode, len), |bencher| {
                        let mut texts = texts.iter().cycle();
                        bencher.iter(|| {
                            output.clear();
                            ends.0.send_text(texts.next().unwrap(), &mut output).unwrap();
                            black_box(output.len())
                        });
                    });
                }
                let mut zlib = compressor(window_bits);
                let mut room = vec![0; 2 * len];
                group.bench_function(BenchmarkId::new("zlib alone", len), |bencher| {
                    let mut texts = texts.iter().cycle();
                    bencher.iter(|| compress(&mut zlib, takeover, texts.next().unwrap().as_bytes(), &mut room));
                });
            }
            drop(group);
            let mut group = criterion.benchmark_group(format!("inflate, {name}, window {window_bits}"));
            for len in [1 << 10, 64 << 10] {
                group.throughput(Throughput::Bytes(len as u64));
                let texts = json(len);
                for (mode, memory) in memories() {
                    config.memory = memory;
                    inflate(&mut group, &format!("{mode}/{len}"), &config, &texts);
                }
                inflate_alone(&mut group, len, takeover, window_bits, &texts);
            }
        }
    }
}

/// A client that receives what a server sends, over and over; with takeover, each round begins with a new connection on
/// both sides, outside the time.
fn inflate(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, config: &DeflateConfig, texts: &[String]) {
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|times| {
            let mut elapsed = Duration::ZERO;
            let mut left = usize::try_from(times).unwrap();
            let (mut server, mut client) = ends(config);
            let (mut frames, mut input, mut output) = (Vec::new(), ReadBuffer::default(), Vec::new());
            while left > 0 {
                let round: Vec<Vec<u8>> = texts
                    .iter()
                    .map(|text| {
                        frames.clear();
                        server.send_text(text, &mut frames).unwrap();
                        frames.clone()
                    })
                    .collect();
                let begin = Instant::now();
                for frame in round.iter().take(left) {
                    input.extend_from_slice(frame);
                    let Ok(Some(Event::Text(text))) = client.receive(&mut input, &mut output) else { panic!() };
                    black_box(text);
                }
                elapsed += begin.elapsed();
                if left < round.len() {
                    (server, client) = ends(config);
                }
                left -= left.min(round.len());
            }
            elapsed
        });
    });
}

/// The same octets, for zlib alone: they are copied to where the end is put behind them that was cut off, and inflated.
fn inflate_alone(
    group: &mut BenchmarkGroup<'_, WallTime>,
    len: usize,
    takeover: bool,
    window_bits: u8,
    texts: &[String],
) {
    let mut room = vec![0; 2 * len];
    group.bench_function(BenchmarkId::new("zlib alone", len), |bencher| {
        bencher.iter_custom(|times| {
            let mut elapsed = Duration::ZERO;
            let mut left = usize::try_from(times).unwrap();
            let mut payload = Vec::new();
            let (mut deflate, mut inflate) = (compressor(window_bits), zlib_rs::Inflate::new(false, 15));
            while left > 0 {
                let round: Vec<Vec<u8>> = texts
                    .iter()
                    .map(|text| {
                        let len = compress(&mut deflate, takeover, text.as_bytes(), &mut room);
                        room[..len].to_vec()
                    })
                    .collect();
                let begin = Instant::now();
                for message in round.iter().take(left) {
                    payload.clear();
                    payload.extend_from_slice(&message[..message.len() - 4]);
                    payload.extend_from_slice(b"\x00\x00\xff\xff");
                    if !takeover {
                        inflate.reset(false);
                    }
                    let before = inflate.total_out();
                    inflate.decompress(&payload, &mut room, zlib_rs::InflateFlush::SyncFlush).unwrap();
                    assert_eq!(inflate.total_out() - before, len as u64);
                    black_box(&room);
                }
                elapsed += begin.elapsed();
                if left < round.len() {
                    (deflate, inflate) = (compressor(window_bits), zlib_rs::Inflate::new(false, 15));
                }
                left -= left.min(round.len());
            }
            elapsed
        });
    });
}

fn memories() -> [(&'static str, DeflateMemory); 2] {
    [("dedicated", DeflateMemory::Dedicated), ("shared", DeflateMemory::Shared(DeflatePool::default()))]
}

/// A server and a client that have agreed on this.
fn ends(config: &DeflateConfig) -> (Connection, Connection) {
    let offer = config.offer();
    let (agreed, _) = config.accept(&extension::parse([offer.as_bytes()]).unwrap()).unwrap();
    let server = Connection::server(&Config::default()).with_deflate(config, agreed);
    (server, Connection::client(&Config::default()).with_deflate(config, agreed))
}

fn compressor(window_bits: u8) -> zlib_rs::Deflate {
    zlib_rs::Deflate::new(1, false, window_bits)
}

/// Puts the compressed text to the front of the room, and says how long it is.
fn compress(zlib: &mut zlib_rs::Deflate, takeover: bool, text: &[u8], room: &mut [u8]) -> usize {
    // a full flush is cheaper than a reset before the next
    let flush = if takeover { zlib_rs::DeflateFlush::SyncFlush } else { zlib_rs::DeflateFlush::FullFlush };
    let before = zlib.total_out();
    zlib.compress(text, room, flush).unwrap();
    usize::try_from(zlib.total_out() - before).unwrap()
}

/// 64 texts of chat messages: one of 1 KiB, or an array.
fn json(len: usize) -> Vec<String> {
    let words = ["hello", "there", "how", "are", "you", "today", "see", "the", "new", "build", "it", "works", "fine"];
    let mut seed = 1_u64;
    let mut below = |bound: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % bound
    };
    let mut text = || {
        let mut json = String::new();
        while json.len() < len {
            let (id, user, room) = (below(1 << 30), below(500), below(9));
            write!(json, r#"{{"id":{id},"user":"user{user}","room":{room},"text":""#).unwrap();
            for _ in 0..12 + below(20) {
                json += words[below(words.len())];
                json.push(' ');
            }
            write!(json, r#"","at":{}}},"#, 1_760_000_000 + below(1 << 20)).unwrap();
        }
        json.truncate(len);
        json
    };
    (0..64).map(|_| text()).collect()
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

const SIZES: [usize; 4] = [16, 125, 1 << 10, 16 << 10];

/// Octets of a page of memory.
const PAGE: usize = 4096;

/// Octets of a full read, and of a write.
const READ: usize = 16 << 10;

/// What a browser sends: 12 header fields.
const REQUEST: &[u8] = b"GET /chat?room=7 HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Connection: Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n\
    Upgrade: websocket\r\n\
    Origin: https://server.example.com\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
    \r\n";
