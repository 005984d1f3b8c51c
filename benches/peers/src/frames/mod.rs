//! The framing of this crate and of others, measured side by side.

mod async_pipe;
mod codec;
mod fastwebsockets;
mod tokio_websockets;
mod transport;
mod tungstenite;
mod yawc;
