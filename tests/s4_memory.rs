//! What the opening handshake allocates, with buffers that are warm.

#[path = "common/counting.rs"]
mod counting;

use counting::measure;
use websocket_proto::handshake::{Answer, ClientRequest, ServerHandshake, Uri, accept_value};
use websocket_proto::{Config, Connection, Random, ReadBuffer};

/// What a browser sends: 12 header fields.
const REQUEST: &[u8] = b"GET /chat?room=7 HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Connection: Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n\
    Upgrade: websocket\r\n\
    Origin: https://server.example.com\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
    \r\n";

fn fill(input: &mut ReadBuffer, octets: &[u8]) {
    input.spare(octets.len()).copy_from_slice(octets);
    input.filled(octets.len());
}

#[test]
fn a_browser_is_answered_with_two_allocations_however_its_request_is_cut() {
    let config = Config::default();
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let mut open = |cut: usize| {
        output.clear();
        let mut handshake = ServerHandshake::new(&config);
        let mut opened: Option<Connection> = None;
        for octets in REQUEST.chunks(cut) {
            fill(&mut input, octets);
            if let Some(request) = handshake.receive(&mut input, &mut output).unwrap() {
                opened = Some(request.accept().send(&mut output).unwrap());
            }
        }
        assert!(opened.is_some() && input.is_empty());
    };
    for cut in [REQUEST.len(), 100, 7, 1] {
        open(cut); // warm up
        let ((), allocations, _) = measure(|| open(cut));
        // one for the extensions that are offered, one for the parameters of the only one; none for the fields
        assert!(allocations <= 2, "{allocations} in pieces of {cut}");
    }
}

#[test]
fn a_client_opens_a_connection_without_allocations() {
    let config = Config::default();
    let uri = Uri::parse("ws://server.example.com/chat?room=7").unwrap();
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let accept = accept_value(b"AAAAAAAAAAAAAAAAAAAAAA==");
    let response = [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
        &accept[..],
        b"\r\n\r\n",
    ]
    .concat();
    let mut open = |random: Random| {
        output.clear();
        let mut handshake = ClientRequest::new(&uri).send_with_random(&config, random, &mut output).unwrap();
        fill(&mut input, &response);
        let answer = handshake.receive(&mut input).unwrap();
        assert!(matches!(answer, Some(Answer::Accepted { .. })));
    };
    let zeros = || Random::from_fn(|octets| octets.fill(0)); // of which the key above is made
    open(zeros()); // warm up
    let ((), allocations, _) = measure(|| open(zeros()));
    assert_eq!(allocations, 0);
}
