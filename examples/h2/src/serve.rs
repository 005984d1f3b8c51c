//! Connections: TLS and HTTP/2, and when they end.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::server::Connection;
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use websocket_proto::Timeouts;

use crate::say::say;
use crate::{Failure, config, request};

/// A connection of HTTP/2.
type Http = Connection<TlsStream<TcpStream>, Bytes>;

/// Connections at a time; more have to wait.
const MOST: usize = 64;

/// How long all may take at the end: the peers' answers to our Close, and theirs to our GOAWAY.
const GOODBYE: Duration = Duration::from_secs(3);

/// What all connections know.
struct Server {
    tls: TlsAcceptor,
    timeouts: Timeouts,
    /// How long a connection may be without a stream.
    vacant: Duration,
    /// Changes when the server is told to end.
    ending: watch::Receiver<()>,
}

/// Serves until the program is told to end.
pub(crate) async fn serve(listen: &str, tls: TlsAcceptor, timeouts: Timeouts, vacant: Duration) -> Result<(), Failure> {
    let listener = TcpListener::bind(listen).await.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let (end, mut ending) = watch::channel(());
    ctrlc::set_handler(move || end.send_replace(()))?;
    say(format_args!("listening on https://{}", listener.local_addr()?));

    let server = Arc::new(Server { tls, timeouts, vacant, ending: ending.clone() });
    let mut connections = JoinSet::new();
    loop {
        select! {
            taken = listener.accept(), if connections.len() < MOST => match taken {
                Ok((tcp, peer)) => drop(connections.spawn(Arc::clone(&server).connection(tcp, peer))),
                Err(error) => {
                    // too many files: those that are there go on, and this one may try again
                    say(format_args!("a connection could not be taken: {error}"));
                    sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = ending.changed() => break,
        }
    }
    drop(listener);
    let _ = timeout(GOODBYE, async { while connections.join_next().await.is_some() {} }).await;
    Ok(())
}

impl Server {
    /// One connection, from the first octet of TLS to the last.
    async fn connection(self: Arc<Self>, tcp: TcpStream, peer: SocketAddr) {
        let served = match timeout(self.timeouts.handshake, self.handshakes(tcp)).await {
            Ok(Ok(http)) => self.streams(http, peer).await,
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err("the handshakes take too long".into()),
        };
        match served {
            Ok(()) => say(format_args!("left {peer}")),
            Err(failure) => say(format_args!("lost {peer}: {failure}")),
        }
    }

    /// The handshake of TLS, in which the client has to choose HTTP/2, and that of HTTP/2.
    async fn handshakes(&self, tcp: TcpStream) -> Result<Http, Failure> {
        tcp.set_nodelay(true)?;
        let tls = self.tls.accept(tcp).await?;
        match tls.get_ref().1.alpn_protocol() {
            Some(config::ALPN) => Ok(config::http().handshake(tls).await?),
            _ => Err("the client does not speak HTTP/2".into()),
        }
    }

    /// A task for each stream. The connection ends when the client ends it, when it has had no stream for a while, or
    /// with the server; then by GOAWAY, and the streams that are open may go on for a while.
    async fn streams(&self, mut http: Http, peer: SocketAddr) -> Result<(), Failure> {
        let mut streams = JoinSet::new();
        let mut ending = self.ending.clone();
        let mut leaves_at = None;
        let ended = loop {
            let vacant_at = Instant::now().checked_add(self.vacant);
            select! {
                accepted = http.accept() => match accepted {
                    Some(Ok((request, respond))) => {
                        let (timeouts, ending) = (self.timeouts, self.ending.clone());
                        streams.spawn(async move {
                            let how = request::answer(request, respond, peer, &timeouts, ending).await;
                            how.unwrap_or_else(|failure| say(format_args!("{peer} could not be answered: {failure}")));
                        });
                    }
                    Some(Err(error)) => break Err(error.into()),
                    None => break Ok(()),
                },
                Some(_) = streams.join_next() => {}
                _ = ending.changed(), if leaves_at.is_none() => {
                    http.graceful_shutdown();
                    leaves_at = Some(Instant::now() + GOODBYE);
                }
                () = at(vacant_at), if leaves_at.is_none() && streams.is_empty() => {
                    http.graceful_shutdown();
                    leaves_at = Some(Instant::now() + GOODBYE);
                }
                () = at(leaves_at) => break Ok(()),
            }
        };
        drop(http); // now all streams are over, and their tasks see that
        while streams.join_next().await.is_some() {}
        ended
    }
}

/// Waits for that time; for ever, if there is none.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
