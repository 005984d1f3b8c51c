//! A wss:// server and client on blocking sockets and rustls.

fn main() {}
