//! Nothing is lost, doubled or swapped, wherever a half is dropped and begun again.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, duplex, split};
use tokio::time::timeout;
use websocket_proto::{CloseCode, ProtocolError};

use super::peer::{Ending, Script, talk};
use super::stutter::{Stutter, interrupted};
use super::{Dice, opened, patience, server};
use crate::serve::{halves, serve};

/// One connection whose halves are interrupted all the time, on a stream that stutters.
async fn exchange(seed: u64) {
    let mut dice = Dice::new(seed);
    let Script { octets, ending, heard: expected } = Script::roll(&mut dice).expect("the script keeps the rules");
    let (ours, theirs) = duplex(1 + dice.below(300));
    let (reader, writer) = split(ours);
    let (reader, writer) = (Stutter::new(reader, dice.split()), Stutter::new(writer, dice.split()));
    let (early, rest) = octets.split_at(dice.below(octets.len()));
    let peer = tokio::spawn(talk(theirs, rest.to_vec(), ending));

    let (server, _end) = server(patience());
    let (mut reading, mut writing) = halves(reader, writer, opened(early), server.keepalive(), &server);
    let (for_reading, for_writing) = (dice.split(), dice.split());
    let write = async {
        let outcome = interrupted(&mut writing, for_writing, async |half| half.run().await).await;
        writing.finish().await.expect("the stream ends");
        outcome.expect("the connection ends")
    };
    let read = async move {
        interrupted(&mut reading, for_reading, async |half| half.run().await).await;
        reading.drain().await;
    };
    let ((), outcome) = tokio::join!(read, write);

    assert_eq!(peer.await.expect("the peer does not panic"), expected, "seed {seed}");
    let (clean, sent, error) = match ending {
        Ending::Close => (true, CloseCode(4000), None),
        Ending::Broken => (false, CloseCode::PROTOCOL_ERROR, Some(ProtocolError::ReservedOpCode)),
        Ending::Eof => (false, CloseCode::ABNORMAL, Some(ProtocolError::UnexpectedEof)),
    };
    assert_eq!((outcome.clean, outcome.sent, outcome.error), (clean, sent, error), "seed {seed}");
}

#[tokio::test(start_paused = true)]
async fn halves_that_are_dropped_at_any_await_and_begun_again_lose_nothing() {
    for seed in 0..200 {
        let exchanged = timeout(Duration::from_mins(1), exchange(seed)).await;
        assert!(exchanged.is_ok(), "seed {seed} is stuck");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_cancelled_ends_its_other_task() {
    let (ours, mut theirs) = duplex(1024);
    let (reader, writer) = split(ours);
    let (server, _end) = server(patience());
    let keepalive = server.keepalive();
    let cancelled = timeout(Duration::from_secs(5), serve(reader, writer, opened(b""), keepalive, &server)).await;
    assert!(cancelled.is_err(), "nothing has come");
    let mut answer = Vec::new();
    let ended = timeout(Duration::from_secs(1), theirs.read_to_end(&mut answer)).await;
    assert_eq!(ended.expect("both halves of the stream are dropped").expect("it ends"), 0);
}
