//! What a peer does not do in time ends it, and nobody else.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufWriter, DuplexStream, duplex, split};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use websocket_proto::{CloseCode, CloseOutcome, Config, Connection, Event, ReadBuffer, TimedOut, Timeouts};

use super::{opened, server};
use crate::Failure;
use crate::raw;
use crate::serve::{WAITING, halves, serve};
use crate::writing::PAUSE;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Serves one connection with these deadlines, on a stream that has to be flushed; when it is over, and how. The server
/// ends after so long.
fn start(timeouts: Timeouts, room: usize, end_after: Duration) -> (DuplexStream, JoinHandle<(u64, Outcome)>) {
    let (ours, theirs) = duplex(room);
    let serving = tokio::spawn(async move {
        let (server, end) = server(timeouts);
        let (reader, writer) = split(ours);
        let (began, keepalive) = (Instant::now(), server.keepalive());
        let ending = async {
            sleep(end_after).await;
            end.send_replace(true);
            sleep(secs(10_000)).await;
        };
        let outcome = tokio::select! {
            outcome = serve(reader, BufWriter::with_capacity(2000, writer), opened(b""), keepalive, &server) => outcome,
            () = ending => panic!("it never ends"),
        };
        (began.elapsed().as_secs(), outcome)
    });
    (theirs, serving)
}

type Outcome = Result<CloseOutcome, Failure>;

fn timed_out(outcome: &Outcome) -> Option<TimedOut> {
    outcome.as_ref().err().and_then(|failure| failure.downcast_ref()).copied()
}

/// The timeouts for ever, but for these.
fn timeouts(set: impl FnOnce(&mut Timeouts)) -> Timeouts {
    let mut timeouts = super::patience();
    set(&mut timeouts);
    timeouts
}

