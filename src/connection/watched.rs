//! What has deadlines: a whole connection, or the half of it that sends?

use super::{Connection, Sender};

/// What a [`Keepalive`](crate::Keepalive) watches over: a [`Connection`], or its half that is a [`Sender`].
pub trait Watched: sealed::Watched {}

impl Watched for Connection {}

impl Watched for Sender {}

pub(crate) mod sealed {
    use super::Sender;

    #[allow(unnameable_types)] // that is what it is for
    /// Nobody else gets at the sending half of a whole connection, which has to agree with the other.
    pub trait Watched {
        fn sender(&self) -> &Sender;
        fn sender_mut(&mut self) -> &mut Sender;
    }
}

impl sealed::Watched for Connection {
    fn sender(&self) -> &Sender {
        &self.sender
    }

    fn sender_mut(&mut self) -> &mut Sender {
        &mut self.sender
    }
}

impl sealed::Watched for Sender {
    fn sender(&self) -> &Sender {
        self
    }

    fn sender_mut(&mut self) -> &mut Sender {
        self
    }
}
