//! What is common to all connections: how many may there be, by which door do they come, and when is it over?

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time;
use websocket_proto::{CloseOutcome, Config, Keepalive, Timeouts};

use crate::clock::Clock;
use crate::say::say;
use crate::serve::{LINGER, serve};
use crate::writing::ended;
use crate::{Failure, raw, upgrade};

/// Octets that the stream takes before it has sent those before them.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 64 << 10;

/// What a connection is opened by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// hyper's upgrade.
    Hyper,
    /// The library's own handshake.
    Raw,
}

/// What is common to all connections.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    timeouts: Timeouts,
    connections: u32,
    /// One for each connection that there may be.
    places: Arc<Semaphore>,
    ending: watch::Receiver<bool>,
}

impl Server {
    pub(crate) fn new(config: Config, timeouts: Timeouts, connections: u32, ending: watch::Receiver<bool>) -> Self {
        let places = Arc::new(Semaphore::new(usize::try_from(connections).unwrap_or(usize::MAX)));
        Self { config, clock: Clock::start(), timeouts, connections, places, ending }
    }

    /// The deadlines of a connection that was just accepted.
    pub(crate) fn keepalive(&self) -> Keepalive {
        Keepalive::new(&self.timeouts, self.clock.now())
    }

    /// Tells when the server ends.
    pub(crate) fn ending(&self) -> watch::Receiver<bool> {
        self.ending.clone()
    }

    /// Accepts connections until the server ends, each of which gets a task.
    pub(crate) async fn accept(self: Arc<Self>, listener: TcpListener, door: Door) {
        let mut ending = self.ending();
        loop {
            // Cancelled here: whoever has no place yet is dropped, and so is the listener.
            let taken = tokio::select! {
                biased;
                () = ended(&mut ending) => return,
                taken = self.take(&listener) => taken,
            };
            match taken {
                Ok((place, stream, peer)) => {
                    tokio::spawn(Arc::clone(&self).connection(place, stream, peer, door));
                }
                Err(failure) => {
                    // too many files: those that are there go on, and this one may try again
                    say(format_args!("a connection could not be taken: {failure}"));
                    time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// The next connection. While there is no place for it nothing else is accepted, and waits in the listener's queue.
    async fn take(&self, listener: &TcpListener) -> Result<(OwnedSemaphorePermit, TcpStream, SocketAddr), Failure> {
        let (stream, peer) = listener.accept().await?;
        let place = Arc::clone(&self.places).acquire_owned().await?;
        Ok((place, stream, peer))
    }

    /// One connection, from its request to its end; its place is free again when it is dropped.
    async fn connection(
        self: Arc<Self>,
        _place: OwnedSemaphorePermit,
        stream: TcpStream,
        peer: SocketAddr,
        door: Door,
    ) {
        match self.talk(stream, door).await {
            Ok(Some(CloseOutcome { clean, sent, received, .. })) => {
                let how = if clean { "clean" } else { "not clean" };
                say(format_args!("closed {peer} {how}, sent {sent}, received {received}"));
            }
            Ok(None) => {}
            Err(failure) => say(format_args!("closed {peer} failed: {failure}")),
        }
    }

    async fn talk(&self, stream: TcpStream, door: Door) -> Result<Option<CloseOutcome>, Failure> {
        stream.set_nodelay(true)?;
        #[cfg(target_os = "linux")]
        say_early(&stream);
        let keepalive = self.keepalive();
        match door {
            Door::Hyper => {
                let opening = upgrade::open(stream, &self.config);
                let Some((stream, opened)) = self.in_time(&keepalive, opening).await? else { return Ok(None) };
                let (reader, writer) = stream.into_split();
                serve(reader, writer, opened, keepalive, self).await.map(Some)
            }
            Door::Raw => {
                let (mut reader, mut writer) = stream.into_split();
                let opening = raw::open(&mut reader, &mut writer, &self.config);
                let Some(opened) = self.in_time(&keepalive, opening).await? else { return Ok(None) };
                serve(reader, writer, opened, keepalive, self).await.map(Some)
            }
        }
    }

    /// Opens a connection, unless that takes too long or the server ends. Where it is cancelled nothing was promised to
    /// the peer, and the stream is dropped.
    pub(crate) async fn in_time<T>(
        &self,
        keepalive: &Keepalive,
        opening: impl Future<Output = Result<Option<T>, Failure>>,
    ) -> Result<Option<T>, Failure> {
        let mut ending = self.ending();
        tokio::select! {
            biased; // what is open is open
            opened = opening => opened,
            () = self.clock.sleep_until(keepalive.handshake_deadline()) => Err("no request in time".into()),
            () = ended(&mut ending) => Ok(None),
        }
    }

    /// Waits until all connections are over, which their deadlines see to.
    pub(crate) async fn all_over(&self) {
        let patience = self.timeouts.close.saturating_add(LINGER);
        let _ = time::timeout(patience, self.places.acquire_many(self.connections)).await;
    }
}

/// Has the stream say early that it takes more: by itself it would wait until a third of its send buffer is free, which
/// may be a megabyte, and a peer that reads slowly be taken for one that does not.
#[cfg(target_os = "linux")]
fn say_early(stream: &TcpStream) {
    // a system that does not know of this (some that emulate Linux) serves the peers that are not that slow
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT);
}
