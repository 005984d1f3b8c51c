//! How long does the server put up with a peer that does this?

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use socket2::SockRef;
use websocket_proto::SendError;
use websocket_proto::wire::{FrameHeader, OpCode};

use super::Failure;
use super::blocking::{Socket, is_gone, until_closed};

/// Between two octets of those who are slow.
const DRIP: Duration = Duration::from_millis(100);

/// Sends the head of a request octet by octet, and never the end of it.
pub(super) fn slow_handshake(address: SocketAddr) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DRIP))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: ")?;
    until_closed(|| {
        let is_closed = is_gone(stream.write(b"x"))?;
        Ok(is_closed || is_gone(stream.read(&mut [0]))?)
    })
}

/// Sends as much as it can of one kind of frame, and reads nothing.
pub(super) fn slow_reader(address: SocketAddr, opcode: OpCode, len: u32) -> Result<(), Failure> {
    let mut socket = Socket::open(address, "/")?;
    SockRef::from(&socket.stream).set_recv_buffer_size(4096)?;
    socket.stream.set_write_timeout(Some(DRIP))?;
    let mut frames = Vec::new();
    while frames.len() < 64 << 10 {
        frame(opcode, len, &mut frames)?;
        frames.resize(frames.len() + len as usize, 0);
    }
    let mut written = 0;
    until_closed(|| {
        let done = socket.stream.write(&frames[written % frames.len()..]);
        written += done.as_ref().map_or(0, |n| *n);
        is_gone(done)
    })
}

/// Neither reads nor writes any more, as a machine that has lost its network.
pub(super) fn half_open(address: SocketAddr) -> Result<(), Failure> {
    let socket = Socket::open(address, "/")?;
    socket.stream.set_nonblocking(true)?;
    let mut stream = mio::net::TcpStream::from_std(socket.stream);
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1));
    poll.registry().register(&mut stream, Token(0), Interest::READABLE)?;
    // the poll says that the stream has ended, although nobody reads
    until_closed(|| {
        poll.poll(&mut events, Some(DRIP))?;
        Ok(events.iter().any(|event| event.is_read_closed() || event.is_error()))
    })
}

/// Resets the connection amid a frame.
pub(super) fn reset(address: SocketAddr) -> Result<(), Failure> {
    let mut socket = Socket::open(address, "/")?;
    let mut half = Vec::new();
    frame(OpCode::Binary, 100_000, &mut half)?;
    half.resize(half.len() + 50_000, 0);
    socket.stream.write_all(&half)?;
    Ok(SockRef::from(&socket.stream).set_linger(Some(Duration::ZERO))?)
}

/// Sends a message octet by octet, so that it is never silent, while a neighbour's messages are echoed all the time.
pub(super) fn drip(address: SocketAddr) -> Result<(), Failure> {
    let (mut socket, mut neighbour) = (Socket::open(address, "/")?, Socket::open(address, "/")?);
    let mut begin = Vec::new();
    frame(OpCode::Text, 1000, &mut begin)?;
    socket.stream.write_all(&begin)?;
    socket.stream.set_read_timeout(Some(Duration::from_millis(1)))?;
    until_closed(|| {
        neighbour.echo("still here")?;
        thread::sleep(DRIP);
        let is_closed = is_gone(socket.stream.write(b"x"))?;
        Ok(is_closed || is_gone(socket.stream.read(&mut [0; 64]))?)
    })?;
    neighbour.echo("and afterwards")
}

/// The header of a frame whose mask changes nothing.
fn frame(opcode: OpCode, len: u32, output: &mut Vec<u8>) -> Result<(), SendError> {
    FrameHeader { fin: true, reserved: 0, opcode, mask: Some([0; 4]), payload_len: len.into() }.encode(output)
}
