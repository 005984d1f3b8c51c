//! RFC 7692 §5: do both ends agree, whatever each of them wants, and on nothing that the other has not allowed?

#![cfg(feature = "deflate")]

mod common;

use common::handshake::REQUEST;
use common::negotiation::{Naive, answer, config, naive_params, serve, whole};
use common::{frame_from, hex};
use proptest::collection::vec;
use proptest::prelude::*;
use websocket_proto::deflate::DeflateConfig;
use websocket_proto::handshake::{Answer, ClientRequest, Request, ServerHandshake, Uri};
use websocket_proto::wire::extension;
use websocket_proto::{CloseCode, Config, Connection, HandshakeError, HeadError, ProtocolError, ReadBuffer, Role};

/// Both ends of what these two configurations come to, over HTTP/1.1; the server may decline all of it.
fn open(client: &Config, server: &Config, declines: bool) -> [Connection; 2] {
    let uri = Uri::parse("ws://server.example.com/chat").unwrap();
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let random = common::fixed_random();
    let mut handshake = ClientRequest::new(&uri).send_with_random(client, random, &mut to_server).unwrap();
    let mut input = ReadBuffer::default();
    input.extend_from_slice(&to_server);
    let request = ServerHandshake::new(server).receive(&mut input, &mut to_client).unwrap().unwrap();
    let accept = if declines { request.accept().without_deflate() } else { request.accept() };
    let server = accept.send(&mut to_client).unwrap();
    let mut input = ReadBuffer::default();
    input.extend_from_slice(&to_client);
    let Some(Answer::Accepted { connection, .. }) = handshake.receive(&mut input).unwrap() else { panic!() };
    [connection, server]
}

fn with_deflate() -> Config {
    whole(Some(&DeflateConfig::default()))
}

/// All configurations with these windows.
fn grid(windows: &[u8], peer_windows: &[u8]) -> Vec<DeflateConfig> {
    let mut grid = Vec::new();
    for &window_bits in windows {
        for &peer_window_bits in peer_windows {
            for flags in 0..8 {
                let [takeover, peer_takeover, fallback] = [1, 2, 4].map(|flag| flags & flag != 0);
                grid.push(config(|deflate| {
                    (deflate.window_bits, deflate.peer_window_bits) = (window_bits, peer_window_bits);
                    (deflate.takeover, deflate.peer_takeover, deflate.fallback) = (takeover, peer_takeover, fallback);
                }));
            }
        }
    }
    grid
}

/// What a client and a server of ours come to, by the rules: nothing, if the client needs the server's window to be 8.
fn expected(client: &DeflateConfig, server: &DeflateConfig) -> Option<Naive> {
    let server_most = server.window_bits.clamp(9, 15);
    let (of_server, of_client) = (client.peer_window_bits.clamp(8, 15), server.peer_window_bits.clamp(8, 15));
    let agreed = Naive {
        server_takeover: server.takeover && client.peer_takeover,
        client_takeover: client.takeover && server.peer_takeover,
        server_bits: server_most.min(of_server),
        client_bits: of_client,
    };
    match (of_server, client.fallback) {
        (8, false) => None,
        (8, true) => Some(Naive { server_takeover: server.takeover, server_bits: server_most, ..agreed }),
        _ => Some(agreed),
    }
}

#[test]
fn s5_any_two_ends_agree() {
    // 7692-5-2, 7692-5-8, 7692-5-1, 7692-7.1.1.1-2, 7692-7.1.1.2-2, 7692-7.1.2.1-2, 7692-7.1.2.2-3, 7692-7.1.2-1
    // 7692-7.1.2-2
    let grid = grid(&[0, 9, 12, 15], &[8, 10, 15]);
    for client in &grid {
        let offer = client.offer();
        let offers = extension::parse([offer.as_bytes()]).unwrap();
        for server in &grid {
            let answer = server.accept(&offers);
            assert_eq!(
                answer.as_ref().map(|(agreed, _)| (*agreed).into()),
                expected(client, server),
                "{offer} {server:?}"
            );
            let Some((agreed, answer)) = answer else { continue };
            let response = extension::parse([answer.as_bytes()]).unwrap();
            assert_eq!(client.settle(&response), Ok(Some(agreed)), "{answer} to {offer}");
            // and what the agreement says of itself is the same again, where the offer has no more to say
            let said = agreed.to_string();
            assert_eq!(naive_params(&said), agreed.into());
            assert!(said == answer || said.len() < answer.len(), "{said} is no shorter than {answer}");
        }
    }
}

