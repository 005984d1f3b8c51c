//! What a peer may say of extensions and subprotocols that nobody has offered, or that nobody can do.

use websocket_proto::HandshakeError as E;

use crate::common::handshake::{accepted, answer, assert_opens, request_with, response_with};

#[test]
fn what_was_not_offered_opens_nothing() {
    // tokio-websockets, tungstenite: extensions and subprotocols of a response that nobody looks at
    let extensions = |value: &str| {
        answer(
            &["chat"],
            &response_with("Connection", &format!("Connection: Upgrade\r\nSec-WebSocket-Extensions: {value}\r\n")),
        )
    };
    for value in
        ["permessage-deflate", "x-webkit-deflate-frame", "no-masking", "permessage-bzip2", "a, b", "Permessage-Deflate"]
    {
        assert_eq!(extensions(value), Err(E::ExtensionNotOffered), "{value}");
    }
    for value in ["", ",", "a;", "a=b"] {
        assert_eq!(extensions(value), Err(E::InvalidExtensions), "{value:?}");
    }
    let subprotocol = |offered: &[&str], value: &str| {
        answer(offered, &response_with("Sec-WebSocket-Protocol", &format!("Sec-WebSocket-Protocol: {value}\r\n")))
    };
    assert_eq!(subprotocol(&["chat", "x"], "chat"), Ok(accepted("")));
    // sockudo-ws#79: another case; all of the offer; a part of a name
    for (offered, value, error) in [
        (&["chat"][..], "Chat", E::SubprotocolNotOffered),
        (&["chat"], "cha", E::SubprotocolNotOffered),
        (&["chat"], "chats", E::SubprotocolNotOffered),
        (&[], "chat", E::SubprotocolNotOffered),
        (&["chat", "x"], "chat, x", E::InvalidSubprotocols),
        (&["chat"], "", E::InvalidSubprotocols),
        (&["chat"], "\"chat\"", E::InvalidSubprotocols),
        (&["chat"], "chat\r\nSec-WebSocket-Protocol: chat", E::RepeatedHeader("Sec-WebSocket-Protocol")),
    ] {
        assert_eq!(subprotocol(offered, value), Err(error), "{value:?}");
    }
}

#[test]
fn a_server_that_was_not_told_to_compress_agrees_to_nothing() {
    for value in
        ["permessage-deflate", "no-masking", "permessage-deflate; client_max_window_bits", "x-webkit-deflate-frame"]
    {
        let response = assert_opens(&request_with("Origin", &format!("Sec-WebSocket-Extensions: {value}\r\n")));
        assert!(!response.contains("Extensions"), "{response}");
    }
}

#[cfg(feature = "deflate")]
mod deflate {
    use websocket_proto::HandshakeError as E;
    use websocket_proto::deflate::DeflateConfig;
    use websocket_proto::wire::extension;

    use crate::common::negotiation::{answer, config, serve, spelled};

    /// Values of a parameter for window bits that are none: RFC 7692 section 7.1.2 allows 8 to 15, without a leading
    /// zero.
    #[rustfmt::skip]
    const NO_BITS: [&str; 20] = [
        "=0", "=1", "=7", "=16", "=17", "=32", "=64", "=08", "=015", "=8.0", "=-8", "=+8", "=0x8", "=255", "=256",
        "=264",
        "=4294967304", "=99999999999999999999999", "=x", "=8e0",
    ];

    /// Parameters that no offer and no response may have.
    #[rustfmt::skip]
    const WRONG: [&str; 12] = [
        "; server_no_context_takeover=1", "; client_no_context_takeover=true",
        "; server_no_context_takeover; server_no_context_takeover",
        "; client_no_context_takeover; client_no_context_takeover",
        "; server_max_window_bits=10; server_max_window_bits=10",
        "; client_max_window_bits=10; client_max_window_bits=11", "; server_max_window_bits", "; x", "; x=1",
        "; SERVER_MAX_WINDOW_BITS=10", "; constructor", "; mem_level=9",
    ];

