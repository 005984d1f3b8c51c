//! Attacks, written as an attacker would write them: octets on the wire, through both doors, to both roles.
//!
//! [`README.md`](README.md) has the table of attack classes, and which test is for which; `table.rs` holds that table
//! and those of `SECURITY.md` to the tests that there are. What a test bounds, it bounds by a count: octets looked at,
//! octets of memory, octets to be sent, calls. None depends on time.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/counting.rs"]
mod counting;

mod closing;
mod compression;
mod defects;
mod floods;
mod frames;
mod grammar;
mod heads;
mod lengths;
mod masks;
mod negotiation;
mod origins;
mod table;
mod text;
mod victim;