#[test]
fn s7_1_1_all_takeovers() {
    // 7692-7.1.1.1-1, 7692-7.1.1.1-2, 7692-7.1.1.1-4, 7692-7.1.1.2-1, 7692-7.1.1.2-2, 7692-7.1.1.2-3, 7692-5-8
    for flags in 0..16 {
        let [client_own, client_peer, server_own, server_peer] = [1, 2, 4, 8].map(|flag| flags & flag != 0);
        let client = config(|deflate| (deflate.takeover, deflate.peer_takeover) = (client_own, client_peer));
        let server = config(|deflate| (deflate.takeover, deflate.peer_takeover) = (server_own, server_peer));
        let [client, server] = open(&whole(Some(&client)), &whole(Some(&server)), false);
        let agreed = client.deflate().unwrap();
        assert_eq!(server.deflate(), Some(agreed));
        assert_eq!(agreed.server_no_context_takeover(), !(server_own && client_peer));
        assert_eq!(agreed.client_no_context_takeover(), !(client_own && server_peer));
    }
    // a hint that is not taken binds nobody
    let forgets = config(|deflate| deflate.takeover = false);
    let agreed = answer(Some(&forgets), Some("permessage-deflate")).unwrap().unwrap();
    assert!(!agreed.client_no_context_takeover());
}

/// One element, as it is read here: what is not permessage-deflate, or not valid, is none.
#[derive(Debug, Default)]
struct Said {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// 0 without a value.
    client_max_window_bits: Option<u8>,
}

fn said(element: &str) -> Option<Said> {
    let mut parts = element.split("; ");
    if parts.next() != Some("permessage-deflate") {
        return None;
    }
    let params: Vec<&str> = parts.collect();
    let names: Vec<&str> = params.iter().map(|param| param.split('=').next().unwrap()).collect();
    for (i, name) in names.iter().enumerate() {
        if names[..i].contains(name) {
            return None;
        }
    }
    let mut said = Said::default();
    for param in params {
        match param {
            "server_no_context_takeover" => said.server_no_context_takeover = true,
            "client_no_context_takeover" => said.client_no_context_takeover = true,
            "client_max_window_bits" => said.client_max_window_bits = Some(0),
            _ => {
                let (name, value) = param.split_once('=')?;
                let bits = (8..=15).find(|bits: &u8| bits.to_string() == value.trim_matches('"'))?;
                match name {
                    "server_max_window_bits" => said.server_max_window_bits = Some(bits),
                    "client_max_window_bits" => said.client_max_window_bits = Some(bits),
                    _ => return None,
                }
            }
        }
    }
    Some(said)
}

/// Whether a server may say this to that offer.
fn may_answer(answer: &Said, offer: &Said) -> bool {
    if offer.server_no_context_takeover && !answer.server_no_context_takeover {
        return false;
    }
    if let Some(most) = offer.server_max_window_bits
        && answer.server_max_window_bits.is_none_or(|bits| bits > most)
    {
        return false;
    }
    match answer.client_max_window_bits {
        Some(0) => false,
        Some(_) => offer.client_max_window_bits.is_some(),
        None => true,
    }
}

fn params_of(said: &Said) -> Naive {
    Naive {
        server_takeover: !said.server_no_context_takeover,
        client_takeover: !said.client_no_context_takeover,
        server_bits: said.server_max_window_bits.unwrap_or(15),
        client_bits: said.client_max_window_bits.unwrap_or(15),
    }
}

