//! Adversaries: a stream that is not ready when it could be, and a future that is dropped where it waits.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::yield_now;

use super::Dice;

/// A stream that is often not ready at first, and takes only a part of what it is given.
pub(super) struct Stutter<T> {
    stream: T,
    dice: Dice,
}

impl<T> Stutter<T> {
    pub(super) fn new(stream: T, dice: Dice) -> Self {
        Self { stream, dice }
    }

    fn hesitates(&mut self, cx: &Context<'_>) -> bool {
        let hesitates = self.dice.below(3) == 0;
        if hesitates {
            cx.waker().wake_by_ref();
        }
        hesitates
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Stutter<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.hesitates(cx) {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Stutter<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.hesitates(cx) {
            return Poll::Pending;
        }
        let some = 1 + self.dice.below(buf.len());
        Pin::new(&mut self.stream).poll_write(cx, &buf[..some])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.hesitates(cx) {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Runs a half to its end, but drops what runs it again and again where it waits, and begins anew.
pub(super) async fn interrupted<H, T>(half: &mut H, mut dice: Dice, run: impl AsyncFn(&mut H) -> T) -> T {
    for _ in 0..100_000 {
        let mut polls = 1 + dice.below(3);
        let outcome = {
            let mut running = pin!(run(half));
            poll_fn(|cx| match running.as_mut().poll(cx) {
                Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                Poll::Pending => {
                    polls -= 1;
                    if polls == 0 { Poll::Ready(None) } else { Poll::Pending }
                }
            })
            .await
        };
        if let Some(outcome) = outcome {
            return outcome;
        }
        yield_now().await;
    }
    panic!("it is begun again and again, and never ends");
}