    #[test]
    fn parameters_out_of_range_agree_to_nothing() {
        // CVE-2026-2229 (undici), wsproto: a number that zlib does not know, and the process ends
        for fallback in [false, true] {
            let ours = config(|deflate| deflate.fallback = fallback);
            let params = NO_BITS
                .iter()
                .flat_map(|bits| ["server", "client"].map(|end| format!("; {end}_max_window_bits{bits}")));
            for param in params.chain(WRONG.map(str::to_owned)) {
                let said = spelled(&format!("pmd{param}"));
                // a server declines that offer, and takes the next
                assert_eq!(serve(&ours, &said), Ok(None), "{said}");
                let next = serve(&ours, &format!("{said}, permessage-deflate")).unwrap();
                assert_eq!(
                    next.map(|(_, response)| response),
                    Some(spelled("pmd; server_max_window_bits=12")),
                    "{said}"
                );
                // a client does not open the connection
                assert_eq!(answer(Some(&ours), Some(&said)), Err(E::DeflateMismatch), "{said}");
            }
            for said in ["pmd; server_max_window_bits=", "pmd; =10", "pmd;", "pmd; server_max_window_bits=\"\""] {
                assert_eq!(serve(&ours, &spelled(said)), Err(E::InvalidExtensions), "{said}");
                assert_eq!(answer(Some(&ours), Some(&spelled(said))), Err(E::InvalidExtensions), "{said}");
            }
        }
    }

    #[test]
    fn a_response_has_to_fit_the_offer() {
        let small = config(|deflate| deflate.peer_window_bits = 10);
        let forgetful = config(|deflate| deflate.peer_takeover = false);
        for (ours, said) in [
            (&small, "pmd"),
            (&small, "pmd; server_max_window_bits=11"),
            (&forgetful, "pmd"),
            (&forgetful, "pmd; client_no_context_takeover"),
            (&DeflateConfig::default(), "pmd; client_max_window_bits"),
            (&DeflateConfig::default(), "pmd, pmd"),
        ] {
            assert_eq!(answer(Some(ours), Some(&spelled(said))), Err(E::DeflateMismatch), "{said}");
        }
        for said in ["pmd, x", "x", "x, pmd", "permessage-bzip2", "Permessage-Deflate"] {
            assert_eq!(
                answer(Some(&DeflateConfig::default()), Some(&spelled(said))),
                Err(E::ExtensionNotOffered),
                "{said}"
            );
        }
        // and none, where nothing was offered
        assert_eq!(answer(None, Some("permessage-deflate")), Err(E::ExtensionNotOffered));
    }

    #[test]
    fn every_number_of_bits_that_is_agreed_is_one_that_both_can_do() {
        // whatever an offer wants, and whatever we are configured to, what comes out is from 8 to 15, ours from 9
        for ours in 0..=20_u8 {
            let server = config(|deflate| {
                (deflate.window_bits, deflate.peer_window_bits) = (ours, ours);
                deflate.fallback = true;
            });
            for (server_bits, client_bits) in (8..=15).flat_map(|server| (8..=15).map(move |client| (server, client))) {
                let offer = spelled(&format!(
                    "pmd; server_max_window_bits={server_bits}; client_max_window_bits={client_bits}"
                ));
                match serve(&server, &offer).unwrap() {
                    None => assert_eq!(server_bits, 8, "the only one that there is no compressor for"),
                    Some((params, _)) => {
                        assert!((9..=server_bits).contains(&params.server_max_window_bits()), "{offer}");
                        assert!((8..=client_bits).contains(&params.client_max_window_bits()), "{offer}");
                    }
                }
            }
        }
    }

    #[test]
    fn many_offers_are_read_once_each() {
        let offers = format!("{}permessage-deflate", spelled("pmd; server_max_window_bits=7, ").repeat(63));
        let list = extension::parse([offers.as_bytes()]).unwrap();
        let (agreed, allocations, _) = crate::counting::measure(|| DeflateConfig::default().accept(&list));
        assert_eq!(
            (agreed.map(|(_, response)| response), list.len()),
            (Some(spelled("pmd; server_max_window_bits=12")), 64)
        );
        assert!(allocations <= 10, "{allocations}");
    }
}
