//! Without the feature `deflate`, there are no flags for it, and nothing is agreed.

use websocket_proto::{Config, Connection};

use super::args::Args;

macro_rules! usage {
    () => {
        ""
    };
}
pub(crate) use usage;

pub fn take(_: &mut Args, _: &mut Config) {}

pub fn agreed(_: &Connection) -> Option<&'static str> {
    None
}
