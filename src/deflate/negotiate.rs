//! RFC 7692 §5, §7: which parameters follow from what was offered?

use alloc::string::{String, ToString};

use super::config::DeflateConfig;
use super::element::{ClientWindow, Element, LEAST, MOST, NAME};
use super::params::DeflateParams;
use crate::error::HandshakeError;
use crate::wire::extension::Extension;

/// The negotiation, which the [`handshake`](crate::handshake) does by itself. These are for a handshake that somebody
/// else does, with [`Connection::with_deflate`](crate::Connection::with_deflate) behind it.
///
/// ```
/// use websocket_proto::deflate::DeflateConfig;
/// use websocket_proto::wire::extension;
/// use websocket_proto::{Config, Connection};
///
/// let deflate = DeflateConfig::default();
/// let offer = deflate.offer(); // the client sends it as Sec-WebSocket-Extensions
/// assert_eq!(offer, "permessage-deflate; client_max_window_bits=12");
///
/// // the server reads all such lines of the request, and sends its response in one
/// let Some((agreed, response)) = deflate.accept(&extension::parse([offer.as_bytes()])?) else { panic!() };
/// let server = Connection::server(&Config::default()).with_deflate(&deflate, agreed);
/// assert_eq!(response, "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12");
///
/// // the client reads all such lines of the response
/// let Some(agreed) = deflate.settle(&extension::parse([response.as_bytes()])?)? else { panic!() };
/// let client = Connection::client(&Config::default()).with_deflate(&deflate, agreed);
/// assert_eq!(client.deflate(), server.deflate());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl DeflateConfig {
    /// What a client offers: one element, or with [`fallback`](Self::fallback) two, the better one first.
    ///
    /// What it asks of the server is binding: `server_max_window_bits`, if [`peer_window_bits`](Self::peer_window_bits)
    /// is less than 15, and `server_no_context_takeover`, without [`peer_takeover`](Self::peer_takeover). What it says
    /// of itself is a hint: `client_max_window_bits` with our [`window_bits`](Self::window_bits) (without a value, if
    /// they are 15), and `client_no_context_takeover`, without [`takeover`](Self::takeover).
    #[must_use]
    pub fn offer(&self) -> String {
        let (first, second) = self.offers();
        match second {
            Some(second) => [first.to_string(), second.to_string()].join(", "),
            None => first.to_string(),
        }
    }

    /// What a server agrees on, and the element that says so, the only one of its response; `None`, and no
    /// `Sec-WebSocket-Extensions` in the response, if there is no offer that it can accept. The first one that it can
    /// counts.
    ///
    /// An offer is declined that has an undefined, invalid or repeated parameter (§7); that wants our window to be 8;
    /// or, without our [`fallback`](Self::fallback), that does not let us limit the client's window to
    /// [`peer_window_bits`](Self::peer_window_bits). All else can be accepted.
    #[must_use]
    pub fn accept(&self, offers: &[Extension<'_>]) -> Option<(DeflateParams, String)> {
        let response = offers.iter().filter_map(Element::parse).find_map(|offer| self.respond(offer))?;
        Some((response.params(), response.to_string()))
    }

    /// What a client finds agreed in the server's response to its [`offer`](Self::offer); `None`, if the server has
    /// declined it.
    ///
    /// # Errors
    /// [`HandshakeError::ExtensionNotOffered`] for another extension, [`HandshakeError::DeflateMismatch`] for two
    /// elements, for an undefined, invalid or repeated parameter (§7), and for what fits none of our offers: without a
    /// parameter that they ask the server for, or with a larger window. The connection must not be opened (§5.1).
    pub fn settle(&self, response: &[Extension<'_>]) -> Result<Option<DeflateParams>, HandshakeError> {
        if response.iter().any(|extension| extension.name != NAME) {
            return Err(HandshakeError::ExtensionNotOffered);
        }
        let (first, second) = self.offers();
        match response {
            [] => Ok(None),
            [extension] => Element::parse(extension)
                .filter(|response| response.answers(first) || second.is_some_and(|second| response.answers(second)))
                .map(|response| Some(response.params()))
                .ok_or(HandshakeError::DeflateMismatch),
            // §5: a second one would work on RSV1 too
            _ => Err(HandshakeError::DeflateMismatch),
        }
    }

    /// A client's offers: what we want, and, where that asks the server for something, what would do.
    fn offers(&self) -> (Element, Option<Element>) {
        let own = match self.own_window_bits() {
            MOST => ClientWindow::Any,
            bits => ClientWindow::Bits(bits),
        };
        let first = Element {
            server_no_context_takeover: !self.peer_takeover,
            client_no_context_takeover: !self.takeover,
            server_max_window_bits: Some(self.most_of_peer()).filter(|bits| *bits < MOST),
            client_max_window_bits: Some(own),
        };
        let second = Element { server_no_context_takeover: false, server_max_window_bits: None, ..first };
        (first, Some(second).filter(|second| self.fallback && *second != first))
    }

    /// The response to an offer that a server can accept.
    fn respond(&self, offer: Element) -> Option<Element> {
        let most = self.most_of_peer();
        let client_max_window_bits = match offer.client_max_window_bits {
            // §7.1.2.2: the response must not have the parameter
            None if most < MOST && !self.fallback => return None,
            None => None,
            Some(ClientWindow::Any) => Some(most).filter(|bits| *bits < MOST),
            Some(ClientWindow::Bits(hint)) => Some(most.min(hint)),
        };
        let own = self.own_window_bits();
        let server_max_window_bits = match offer.server_max_window_bits {
            None => Some(own).filter(|bits| *bits < MOST),
            Some(LEAST) => return None,
            Some(most) => Some(most.min(own)),
        };
        Some(Element {
            server_no_context_takeover: offer.server_no_context_takeover || !self.takeover,
            client_no_context_takeover: offer.client_no_context_takeover || !self.peer_takeover,
            server_max_window_bits,
            client_max_window_bits: client_max_window_bits.map(ClientWindow::Bits),
        })
    }

    /// The window of our compressor, where nothing else is agreed.
    fn own_window_bits(&self) -> u8 {
        self.window_bits.clamp(LEAST_OF_OURS, MOST)
    }

    /// The most that the window of the peer's compressor may be.
    fn most_of_peer(&self) -> u8 {
        self.peer_window_bits.clamp(LEAST, MOST)
    }
}

impl Element {
    /// Whether a server may respond so to this offer (§7.1.1.1, §7.1.2.1, §7.1.2.2). It may ask the client not to keep
    /// its window, and limit itself, although it was not asked; a larger window than the client has hinted at is its
    /// right too.
    fn answers(self, offer: Self) -> bool {
        let server_takeover = self.server_no_context_takeover || !offer.server_no_context_takeover;
        let server_window = match (offer.server_max_window_bits, self.server_max_window_bits) {
            (None, _) => true,
            (Some(most), Some(bits)) => bits <= most,
            (Some(_), None) => false,
        };
        let client_window = match self.client_max_window_bits {
            None => true,
            Some(ClientWindow::Bits(_)) => offer.client_max_window_bits.is_some(),
            Some(ClientWindow::Any) => false,
        };
        server_takeover && server_window && client_window
    }
}

/// A compressor with the least window that a parameter can say does not exist in zlib.
const LEAST_OF_OURS: u8 = LEAST + 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::extension;

    fn element(params: &str) -> Option<Element> {
        let line = [NAME, params].concat();
        Element::parse(extension::parse([line.as_bytes()]).unwrap().first().unwrap())
    }

    #[test]
    fn s7_1_what_answers_any_offer() {
        // 7692-7.1.2.2-4, 7692-7.1.2.1-2, 7692-7.1.1.1-2, 7692-7.1.3-2
        // the offers here are others' than those that a configuration makes, which all have client_max_window_bits
        for (offer, response, expected) in [
            ("", "", true),
            ("", "; server_no_context_takeover", true),
            ("", "; client_no_context_takeover", true),
            ("", "; server_max_window_bits=9", true),
            ("", "; client_max_window_bits=12", false),
            ("", "; client_max_window_bits=15", false),
            ("; client_max_window_bits", "; client_max_window_bits", false),
            ("; client_max_window_bits", "; client_max_window_bits=9", true),
            ("; client_max_window_bits=10", "; client_max_window_bits=12", true),
            ("; server_max_window_bits=10", "", false),
            ("; server_max_window_bits=10", "; server_max_window_bits=11", false),
            ("; server_max_window_bits=10", "; server_max_window_bits=10", true),
            ("; server_max_window_bits=10", "; server_max_window_bits=8", true),
            ("; server_max_window_bits=15", "", false),
            ("; server_no_context_takeover", "", false),
            ("; server_no_context_takeover", "; client_no_context_takeover", false),
            ("; server_no_context_takeover", "; server_no_context_takeover", true),
            ("; client_no_context_takeover", "", true),
        ] {
            let (offer, answer) = (element(offer).unwrap(), element(response).unwrap());
            assert_eq!(answer.answers(offer), expected, "{answer} to {offer}");
        }
    }
}
