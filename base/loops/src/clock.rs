use std::cell::Cell;
use std::time::Instant;

/// Looks at the clock that one reading serves at most.
const LOOKS: u8 = 16;

thread_local! {
    /// The last reading of this loop's clock, and the looks that it still serves.
    static READING: Cell<Option<(Instant, u8)>> = const { Cell::new(None) };
    /// Whether this thread is a loop, which says when it sleeps.
    static IS_LOOP: Cell<bool> = const { Cell::new(false) };
}

/// The time by this loop's clock, which is read again after each sleep and after 16 looks: what one turn of a loop finds
/// has come at about the same time, and a reading costs as much as a short message. It lags by what those looks took, some
/// 100 µs; on a loop that never sleeps and on which hardly anybody looks, by 100 ms. Elsewhere than on a loop it is read
/// each time; tests may stop it.
pub fn now() -> Instant {
    match READING.get() {
        Some((reading, looks @ 1..)) => {
            READING.set(Some((reading, looks - 1)));
            reading
        }
        _ => read(),
    }
}

#[cold]
fn read() -> Instant {
    let reading = tokio::time::Instant::now().into_std();
    if IS_LOOP.get() {
        READING.set(Some((reading, LOOKS - 1)));
    }
    reading
}

/// This thread is a loop from now on.
pub(crate) fn begin() {
    IS_LOOP.set(true);
}

/// The loop has slept.
pub(crate) fn forget() {
    READING.set(None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reading_serves_a_few_looks_and_none_after_a_sleep() {
        std::thread::spawn(|| {
            begin();
            let first = now();
            while Instant::now() == first {}
            assert!((1..LOOKS).all(|_| now() == first));
            let second = now();
            assert!(second > first);
            forget();
            while Instant::now() == second {}
            assert!(now() > second);
        })
        .join()
        .unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn elsewhere_each_look_is_a_reading() {
        let before = now();
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        assert_eq!(now() - before, std::time::Duration::from_secs(1));
    }
}