/// A client that answers everything, until the stream ends, and says something itself when it is pinged first; what it
/// heard, and after how many seconds.
async fn answering(mut stream: DuplexStream) -> Vec<(u64, String)> {
    let mut ws = Connection::client(&Config::default());
    let (mut input, mut output, mut heard) = (ReadBuffer::default(), Vec::new(), Vec::new());
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < secs(1000), "it never ends: {heard:?}");
        while let Some(event) = ws.receive(&mut input, &mut output).expect("the server keeps the rules") {
            let what = match event {
                Event::Ping(_) => String::from("ping"),
                Event::Close(Some(frame)) => frame.code.0.to_string(),
                Event::Text(text) => text.to_owned(),
                other => format!("{other:?}"),
            };
            heard.push((began.elapsed().as_secs(), what));
        }
        if heard.len() == 1 {
            ws.send_text("here", &mut output).expect("it is open");
        }
        stream.write_all(&output).await.expect("the server reads");
        output.clear();
        let n = stream.read(input.room(1024)).await.expect("the stream is there");
        input.filled(n);
        if n == 0 {
            return heard;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_pinged_then_closed_then_dropped() {
    let (mut peer, serving) = start(Timeouts::default(), 1024, secs(5000));
    let mut heard = Vec::new();
    peer.read_to_end(&mut heard).await.expect("it ends");
    assert_eq!(heard, b"\x89\x04\0\0\0\x01\x88\x11\x03\xf3no pong in time");
    let (ended, outcome) = serving.await.expect("no panic");
    assert_eq!((ended, timed_out(&outcome)), (60, Some(TimedOut::Pong)));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_lives_until_the_server_ends() {
    let (peer, serving) = start(Timeouts::default(), 1024, secs(100));
    let heard = answering(peer).await;
    let expected = [(30, "ping"), (30, "here"), (60, "ping"), (90, "ping"), (100, "1001")];
    assert_eq!(heard, expected.map(|(at, what)| (at, what.to_owned())));
    let (ended, outcome) = serving.await.expect("no panic");
    let outcome = outcome.expect("it ended well");
    assert_eq!((ended, outcome.clean, outcome.sent), (100, true, CloseCode::GOING_AWAY));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_answers_our_close_is_dropped() {
    let (mut peer, serving) = start(Timeouts::default(), 1024, secs(5));
    let mut heard = Vec::new();
    peer.read_to_end(&mut heard).await.expect("it ends");
    assert_eq!(heard, b"\x88\x02\x03\xe9");
    let (ended, outcome) = serving.await.expect("no panic");
    assert_eq!((ended, timed_out(&outcome)), (15, Some(TimedOut::Close)));
}

#[tokio::test(start_paused = true)]
async fn a_connection_of_no_use_is_closed() {
    let timeouts = timeouts(|timeouts| (timeouts.ping, timeouts.idle) = (secs(30), secs(70)));
    let (peer, serving) = start(timeouts, 1024, secs(5000));
    let heard = answering(peer).await;
    let expected = [(30, "ping"), (30, "here"), (60, "ping"), (90, "ping"), (100, "1001")];
    assert_eq!(heard, expected.map(|(at, what)| (at, what.to_owned())));
    assert!(serving.await.expect("no panic").1.expect("it ended well").clean);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_only_sends_is_bounded_and_dropped() {
    let mut ws = Connection::client(&Config::default());
    let mut flood = Vec::new();
    for _ in 0..1000 {
        ws.send_ping(&[b'!'; 125], &mut flood).expect("it is open");
    }
    let (ours, mut peer) = duplex(4096);
    let (server, _end) = server(timeouts(|timeouts| timeouts.write = secs(30)));
    let (reader, writer) = split(ours);
    let (mut reading, mut writing) = halves(reader, writer, opened(b""), server.keepalive(), &server);
    let sending = async {
        for _ in 0..100 {
            peer.write_all(&flood).await.expect("the server is there");
        }
    };
    let began = Instant::now();
    let outcome = tokio::select! {
        ((), ()) = async { tokio::join!(sending, reading.run()) } => panic!("all of the flood was taken"),
        outcome = writing.run() => outcome,
    };
    assert_eq!((timed_out(&outcome), began.elapsed()), (Some(TimedOut::Write), secs(30)));
    let held = writing.output.capacity();
    assert!(held <= 4 * PAUSE, "{held} octets of Pongs");
    assert_eq!(writing.from_reader.len(), WAITING);
}

#[tokio::test(start_paused = true)]
async fn octets_that_the_stream_holds_back_wait_as_well() {
    let timeouts = timeouts(|timeouts| timeouts.write = secs(30));
    let (mut peer, serving) = start(timeouts, 1024, secs(5000));
    let mut said = Vec::new();
    Connection::client(&Config::default()).send_binary(&[7; 1500], &mut said).expect("it is open");
    peer.write_all(&said).await.expect("the server reads");
    sleep(secs(10)).await;
    peer.read_exact(&mut [0; 4 + 1500]).await.expect("the echo"); // in time
    peer.write_all(&said).await.expect("the server reads");
    let (ended, outcome) = serving.await.expect("no panic");
    assert_eq!((ended, timed_out(&outcome)), (10 + 30, Some(TimedOut::Write)));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_is_not_taken_for_dead() {
    let mut ws = Connection::client(&Config::default());
    let mut said = Vec::new();
    for _ in 0..100 {
        ws.send_binary(&[7; 2048], &mut said).expect("it is open");
    }
    ws.close(CloseCode::NORMAL, "", &mut said).expect("it is open");
    let mut timeouts = Timeouts::default();
    timeouts.close = secs(1000); // all that waits before the Close has to be through by then
    let (peer, serving) = start(timeouts, 1024, secs(5000));
    let (mut reader, mut writer) = split(peer);
    tokio::spawn(async move { writer.write_all(&said).await });
    let (mut heard, mut some) = (0, [0; 1024]);
    loop {
        sleep(secs(5)).await;
        match reader.read(&mut some).await.expect("it ends") {
            0 => break,
            n => heard += n,
        }
    }
    assert!(heard >= 100 * (4 + 2048) + 4, "{heard} octets");
    let (ended, outcome) = serving.await.expect("no panic");
    assert!(outcome.expect("it ended well").clean);
    assert!(ended > 900, "{ended} s: it was slow");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_opens_nothing() {
    let (server, _end) = server(Timeouts::default());
    let (mut ours, mut theirs) = duplex(1024);
    let began = Instant::now();
    let opening = async {
        let (mut reader, mut writer) = split(&mut ours);
        let keepalive = server.keepalive();
        server.in_time(&keepalive, raw::open(&mut reader, &mut writer, &server.config)).await
    };
    let dripping = async {
        for octet in b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n" {
            theirs.write_all(&[*octet]).await.expect("it is read");
            sleep(secs(1)).await;
        }
    };
    let opened = tokio::select! {
        opened = opening => opened,
        () = dripping => unreachable!("it takes longer"),
    };
    assert!(opened.is_err());
    assert_eq!(began.elapsed(), secs(10));
}
