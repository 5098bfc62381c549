//! Why a request head is refused. Every refusal closes the connection: what follows it cannot be trusted.

/// A status and its reason in a few words, for the small answer and the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// 400, 405, 414, 417, 431 or 505.
    pub status: u16,
    /// For people; holds nothing of the request.
    pub reason: &'static str,
}

impl Refusal {
    /// 400: the message has no single reading.
    pub const fn bad(reason: &'static str) -> Refusal {
        Refusal { status: 400, reason }
    }

    /// A refusal with that status.
    pub const fn new(status: u16, reason: &'static str) -> Refusal {
        Refusal { status, reason }
    }
}
