//! An echo server on tokio tasks, with split halves, also behind hyper.

fn main() {}
