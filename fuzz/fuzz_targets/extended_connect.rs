//! Any header list as a request by extended CONNECT and as a response to one: what is accepted says what it has to,
//! once, and an acceptance is understood by the other end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket_proto::handshake::{Answer, ClientRequest, ExtendedConnect, Request, Uri};
use websocket_proto::{Config, Random};

fuzz_target!(|data: &[u8]| {
    // a field is a line, its value is behind the first `=`
    let fields = || {
        data.split(|&octet| octet == b'\n').map(|line| {
            let at = line.iter().position(|&octet| octet == b'=').unwrap_or(line.len());
            (&line[..at], line.get(at + 1..).unwrap_or_default())
        })
    };
    let config = Config::default();
    if let Ok(request) = Request::extended_connect(fields(), &config) {
        for needed in [&b":method"[..], b":protocol", b":scheme", b":path", b"sec-websocket-version"] {
            assert_eq!(fields().filter(|(name, _)| *name == needed).count(), 1);
        }
        assert!(request.path().starts_with('/') && !request.authority().is_empty());
        let name = request.subprotocols().first().copied();
        let accept = request.accept();
        let accept = if let Some(name) = name { accept.subprotocol(name) } else { accept };
        let (head, _) = accept.respond().expect("what was offered may be selected");

        let uri = Uri::parse("wss://server.example.com/").expect("it is one");
        let offer = ClientRequest::new(&uri);
        let offer = if let Some(name) = name { offer.subprotocol(name) } else { offer };
        let (_, mut handshake) = offer
            .extended_connect_with_random(ExtendedConnect::Enabled, &config, Random::from_fn(|_| {}))
            .expect("what was offered before may be offered again");
        let Ok(Some(Answer::Accepted { response, .. })) = handshake.receive(head.fields()) else { panic!("{head:?}") };
        assert_eq!(response.subprotocol(), name);
    }
    let uri = Uri::parse("wss://server.example.com/").expect("it is one");
    let (_, mut handshake) = ClientRequest::new(&uri)
        .subprotocol("chat")
        .extended_connect_with_random(ExtendedConnect::Enabled, &config, Random::from_fn(|_| {}))
        .expect("all of it may be sent");
    match handshake.receive(fields()) {
        Ok(None) => {}
        Ok(Some(Answer::Accepted { response, .. } | Answer::Rejected { response, .. })) => {
            assert!((200..=999).contains(&response.status()));
            assert_eq!(fields().filter(|(name, _)| name.starts_with(b":")).count(), 1);
            assert_eq!(handshake.receive_eof(), Ok(()));
        }
        Err(_) => assert_eq!(handshake.receive_eof(), Ok(())),
    }
});
