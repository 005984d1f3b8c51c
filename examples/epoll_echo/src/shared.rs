//! What do all connections use, one after another?

use std::time::Duration;

use crate::figures::Figures;
use crate::options::Options;
use crate::pool::Pool;

/// Octets of memory for the output that are kept.
const SPARE: usize = 128 << 10;

/// What the loop lends to the connection whose turn it is.
pub(crate) struct Shared {
    pub(crate) options: Options,
    /// The time of this turn, since the server's start.
    pub(crate) now: Duration,
    pub(crate) pool: Pool,
    /// Memory for the output: as almost all of it is written at once, it goes from one connection to the next.
    pub(crate) output: Vec<u8>,
    pub(crate) figures: Figures,
}

impl Shared {
    pub(crate) fn new(options: Options) -> Self {
        let (pool, output) = (Pool::default(), Vec::new());
        Self { options, now: Duration::ZERO, pool, output, figures: Figures::default() }
    }

    /// Takes back memory for the output; the larger one is kept.
    pub(crate) fn give_output(&mut self, output: Vec<u8>) {
        if output.capacity() > self.output.capacity() {
            self.output = output;
            self.output.shrink_to(SPARE);
        }
    }

    /// Whether all connections together hold more than they may.
    pub(crate) fn is_full(&self) -> bool {
        self.figures.held > self.options.max_memory
    }
}
