//! WebSockets over HTTP/2 (RFC 8441) for browsers: the crates h2 and rustls.

fn main() {}
