//! An open WebSocket on any stream of tokio: which tasks serve it?

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time;
use websocket_proto::{Backlog, CloseOutcome, Connection, Keepalive, ReadBuffer};

use crate::Failure;
use crate::clock::Heard;
use crate::reading::Reading;
use crate::server::Server;
use crate::writing::{PAUSE, Writing};

/// What the reading task has received and the writing task has not taken; so many messages may wait between them.
pub(crate) const WAITING: usize = 4;

/// How long to wait for a peer to end its half of the stream.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// A WebSocket that was just opened. Frames may have come behind the handshake already, and may have to go behind it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) ws: Connection,
    pub(crate) input: ReadBuffer,
    pub(crate) output: Vec<u8>,
}

/// Serves a connection to its end: another task reads, this one writes. If it is cancelled, the other one is too.
pub(crate) async fn serve<R, W>(
    reader: R,
    writer: W,
    opened: Opened,
    keepalive: Keepalive,
    server: &Server,
) -> Result<CloseOutcome, Failure>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Unpin,
{
    let (mut reading, mut writing) = halves(reader, writer, opened, keepalive, server);
    let mut tasks = JoinSet::new(); // which ends its tasks when it is dropped
    tasks.spawn(async move {
        reading.run().await;
        reading.drain().await;
    });
    let outcome = writing.run().await?;
    // All is written: our half of the stream ends, then the peer's, for which we wait a moment.
    let end = async {
        writing.finish().await?;
        tasks.join_next().await.transpose()?;
        Ok::<_, Failure>(())
    };
    let _ = time::timeout(LINGER, end).await;
    Ok(outcome)
}

/// The two halves; what the first receives goes to the second.
pub(crate) fn halves<R, W>(
    reader: R,
    writer: W,
    opened: Opened,
    mut keepalive: Keepalive,
    server: &Server,
) -> (Reading<R>, Writing<W>) {
    let Opened { ws, input, output } = opened;
    keepalive.opened(server.clock.now());
    let (receiver, sender) = ws.split();
    let (to_writer, from_reader) = mpsc::channel(WAITING);
    let heard = Heard::default();
    let clock = server.clock;
    let reading = Reading { reader, ws: receiver, input, to_writer, heard: heard.clone(), clock };
    let writing = Writing {
        writer,
        ws: sender,
        output,
        written: 0,
        is_unflushed: false,
        is_blocked: false,
        from_reader,
        // Nothing but what is taken from the reading task fills the output, so it cannot overflow.
        backlog: Backlog::new(PAUSE, usize::MAX),
        keepalive,
        heard,
        clock,
        ending: server.ending(),
        is_ending: false,
    };
    (reading, writing)
}