/// Lists of elements made of names and values that are right or nearly so.
fn elements(most: usize) -> impl Strategy<Value = Vec<String>> {
    let name = prop::sample::select(vec![
        "server_no_context_takeover",
        "client_no_context_takeover",
        "server_max_window_bits",
        "client_max_window_bits",
        "client_max_window_bits",
        "server_max_window_bits",
        "foo",
    ]);
    let value = prop_oneof![
        4 => Just(String::new()),
        6 => (7..=16_u8).prop_map(|bits| format!("={bits}")),
        1 => prop::sample::select(vec!["=08", "=+9", "=1", "=x", "=\"12\""]).prop_map(str::to_owned),
    ];
    let likely = prop::sample::select(vec![
        "server_no_context_takeover",
        "client_no_context_takeover",
        "server_max_window_bits=15",
        "server_max_window_bits=11",
        "server_max_window_bits=8",
        "client_max_window_bits",
        "client_max_window_bits=13",
        "client_max_window_bits=8",
    ]);
    let any = (name, value).prop_map(|(name, value)| name.to_owned() + &value);
    let param = prop_oneof![1 => any, 3 => likely.prop_map(str::to_owned)];
    let name = prop_oneof![9 => Just("permessage-deflate"), 1 => Just("x")];
    let element =
        (name, vec(param, 0..=4)).prop_map(|(name, params)| [vec![name.to_owned()], params].concat().join("; "));
    vec(element, 1..=most)
}

