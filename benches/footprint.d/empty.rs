//! What does a program take that does nothing?

fn main() {}
