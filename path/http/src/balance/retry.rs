//! What becomes of a request whose attempt failed.

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No connection: refused, unreachable, or none within `connect`. Nothing reached the app.
    Connect,
    /// This process could not even try: no descriptor, port or memory left. Says nothing of the endpoint.
    Local,
    /// The connection ended (end of file, reset, write error) before the answer was whole.
    Closed,
    /// No byte of the answer within `first_byte`.
    FirstByte,
    /// The answer is not HTTP, or beyond a bound.
    Invalid,
}

impl Failure {
    /// What the client is told when nothing else can be done.
    pub fn status(self) -> u16 {
        match self {
            Failure::Local => 503,
            Failure::FirstByte => 504,
            Failure::Connect | Failure::Closed | Failure::Invalid => 502,
        }
    }
}

/// The facts of one failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// How it failed.
    pub failure: Failure,
    /// GET, HEAD or OPTIONS without a body (RFC 9110 section 9.2.1): executing it twice does no harm.
    pub safe: bool,
    /// The kernel took at least one byte of the request: it may have been executed.
    pub sent: bool,
    /// At least one byte of the answer came.
    pub answered: bool,
    /// The connection had served another request before.
    pub reused: bool,
    /// What was sent of the request can be sent again: it has no body, or all that was sent of it is still kept.
    pub replayable: bool,
    /// This request already was retried on a fresh connection to its endpoint.
    pub refreshed: bool,
    /// Attempts elsewhere so far, not counting the first.
    pub retries: u32,
}

/// What to do, with the reason for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Choose another endpoint that was not tried, or wait in the queue for one.
    Elsewhere(&'static str),
    /// Once more at the same endpoint, on a fresh connection.
    SameFresh(&'static str),
    /// Answer the client with this status: nothing of a final answer has gone to it yet.
    Answer(u16, &'static str),
}

/// Attempts elsewhere for a request that reached nobody.
const MOST: u32 = 3;

/// Decides; the budget is asked afterwards, see [`super::Group::decide`].
pub fn decide(attempt: &Attempt) -> Decision {
    let status = attempt.failure.status();
    if attempt.answered {
        return Decision::Answer(status, "the answer had begun");
    }
    if attempt.failure == Failure::Invalid {
        return Decision::Answer(502, "the answer is not valid HTTP");
    }
    if !attempt.replayable {
        return Decision::Answer(status, "the body is already under way");
    }
    let reached = attempt.sent && !matches!(attempt.failure, Failure::Connect | Failure::Local);
    if reached && !attempt.safe {
        return Decision::Answer(status, "it may have been executed");
    }
    if attempt.failure == Failure::Closed && attempt.reused && !attempt.refreshed {
        return Decision::SameFresh("an idle connection was closed");
    }
    match (attempt.failure, reached) {
        (Failure::FirstByte, _) if attempt.retries >= 1 => Decision::Answer(504, "two endpoints were silent"),
        (_, true) if attempt.retries >= 1 => Decision::Answer(502, "two endpoints failed"),
        _ if attempt.retries >= MOST => Decision::Answer(status, "no endpoint could be reached"),
        (Failure::Local, _) => Decision::Elsewhere("no connection can be made, another endpoint may have an idle one"),
        (Failure::FirstByte, _) => Decision::Elsewhere("silent beyond first_byte"),
        (_, true) => Decision::Elsewhere("failed before it answered, safe to repeat"),
        _ => Decision::Elsewhere("never reached the app"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Attempt = Attempt {
        failure: Failure::Closed,
        safe: true,
        sent: true,
        answered: false,
        reused: false,
        replayable: true,
        refreshed: false,
        retries: 0,
    };
    const POST: Attempt = Attempt { safe: false, ..GET };

    #[test]
    fn what_never_reached_an_app_goes_elsewhere_whatever_it_is() {
        assert!(matches!(decide(&Attempt { failure: Failure::Connect, sent: false, ..POST }), Decision::Elsewhere(_)));
        assert!(matches!(decide(&Attempt { sent: false, ..POST }), Decision::Elsewhere(_)));
        assert!(matches!(decide(&Attempt { sent: false, retries: 3, ..POST }), Decision::Answer(502, _)));
    }

    #[test]
    fn a_stale_connection_is_replaced_once() {
        assert!(matches!(decide(&Attempt { reused: true, ..GET }), Decision::SameFresh(_)));
        assert!(matches!(decide(&Attempt { reused: true, refreshed: true, ..GET }), Decision::Elsewhere(_)));
        assert!(matches!(decide(&Attempt { reused: true, sent: false, ..POST }), Decision::SameFresh(_)));
    }

    #[test]
    fn a_silent_get_is_tried_once_elsewhere() {
        let silent = Attempt { failure: Failure::FirstByte, ..GET };
        assert!(matches!(decide(&silent), Decision::Elsewhere(_)));
        assert!(matches!(decide(&Attempt { retries: 1, ..silent }), Decision::Answer(504, _)));
        assert!(matches!(decide(&Attempt { safe: false, ..silent }), Decision::Answer(504, _)));
    }

    #[test]
    fn what_we_lack_is_our_fault() {
        let local = Attempt { failure: Failure::Local, sent: false, ..POST };
        assert!(matches!(decide(&local), Decision::Elsewhere(_)));
        assert!(matches!(decide(&Attempt { retries: 3, ..local }), Decision::Answer(503, _)));
        assert!(matches!(decide(&Attempt { replayable: false, ..local }), Decision::Answer(503, _)));
    }

    fn attempts() -> impl proptest::strategy::Strategy<Value = Attempt> {
        use proptest::prelude::*;
        let failures = prop_oneof![
            Just(Failure::Connect),
            Just(Failure::Local),
            Just(Failure::Closed),
            Just(Failure::FirstByte),
            Just(Failure::Invalid)
        ];
        (failures, any::<[bool; 6]>(), 0u32..6).prop_map(|(failure, facts, retries)| {
            let [safe, sent, answered, reused, replayable, refreshed] = facts;
            Attempt { failure, safe, sent, answered, reused, replayable, refreshed, retries }
        })
    }

    proptest::proptest! {
        #[test]
        fn never_twice_what_may_have_been_executed(attempt in attempts()) {
            let again = !matches!(decide(&attempt), Decision::Answer(..));
            let may_have_run = attempt.sent && !matches!(attempt.failure, Failure::Connect | Failure::Local);
            proptest::prop_assert!(!(again && may_have_run && !attempt.safe));
            proptest::prop_assert!(!(again && (attempt.answered || !attempt.replayable || attempt.retries >= MOST) && !matches!(decide(&attempt), Decision::SameFresh(_) if !attempt.answered && attempt.replayable)));
        }

        #[test]
        fn the_same_endpoint_only_for_a_stale_connection(attempt in attempts()) {
            if matches!(decide(&attempt), Decision::SameFresh(_)) {
                proptest::prop_assert!(attempt.reused && !attempt.refreshed && !attempt.answered && attempt.failure == Failure::Closed);
            }
        }
    }
}