fn any_config() -> impl Strategy<Value = DeflateConfig> {
    (8..=15_u8, 8..=15_u8, any::<[bool; 3]>(), any::<bool>()).prop_map(|(own, peer, [a, b, c], is_open)| {
        config(|deflate| {
            (deflate.window_bits, deflate.peer_window_bits) = (own, if is_open { 15 } else { peer });
            (deflate.takeover, deflate.peer_takeover, deflate.fallback) = (a, b, c);
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s5_a_server_answers_the_first_offer_that_it_can_accept(server in any_config(), offers in elements(3)) {
        // 7692-5-2, 7692-5-3, 7692-5-4, 7692-5-6, 7692-7-1, 7692-7.1.1.1-2, 7692-7.1.2.1-2, 7692-7.1.2.2-2
        // 7692-7.1.2.2-3, 6455-9-1
        let limits_client = server.peer_window_bits < 15 && !server.fallback;
        let acceptable = offers.iter().filter_map(|offer| said(offer)).find(|offer| {
            offer.server_max_window_bits != Some(8) && (offer.client_max_window_bits.is_some() || !limits_client)
        });
        let served = serve(&server, &offers.join(", ")).unwrap();
        prop_assert_eq!(served.is_some(), acceptable.is_some());
        if let (Some((agreed, answer)), Some(offer)) = (served, acceptable) {
            let said = said(&answer).unwrap();
            prop_assert!(may_answer(&said, &offer), "{answer}");
            prop_assert_eq!(Naive::from(agreed), params_of(&said), "what it says is what it does");
            prop_assert!(agreed.server_max_window_bits() <= server.window_bits.max(9));
            prop_assert!(server.takeover || agreed.server_no_context_takeover());
            prop_assert!(server.peer_takeover || agreed.client_no_context_takeover());
            if offer.client_max_window_bits.is_some() {
                prop_assert!(agreed.client_max_window_bits() <= server.peer_window_bits);
            }
            if let Some(hint @ 8..) = offer.client_max_window_bits {
                prop_assert!(agreed.client_max_window_bits() <= hint);
            }
        }
    }

    #[test]
    fn s5_a_client_takes_what_answers_an_offer(client in any_config(), response in elements(2)) {
        // 7692-5-5, 7692-5-7, 7692-5-8, 7692-7-2, 7692-7.1.1.1-4, 7692-7.1.1.2-3, 7692-7.1.2.1-4, 7692-7.1.2.2-4
        // erratum-4982
        let offers: Vec<Said> = client.offer().split(", ").map(|offer| said(offer).unwrap()).collect();
        let agreed = answer(Some(&client), Some(&response.join(", ")));
        let fitting = match &response[..] {
            [only] => said(only).filter(|answer| offers.iter().any(|offer| may_answer(answer, offer))),
            _ => None,
        };
        let is_known = response.iter().all(|element| element.starts_with("permessage-deflate"));
        let error = if is_known { HandshakeError::DeflateMismatch } else { HandshakeError::ExtensionNotOffered };
        let expected = fitting.map(|answer| Some(params_of(&answer))).ok_or(error);
        prop_assert_eq!(agreed.map(|agreed| agreed.map(Naive::from)), expected);
    }

    #[test]
    fn s5_any_two_ends_agree_over_http(client in any_config(), server in any_config()) {
        // 7692-5-2, 7692-5-8
        let [a, b] = open(&whole(Some(&client)), &whole(Some(&server)), false);
        prop_assert_eq!(a.deflate(), b.deflate());
        prop_assert_eq!(a.deflate().map(Naive::from), expected(&client, &server));
    }
}

#[test]
fn s5_1_without_an_agreement_all_is_plain() {
    // 7692-5-4, 6455-9.1-6, 6455-5.8-1, 6455-9-2, 7692-7.1.3-1, 7692-7.1.3-2
    // N19, R1, and a server that declines for one request
    let (plain, compressed) = (Config::default(), with_deflate());
    for (client, server, declines) in
        [(&plain, &compressed, false), (&compressed, &plain, false), (&compressed, &compressed, true)]
    {
        for (mut ws, role) in open(client, server, declines).into_iter().zip([Role::Client, Role::Server]) {
            assert_eq!(ws.deflate(), None);
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            ws.send_text(&"a".repeat(1000), &mut output).unwrap();
            assert_eq!(output[0], 0x81, "no reserved bit");
            input.extend_from_slice(&common::frame_to(role, 0xc1, &hex("f2 48 cd c9 c9 07 00")));
            assert_eq!(ws.receive(&mut input, &mut output), Err(ProtocolError::ReservedBits));
        }
    }
    let [client, server] = open(&compressed, &compressed, false);
    assert!(client.deflate().is_some() && client.deflate() == server.deflate());
}

#[test]
fn s8441_a_server_declines_for_one_request() {
    // 7692-5-4, 6455-9-2
    let fields = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/"),
        (":authority", "h"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-extensions", "permessage-deflate"),
    ];
    let accept = || Request::extended_connect(fields, &with_deflate()).unwrap().accept();
    let (head, ws) = accept().respond().unwrap();
    let window = &b"permessage-deflate; server_max_window_bits=12"[..];
    assert!(head.fields().eq([(":status", &b"200"[..]), ("sec-websocket-extensions", window)]));
    assert_eq!(ws.deflate().map(|agreed| agreed.to_string().into_bytes()).as_deref(), Some(window));
    let (head, ws) = accept().without_deflate().respond().unwrap();
    assert!(head.fields().eq([(":status", &b"200"[..])]));
    assert_eq!(ws.deflate(), None);
}

#[test]
fn s7_4_1_a_client_that_cannot_do_without() {
    // 6455-7.4.1-1010a, 7692-5.1-1
    let [mut client, _] = open(&with_deflate(), &Config::default(), false);
    let mut output = Vec::new();
    assert!(client.deflate().is_none());
    client.close(CloseCode::MANDATORY_EXTENSION, "permessage-deflate", &mut output).unwrap();
    assert_eq!(output, frame_from(Role::Client, 0x88, b"\x03\xf2permessage-deflate"));
}

#[test]
fn s9_nobody_else_writes_the_field() {
    // 6455-9-1, 6455-9.1-5, 9110-5.3-2
    let uri = Uri::parse("ws://server.example.com/chat").unwrap();
    let mut output = Vec::new();
    for name in ["Sec-WebSocket-Extensions", "sec-websocket-extensions"] {
        let request = ClientRequest::new(&uri).header(name, "permessage-deflate");
        assert_eq!(request.send(&with_deflate(), &mut output).map(drop), Err(HeadError::ReservedHeader));
        let mut input = ReadBuffer::default();
        input.extend_from_slice(REQUEST.as_bytes());
        let request = ServerHandshake::new(&with_deflate()).receive(&mut input, &mut output).unwrap().unwrap();
        let accept = request.accept().header(name, "permessage-deflate");
        assert_eq!(accept.send(&mut output).map(drop), Err(HeadError::ReservedHeader));
    }
    assert!(output.is_empty());
}
