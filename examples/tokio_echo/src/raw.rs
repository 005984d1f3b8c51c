//! The door without hyper: the library's own handshake on the bare stream.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use websocket_proto::handshake::ServerHandshake;
use websocket_proto::{Config, ReadBuffer};

use crate::Failure;
use crate::serve::Opened;

/// Octets of a request to ask the stream for at a time.
const READ: usize = 4096;

/// Reads a request, on any path. The response is left in the output: whatever the server says first may go with it.
pub(crate) async fn open(
    reader: &mut (impl AsyncRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
    config: &Config,
) -> Result<Option<Opened>, Failure> {
    let mut handshake = ServerHandshake::new(config);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let error = loop {
        match handshake.receive(&mut input, &mut output) {
            Ok(Some(request)) => {
                let ws = request.accept().send(&mut output)?;
                return Ok(Some(Opened { ws, input, output }));
            }
            Ok(None) => {}
            Err(error) => break error,
        }
        let n = reader.read(input.room(READ)).await?;
        input.filled(n);
        if n == 0 {
            handshake.receive_eof()?;
        }
    };
    // The response says why; what the peer still sends is read, or a reset could overtake it.
    writer.write_all(&output).await?;
    writer.shutdown().await?;
    while reader.read(input.room(READ)).await? > 0 {}
    Err(error.into())
}
