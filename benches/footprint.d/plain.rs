//! What does an echo server with websocket-proto take?

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use websocket_proto::handshake::ServerHandshake;
use websocket_proto::{Config, Connection, Event, ReadBuffer};

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    let (mut stream, _) = listener.accept()?;
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let mut ws = accept(&mut stream, &mut input, &mut output)?;
    loop {
        while let Some(event) = ws.receive(&mut input, &mut output)? {
            match event {
                Event::Text(text) => ws.send_text(text, &mut output)?,
                Event::Binary(data) => ws.send_binary(data, &mut output)?,
                _ => {}
            }
        }
        stream.write_all(&output)?;
        output.clear();
        if !ws.wants_read() {
            return Ok(());
        }
        if read(&mut stream, &mut input)? == 0 {
            return Ok(ws.receive_eof()?);
        }
    }
}

fn accept(stream: &mut TcpStream, input: &mut ReadBuffer, output: &mut Vec<u8>) -> Result<Connection, Box<dyn Error>> {
    let config = Config::default();
    let mut handshake = ServerHandshake::new(&config);
    loop {
        if let Some(request) = handshake.receive(input, output)? {
            return Ok(request.accept().send(output)?);
        }
        if read(stream, input)? == 0 {
            handshake.receive_eof()?;
        }
    }
}

fn read(stream: &mut TcpStream, input: &mut ReadBuffer) -> std::io::Result<usize> {
    let len = stream.read(input.room(4096))?;
    input.filled(len);
    Ok(len)
}
