//! Any octets as a request: whole and cut, the same request or refusal, the same response, the same frames behind it.
//! Who has pages, too, is handed out what others refuse, and all else as others.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket_proto::handshake::{Asked, OriginPolicy, ServerHandshake, accept_value};
use websocket_proto::{Config, HandshakeError, ReadBuffer};
use websocket_proto_fuzz::{Door, Endpoint, Seen, config, cut, deflate, fill, parts};

fuzz_target!(|data: &[u8]| {
    let Some((choices, sizes, octets)) = parts(data) else { return };
    let mut config = config(choices);
    config.deflate = (choices & 16 != 0).then(|| deflate(choices >> 2 & 0x38 | choices >> 5 & 3));
    let has_pages = choices & 8 != 0;
    let whole = answer(&config, has_pages, &[octets]);
    assert_eq!(whole, answer(&config, has_pages, &cut(octets, sizes)), "whole, and cut by {sizes:?}");
    assert_eq!(whole, answer(&config, has_pages, &cut(octets, &[])), "whole, and octet by octet");
    if has_pages {
        let without = answer(&config, false, &[octets]);
        match whole {
            Some((Ok(page), _, None)) => assert!(matches!(without, Some((Err(_), ..))), "{page}, but {without:?}"),
            whole => assert_eq!(whole, without, "with pages, and without"),
        }
    }
});

/// The request as it was understood, the response, and what became of the connection.
type Answered = (Result<String, HandshakeError>, Vec<u8>, Option<Seen>);

/// `None`: the request is not complete.
fn answer(config: &Config, has_pages: bool, pieces: &[&[u8]]) -> Option<Answered> {
    let mut handshake = ServerHandshake::new(config);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let mut rest = pieces.iter();
    while let Some(piece) = rest.next() {
        fill(&mut input, piece);
        let come = input.len();
        let asked = if has_pages {
            handshake.receive_any(&mut input, &mut output)
        } else {
            handshake.receive(&mut input, &mut output).map(|request| request.map(Asked::WebSocket))
        };
        match asked {
            Ok(None) => assert!(output.is_empty() && input.len() == come),
            Ok(Some(Asked::Page(page))) => {
                let debug = format!("{page:?}");
                assert!(page.path().starts_with('/'));
                page.answer(200).body(b"well").send(&mut output).expect("all of it may be sent");
                assert!(output.starts_with(b"HTTP/1.1 200 ") && output.ends_with(b"well"));
                assert_eq!(handshake.receive_eof(), Ok(()));
                return Some((Ok(debug), output, None));
            }
            Ok(Some(Asked::WebSocket(request))) => {
                let debug = format!("{request:?}");
                let key = request.headers().get("Sec-WebSocket-Key").expect("it was found");
                judge(request.origin());
                let best = request.subprotocols().first().copied();
                assert_eq!(request.select_subprotocol(&best.map_or(vec![], |best| vec!["none of these", best])), best);
                let ws = request.accept().header("X", "y").send(&mut output).expect("all of it may be sent");
                let accept = accept_value(key);
                assert!(
                    output.windows(accept.len()).any(|window| window == accept) && output.ends_with(b"X: y\r\n\r\n")
                );
                assert_eq!(handshake.receive_eof(), Ok(()));
                let mut endpoint = Endpoint::open(ws, input, Door::Borrowed);
                endpoint.drain();
                rest.for_each(|piece| endpoint.feed(piece));
                return Some((Ok(debug), output, Some(endpoint.finish().merged())));
            }
            Err(error) => {
                let status = format!("HTTP/1.1 {} ", error.status().expect("it is the client's fault"));
                assert!(output.starts_with(status.as_bytes()));
                let len = output.len();
                for piece in rest {
                    fill(&mut input, piece);
                    assert!(matches!(handshake.receive(&mut input, &mut output), Ok(None)));
                    assert!(input.is_empty(), "what else comes is discarded");
                }
                assert_eq!((handshake.receive_eof(), output.len()), (Ok(()), len));
                return Some((Err(error), output, None));
            }
        }
    }
    assert_eq!(handshake.receive_eof(), Err(HandshakeError::UnexpectedEof));
    None
}

/// What is an origin is allowed by the list that has it, and by none that has another.
fn judge(origin: Option<&[u8]>) {
    assert!(OriginPolicy::any().allows(origin));
    let Some(text) = origin.and_then(|origin| std::str::from_utf8(origin).ok()) else { return };
    match OriginPolicy::new([text]) {
        Ok(policy) => assert!(policy.allows(origin) && !policy.allows(None)),
        Err(_) => {
            let others = OriginPolicy::new(["https://example.com", "http://[::1]:8080"]).expect("right");
            assert!(!others.allows(origin), "{text:?} is no origin");
        }
    }
}
