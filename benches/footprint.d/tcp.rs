//! What does an echo take that knows nothing of WebSockets?

use std::io::{self, Read, Write};
use std::net::TcpListener;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    let (mut stream, _) = listener.accept()?;
    let mut octets = [0; 4096];
    loop {
        let len = stream.read(&mut octets)?;
        if len == 0 {
            return Ok(());
        }
        stream.write_all(&octets[..len])?;
    }
}
