//! Waiting for a future, where a thread may wait.
use crate::Result;
use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

/// Waits for a future on this thread, asleep until it is woken. In a browser, whose threads may not wait, a future that is
/// not done at once is an error: there is an async form of all that waits.
pub fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let mut future = pin!(future);
    // most backends are done by the time they are asked, and then nothing is allocated
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => wait(future),
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn wait<T>(mut future: Pin<&mut impl Future<Output = Result<T>>>) -> Result<T> {
    use std::{
        sync::Arc,
        task::Wake,
        thread::{self, Thread},
    };

    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(target_arch = "wasm32")]
fn wait<T>(_: Pin<&mut impl Future<Output = Result<T>>>) -> Result<T> {
    let why =
        "a browser's thread cannot wait for the device: await the async form, `to_vec_async` for `to_vec`";
    Err(crate::Error::unsupported("block_on", why))
}
