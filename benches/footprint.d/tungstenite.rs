//! What does an echo server with tungstenite take?

use std::error::Error;
use std::net::TcpListener;

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    let (stream, _) = listener.accept()?;
    let mut ws = tungstenite::accept(stream).map_err(|error| error.to_string())?;
    loop {
        match ws.read() {
            Ok(message) if message.is_text() || message.is_binary() => ws.send(message)?,
            Ok(_) => {}
            Err(tungstenite::Error::ConnectionClosed) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
