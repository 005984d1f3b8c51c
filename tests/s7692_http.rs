//! RFC 7692 §5: permessage-deflate for servers and clients that speak the types of the `http` crate.

#![cfg(all(feature = "http", feature = "deflate"))]

mod common;

use common::negotiation::{config, whole};
use http::{Request as HttpRequest, Response as HttpResponse, Version};
use websocket_proto::handshake::{Answer, ClientRequest, ExtendedConnect, Request, Uri};

#[test]
fn s5_a_server_behind_another_one() {
    // 7692-5-2, 7692-5-4, 6455-9.1-4
    let config = whole(Some(&config(|deflate| deflate.peer_window_bits = 11)));
    let upgrade = HttpRequest::get("/chat")
        .header("Host", "server.example.com")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    let connect = HttpRequest::connect("https://server.example.com/chat").version(Version::HTTP_2);
    for (request, protocol) in [(upgrade, None), (connect, Some("websocket"))] {
        let request = request
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Extensions", "foo, permessage-deflate")
            .header("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
        let request = request.body(()).unwrap();
        let accept = || Request::from_http(&request, protocol, &config).unwrap().accept();
        let (head, ws) = accept().respond().unwrap();
        let response = head.to_http().unwrap();
        let answers: Vec<_> = response.headers().get_all("Sec-WebSocket-Extensions").iter().collect();
        assert_eq!(answers, ["permessage-deflate; server_max_window_bits=12; client_max_window_bits=11"]);
        let agreed = ws.deflate().unwrap();
        assert_eq!((agreed.server_max_window_bits(), agreed.client_max_window_bits()), (12, 11));

        let (head, ws) = accept().without_deflate().respond().unwrap();
        assert!(!head.to_http().unwrap().headers().contains_key("Sec-WebSocket-Extensions"));
        assert_eq!(ws.deflate(), None);
    }
}

#[test]
fn s5_a_client_on_another_one() {
    // 7692-5-1, 7692-5-8
    let config = whole(Some(&config(|deflate| deflate.takeover = false)));
    let uri = Uri::parse("wss://server.example.com/chat").unwrap();
    let request = ClientRequest::new(&uri).extended_connect(ExtendedConnect::Enabled, &config);
    let (head, mut handshake) = request.unwrap();
    let request = head.to_http(ExtendedConnect::PROTOCOL).unwrap();
    let offer = "permessage-deflate; client_no_context_takeover; client_max_window_bits";
    assert_eq!(request.headers()["Sec-WebSocket-Extensions"], offer);
    let response = HttpResponse::builder()
        .version(Version::HTTP_2)
        .header("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits=9");
    let response = response.body(()).unwrap();
    let Some(Answer::Accepted { connection, .. }) = handshake.receive_http(&response).unwrap() else { panic!() };
    let agreed = connection.deflate().unwrap();
    assert_eq!(agreed.to_string(), "permessage-deflate; client_max_window_bits=9");
}
