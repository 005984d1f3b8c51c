//! What does an echo with fastwebsockets take, behind somebody else's handshake, on the runtime that it is used with?

use fastwebsockets::{FragmentCollector, OpCode, Role, WebSocket, WebSocketError};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

fn main() -> Result<(), WebSocketError> {
    Builder::new_current_thread().enable_io().build()?.block_on(echo())
}

async fn echo() -> Result<(), WebSocketError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    let (stream, _) = listener.accept().await?;
    let mut ws = FragmentCollector::new(WebSocket::after_handshake(stream, Role::Server));
    loop {
        let frame = ws.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => ws.write_frame(frame).await?,
            _ => {}
        }
    }
}
