//! Any octets as a response: whole and cut, the same answer, the same body or the same frames behind it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket_proto::handshake::{Answer, ClientHandshake, ClientRequest, Uri};
use websocket_proto::{Config, HandshakeError, Random, ReadBuffer};
use websocket_proto_fuzz::{Door, Endpoint, Seen, config, cut, deflate, fill, parts};

fuzz_target!(|data: &[u8]| {
    let Some((choices, sizes, octets)) = parts(data) else { return };
    let mut config = config(choices);
    config.deflate = (choices & 16 != 0).then(|| deflate(choices >> 2 & 0x38 | choices >> 5 & 3));
    let whole = understand(&config, &[octets]);
    assert_eq!(whole, understand(&config, &cut(octets, sizes)), "whole, and cut by {sizes:?}");
    assert_eq!(whole, understand(&config, &cut(octets, &[])), "whole, and octet by octet");
});

/// The answer as it was understood, and what came behind it.
#[derive(Debug, PartialEq)]
enum Understood {
    Accepted(String, Seen),
    /// The response; the body and whether it was complete, or what was wrong with it.
    Rejected(String, Vec<u8>, Result<bool, HandshakeError>),
    Failed(HandshakeError),
}

/// `None`: the response is not complete.
fn understand(config: &Config, pieces: &[&[u8]]) -> Option<Understood> {
    let mut handshake = begin(config);
    let mut input = ReadBuffer::default();
    let mut rest = pieces.iter();
    while let Some(piece) = rest.next() {
        fill(&mut input, piece);
        let come = input.len();
        match handshake.receive(&mut input) {
            Ok(None) => assert!(input.len() <= come),
            Ok(Some(Answer::Accepted { connection, response, .. })) => {
                let debug = format!("{response:?}");
                let mut endpoint = Endpoint::open(connection, input, Door::Owned);
                endpoint.drain();
                rest.for_each(|piece| endpoint.feed(piece));
                return Some(Understood::Accepted(debug, endpoint.finish().merged()));
            }
            Ok(Some(Answer::Rejected { response, mut body, .. })) => {
                let debug = format!("{response:?}");
                let mut page = Vec::new();
                let mut end = Ok(());
                for piece in [&[][..]].iter().chain(rest) {
                    fill(&mut input, piece);
                    while end.is_ok() {
                        match body.receive(&mut input) {
                            Ok(None) => break,
                            Ok(Some([])) => panic!("an empty piece"),
                            Ok(Some(piece)) => page.extend_from_slice(piece),
                            Err(error) => end = Err(error),
                        }
                    }
                }
                return Some(Understood::Rejected(debug, page, end.map(|()| body.is_complete())));
            }
            Err(error) => {
                rest.for_each(|piece| fill(&mut input, piece));
                assert!(matches!(handshake.receive(&mut input), Ok(None)), "it is over");
                assert_eq!(handshake.receive_eof(), Ok(()));
                return Some(Understood::Failed(error));
            }
        }
    }
    assert_eq!(handshake.receive_eof(), Err(HandshakeError::UnexpectedEof));
    None
}

/// The request of RFC 6455 §1.3, with the nonce that makes its key.
fn begin(config: &Config) -> ClientHandshake {
    let uri = Uri::parse("ws://server.example.com/chat").expect("it is one");
    let nonce = Random::from_fn(|octets| octets.iter_mut().zip(b"the sample nonce").for_each(|(octet, n)| *octet = *n));
    let request = ClientRequest::new(&uri).subprotocol("chat").subprotocol("superchat");
    let mut output = Vec::new();
    let handshake = request.send_with_random(config, nonce, &mut output).expect("all of it may be sent");
    assert!(String::from_utf8_lossy(&output).contains("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
    handshake
}
