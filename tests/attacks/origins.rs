//! Cross-site hijacking: a page of somebody else's opens a WebSocket with the user's cookies.

use websocket_proto::handshake::OriginPolicy;

use crate::common::handshake::{assert_refused, request_with, with_request};
use websocket_proto::HandshakeError as E;

#[test]
fn a_page_of_another_site_is_not_let_in() {
    // Beast, engine.io, and applications on `ws`: nobody looked
    let policy = OriginPolicy::new(["https://app.example", "http://localhost:3000"]).unwrap();
    #[rustfmt::skip]
    let table = [
        ("https://app.example", true), ("https://app.example:443", true), ("HTTPS://APP.EXAMPLE", true),
        ("http://localhost:3000", true),
        ("http://app.example", false), ("https://app.example:444", false), ("https://app.example:80", false),
        ("http://localhost", false), ("http://localhost:30000", false), ("http://localhost:300", false),
        ("https://app.example.evil.test", false), ("https://evilapp.example", false), ("https://sub.app.example",
        false),
        ("https://evil.test", false), ("https://app.example@evil.test", false), ("https://evil.test#app.example",
        false),
        ("https://evil.test/https://app.example", false), ("https://app.example/", false), ("https://app.example.",
        false),
        ("null", false), ("NULL", false), ("", false), ("*", false), ("https://", false), ("file://", false),
        ("https://app.example https://evil.test", false), ("https://app.example, https://evil.test", false),
        ("https://\u{430}pp.example", false), ("https://app.example\0", false), ("https://*", false),
    ];
    for (origin, is_allowed) in table {
        assert_eq!(policy.allows(Some(origin.as_bytes())), is_allowed, "{origin:?}");
        // as it comes in a request
        if origin.is_ascii() && !origin.contains('\0') {
            let request = request_with("Origin", &format!("Origin: {origin}\r\n"));
            let came = with_request(&request, |request| policy.allows(request.origin()));
            assert_eq!(came, is_allowed, "{origin:?}");
        }
    }
    assert!(!policy.allows(Some(b"https://app.example\xff")));
}

#[test]
fn who_names_no_origin_is_let_in_only_where_that_was_chosen() {
    let absent = request_with("Origin", "");
    let policy = OriginPolicy::new(["https://app.example"]).unwrap();
    assert!(!with_request(&absent, |request| policy.allows(request.origin())));
    let lenient = policy.allow_absent();
    assert!(with_request(&absent, |request| lenient.allows(request.origin())));
    let evil = request_with("Origin", "Origin: https://evil.test\r\n");
    assert!(!with_request(&evil, |request| lenient.allows(request.origin())), "absent is not any");
    assert!(with_request(&evil, |request| OriginPolicy::any().allows(request.origin())));
    // `null`, of a page in a sandbox, is no origin that can be listed, and not absent
    let null = request_with("Origin", "Origin: null\r\n");
    assert!(!with_request(&null, |request| lenient.allows(request.origin())));
    for entry in ["null", "", "*", "app.example", "https://app.example/", "https://*.example"] {
        assert!(OriginPolicy::new([entry]).is_err(), "{entry:?}");
    }
}

#[test]
fn two_origins_are_refused_before_any_policy() {
    for second in ["https://app.example", "https://evil.test", "null", ""] {
        let lines = format!("Origin: https://app.example\r\nOrigin: {second}\r\n");
        assert_refused(&request_with("Origin", &lines), E::RepeatedHeader("Origin"));
    }
}
