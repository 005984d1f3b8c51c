//! What does an echo with websocket-proto take, behind somebody else's handshake?

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpListener;

use websocket_proto::{Config, Connection, Event, ReadBuffer};

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    let (mut stream, _) = listener.accept()?;
    let mut ws = Connection::server(&Config::default());
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    while ws.wants_read() {
        let len = stream.read(input.room(4096))?;
        input.filled(len);
        if len == 0 {
            return Ok(ws.receive_eof()?);
        }
        while let Some(event) = ws.receive(&mut input, &mut output)? {
            match event {
                Event::Text(text) => ws.send_text(text, &mut output)?,
                Event::Binary(data) => ws.send_binary(data, &mut output)?,
                _ => {}
            }
        }
        stream.write_all(&output)?;
        output.clear();
    }
    Ok(())
}
