//! A chat for browsers, on threads: split halves, rooms, history, and Redis for more than one machine.

fn main() {}
