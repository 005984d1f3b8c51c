//! RFC 7692 §7.1: what does one element of `Sec-WebSocket-Extensions` say, in an offer or in a response?

use core::fmt;

use super::params::{DeflateParams, Direction};
use crate::wire::extension::{Extension, Param};

/// The parameters of one element, each of which may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// §7.1.1.1
    pub(super) server_no_context_takeover: bool,
    /// §7.1.1.2
    pub(super) client_no_context_takeover: bool,
    /// §7.1.2.1: 8 to 15.
    pub(super) server_max_window_bits: Option<u8>,
    /// §7.1.2.2
    pub(super) client_max_window_bits: Option<ClientWindow>,
}

/// The value of `client_max_window_bits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientWindow {
    /// None: the client understands the parameter. Only an offer may say that.
    Any,
    /// 8 to 15.
    Bits(u8),
}

impl Element {
    /// `None` for what is not permessage-deflate, or has a parameter that is undefined, repeated, or of an invalid
    /// value: a server declines such an offer, a client fails (§7).
    pub(super) fn parse(extension: &Extension<'_>) -> Option<Self> {
        let mut element = Self::default();
        for Param { name, value } in &extension.params {
            let is_repeated = match (*name, value.as_deref()) {
                (SERVER_NO_CONTEXT_TAKEOVER, None) => core::mem::replace(&mut element.server_no_context_takeover, true),
                (CLIENT_NO_CONTEXT_TAKEOVER, None) => core::mem::replace(&mut element.client_no_context_takeover, true),
                (SERVER_MAX_WINDOW_BITS, Some(bits)) => {
                    element.server_max_window_bits.replace(window_bits(bits)?).is_some()
                }
                (CLIENT_MAX_WINDOW_BITS, None) => element.client_max_window_bits.replace(ClientWindow::Any).is_some(),
                (CLIENT_MAX_WINDOW_BITS, Some(bits)) => {
                    element.client_max_window_bits.replace(ClientWindow::Bits(window_bits(bits)?)).is_some()
                }
                _ => return None,
            };
            if is_repeated {
                return None;
            }
        }
        (extension.name == NAME).then_some(element)
    }

    /// What is agreed by this response: a window that is not named may be as large as there is, and may be kept.
    pub(super) fn params(self) -> DeflateParams {
        let client_bits = match self.client_max_window_bits {
            Some(ClientWindow::Bits(bits)) => bits,
            Some(ClientWindow::Any) | None => MOST,
        };
        DeflateParams {
            server: Direction {
                takeover: !self.server_no_context_takeover,
                window_bits: self.server_max_window_bits.unwrap_or(MOST),
            },
            client: Direction { takeover: !self.client_no_context_takeover, window_bits: client_bits },
        }
    }
}

/// The shortest response that agrees on this.
impl From<DeflateParams> for Element {
    fn from(agreed: DeflateParams) -> Self {
        let limit = |bits| (bits < MOST).then_some(bits);
        Self {
            server_no_context_takeover: agreed.server_no_context_takeover(),
            client_no_context_takeover: agreed.client_no_context_takeover(),
            server_max_window_bits: limit(agreed.server_max_window_bits()),
            client_max_window_bits: limit(agreed.client_max_window_bits()).map(ClientWindow::Bits),
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover {
            write!(f, "; {SERVER_NO_CONTEXT_TAKEOVER}")?;
        }
        if self.client_no_context_takeover {
            write!(f, "; {CLIENT_NO_CONTEXT_TAKEOVER}")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; {SERVER_MAX_WINDOW_BITS}={bits}")?;
        }
        match self.client_max_window_bits {
            None => Ok(()),
            Some(ClientWindow::Any) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}"),
            Some(ClientWindow::Bits(bits)) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}={bits}"),
        }
    }
}

/// "A decimal integer value without leading zeroes between 8 to 15, inclusive" (§7.1.2.1, §7.1.2.2).
fn window_bits(value: &str) -> Option<u8> {
    let is_plain = !value.starts_with(['0', '+']);
    value.parse().ok().filter(|bits| is_plain && (LEAST..=MOST).contains(bits))
}

/// The extension's name. Names of extensions and of parameters are compared exactly.
pub(super) const NAME: &str = "permessage-deflate";

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";

const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";

const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";

const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The smallest window that a parameter can say.
pub(super) const LEAST: u8 = 8;

/// The largest window that there is, which is that of an end that is not limited.
pub(super) const MOST: u8 = 15;
