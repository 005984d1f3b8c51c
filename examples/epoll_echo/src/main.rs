//! An echo server on one thread and epoll, and a load of ten thousand connections for it.

fn main() {}
