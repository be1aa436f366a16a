/*! Virtual time for scenarios whose two peers are in this process.

Takes the playing of one scenario; gives its end. It runs on a thread with a
runtime of its own, whose clock both peers read: the clock stands still for a
moment of real time, then may pass one step, timer by timer, and so on. Ten
seconds of waiting take a fifth of a second, no timer is shortened, and nothing
that either peer does can be overtaken, because a step passes only between the
things that are done. It refuses to be used for a target elsewhere: that lives
in real time.
*/

use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

/// Real time in which nothing passes; enough for bytes to cross the loopback interface.
const STILL: Duration = Duration::from_micros(250);
/// Virtual time that may pass after it, well below what scenarios rely on.
const STEP: Duration = Duration::from_millis(40);

/// Said in each recording whose times are virtual.
pub const REMARK: &str = "times here are virtual: both peers are in this process, and time passes only while neither has anything to do";

/// Plays to the end, in virtual time; dropping it ends the playing. The error is what went wrong
/// with the thread.
pub async fn hurried(play: impl Future<Output = ()> + Send + 'static) -> Result<(), String> {
    let (stop, stopped) = oneshot::channel::<()>();
    let (tell, told) = oneshot::channel();
    let played = thread::Builder::new()
        .name("scenario".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build();
            let end = match runtime {
                Ok(runtime) => {
                    runtime.block_on(async {
                        let passing = tokio::spawn(pass());
                        tokio::select! {
                            biased;
                            _ = stopped => {}
                            () = play => {}
                        }
                        passing.abort();
                    });
                    // Connections that linger are of no interest any more.
                    runtime.shutdown_background();
                    Ok(())
                }
                Err(error) => Err(error.to_string()),
            };
            // Nobody listens when the run was interrupted.
            let _ = tell.send(end);
        });
    if let Err(error) = played {
        return Err(format!("no thread for the scenario: {error}"));
    }
    let end = told.await;
    drop(stop);
    end.unwrap_or_else(|_| Err("its thread panicked".to_owned()))
}

/// Lets time pass in steps.
async fn pass() {
    loop {
        // Tokio's paused clock does not advance by itself while a blocking task runs.
        let _ = tokio::task::spawn_blocking(|| thread::sleep(STILL)).await;
        tokio::time::sleep(STEP).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Instant;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn an_hour_of_timers_is_short_and_in_order() {
        let real = Instant::now();
        let order = Arc::new(Mutex::new(Vec::new()));
        let seen = order.clone();
        let virtual_ms = Arc::new(AtomicU64::new(0));
        let ms = virtual_ms.clone();
        hurried(async move {
            let start = tokio::time::Instant::now();
            let late = |after: u64| {
                let seen = seen.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(after)).await;
                    seen.lock()
                        .unwrap()
                        .push((after, start.elapsed().as_millis()));
                })
            };
            for task in [late(10_003), late(10_001), late(9_999)] {
                task.await.unwrap();
            }
            ms.store(start.elapsed().as_millis() as u64, Ordering::Relaxed);
        })
        .await
        .unwrap();
        assert_eq!(
            *order.lock().unwrap(),
            [(9_999, 9_999), (10_001, 10_001), (10_003, 10_003)]
        );
        assert_eq!(virtual_ms.load(Ordering::Relaxed), 10_003);
        assert!(real.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn bytes_over_loopback_are_not_overtaken_by_time() {
        let slowest = Arc::new(AtomicU64::new(0));
        let told = slowest.clone();
        hurried(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut byte = [0];
                while stream.read_exact(&mut byte).await.is_ok() {
                    stream.write_all(&byte).await.unwrap();
                }
            });
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            for _ in 0..200 {
                let sent = tokio::time::Instant::now();
                stream.write_all(b"x").await.unwrap();
                stream.read_exact(&mut [0]).await.unwrap();
                told.fetch_max(sent.elapsed().as_millis() as u64, Ordering::Relaxed);
            }
        })
        .await
        .unwrap();
        assert!(slowest.load(Ordering::Relaxed) <= 500, "{slowest:?} ms");
    }
}
