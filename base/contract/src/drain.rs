use tokio::sync::watch;

/// The switch behind every clone of one [`Drain`]. Dropping it without a call drains too.
#[derive(Debug)]
pub struct DrainSwitch(watch::Sender<bool>);

/// The one signal that ends work: take nothing new, finish what has begun.
#[derive(Debug, Clone)]
pub struct Drain(watch::Receiver<bool>);

impl DrainSwitch {
    /// A switch and the signal it gives.
    pub fn new() -> (DrainSwitch, Drain) {
        let (sender, receiver) = watch::channel(false);
        (DrainSwitch(sender), Drain(receiver))
    }

    /// Starts draining; calling it again changes nothing.
    pub fn drain(&self) {
        self.0.send_replace(true);
    }
}

impl Drain {
    /// Whether draining has begun.
    pub fn is_draining(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Returns when draining begins; at once when it has begun.
    pub async fn begun(&mut self) {
        // An error says that the switch is gone, which means the same.
        let _ = self.0.wait_for(|draining| *draining).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dropped_switch_drains() {
        let (switch, mut drain) = DrainSwitch::new();
        assert!(!drain.is_draining());
        drop(switch);
        drain.begun().await;
        assert!(drain.is_draining());
    }
}
