//! Does who asks know the token?

use std::hint::black_box;

use websocket_proto::handshake::Request;

/// The subprotocol that the page speaks. Whoever cannot set a cookie or a query offers `token.` and the token with it.
pub(crate) const SUBPROTOCOL: &str = "chat";

/// The cookie with the token.
pub(crate) const COOKIE: &str = "chat_token";

/// What everybody has to know who wants to chat.
pub(crate) struct Token(String);

impl Token {
    /// The token, if it can stand in a query, in a cookie and in the name of a subprotocol as it is.
    pub(crate) fn new(token: String) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        Some(Self(token)).filter(|Self(token)| !token.is_empty() && token.bytes().all(is_plain))
    }

    /// A token that nobody guesses.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        random().map(Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a request has the token, in any of the places where a program or a browser can put it.
    pub(crate) fn is_in(&self, request: &Request<'_>) -> bool {
        let headers = request.headers();
        let cookies = headers.all("Cookie").flat_map(|value| value.split(|byte| *byte == b';'));
        let cookie =
            |pair: &[u8]| value_of(pair.trim_ascii(), &format!("{COOKIE}=")).is_some_and(|token| self.is(token));
        let subprotocol = |name: &&str| value_of(name.as_bytes(), "token.").is_some_and(|token| self.is(token));
        let bearer = |value: &[u8]| value_of(value, "Bearer ").is_some_and(|token| self.is(token));
        self.is_in_query(request.query())
            || cookies.into_iter().any(cookie)
            || request.subprotocols().iter().any(subprotocol)
            || headers.get("Authorization").is_some_and(bearer)
    }

    pub(crate) fn is_in_query(&self, query: Option<&str>) -> bool {
        let mut pairs = query.unwrap_or_default().split('&');
        pairs.any(|pair| value_of(pair.as_bytes(), "token=").is_some_and(|token| self.is(token)))
    }

    /// Compares in a time that does not tell where the first difference is.
    fn is(&self, token: &[u8]) -> bool {
        let ours = self.0.as_bytes();
        let differences = ours.iter().zip(token).fold(0, |found, (a, b)| black_box(found | (a ^ b)));
        ours.len() == token.len() && differences == 0
    }
}

/// 128 bits from the system, as hexadecimal digits.
pub(crate) fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

fn value_of<'v>(text: &'v [u8], name: &str) -> Option<&'v [u8]> {
    text.strip_prefix(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_plain_and_compared_as_a_whole() {
        let token = Token::new("s3cret-~._".into()).unwrap();
        assert!(token.is(b"s3cret-~._"));
        for wrong in ["", "s", "s3cret-~.", "s3cret-~._.", "S3cret-~._"] {
            assert!(!token.is(wrong.as_bytes()), "{wrong}");
        }
        for wrong in ["", "a b", "a;b", "a%20", "ä"] {
            assert!(Token::new(wrong.into()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_query_has_it_in_any_place() {
        let token = Token::new("abc".into()).unwrap();
        assert!(token.is_in_query(Some("token=abc")) && token.is_in_query(Some("a=b&token=abc")));
        assert!(!token.is_in_query(Some("xtoken=abc")) && !token.is_in_query(Some("token=abcd")));
        assert!(!token.is_in_query(None));
    }
}
