use std::hash::{BuildHasher, Hasher, RandomState};

/// The length of a `traceparent` of version 00.
const TRACEPARENT_LENGTH: usize = 55;

/// The trace id (32 hex digits) of a `traceparent` value, W3C Trace Context level 1 section 3.2. `None`: it is not one.
///
/// A version above 00 is read as far as 00 goes, as section 3.2.4 asks; ids that are zero, capitals and version ff are refused.
pub fn trace_of(traceparent: &[u8]) -> Option<&[u8]> {
    let (head, rest) = traceparent.split_at_checked(TRACEPARENT_LENGTH)?;
    let (version, trace, span, flags) = (&head[0..2], &head[3..35], &head[36..52], &head[53..55]);
    let is_hex = |part: &[u8]| part.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let is_zero = |part: &[u8]| part.iter().all(|digit| *digit == b'0');
    let dashes = head[2] == b'-' && head[35] == b'-' && head[52] == b'-';
    let digits = is_hex(version) && is_hex(trace) && is_hex(span) && is_hex(flags);
    let tail_fits = rest.is_empty() || (!is_zero(version) && rest[0] == b'-');
    (dashes && digits && version != b"ff" && tail_fits && !is_zero(trace) && !is_zero(span)).then_some(trace)
}

/// Makes request, trace and span ids: one for each loop, no lock, no system call.
///
/// xoshiro256++ (Blackman and Vigna, public domain). Unique, not secret: who sees some ids can foretell the next.
#[derive(Debug, Clone)]
pub struct Ids([u64; 4]);

impl Ids {
    /// Seeded by the operating system.
    pub fn from_os() -> Ids {
        // The standard library's hash keys are the OS's random bytes, and differ at each call.
        Ids::seeded(std::array::from_fn(|_| RandomState::new().build_hasher().finish()))
    }

    /// Seeded by the caller: the same seed gives the same ids.
    pub fn seeded(mut seed: [u64; 4]) -> Ids {
        // All zero is the one state that never leaves itself.
        seed[0] |= u64::from(seed == [0; 4]);
        Ids(seed)
    }

    /// A new request or trace id: 128 random bits, never zero, as lower-case hex.
    pub fn id(&mut self) -> [u8; 32] {
        let mut out = [0; 32];
        write_hex(&mut out[..16], self.random());
        write_hex(&mut out[16..], self.random().max(1));
        out
    }

    /// A new span id: 64 random bits, never zero, as lower-case hex.
    pub fn span(&mut self) -> [u8; 16] {
        let mut out = [0; 16];
        write_hex(&mut out, self.random().max(1));
        out
    }

    fn random(&mut self) -> u64 {
        let state = &mut self.0;
        let result = state[0].wrapping_add(state[3]).rotate_left(23).wrapping_add(state[0]);
        let shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(45);
        result
    }
}

/// As many of the lowest digits as `place` holds.
fn write_hex(place: &mut [u8], mut value: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &[u8] = b"4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_traceparent_has_a_trace() {
        assert_eq!(trace_of(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), Some(TRACE));
        let later = b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-brings";
        assert_eq!(trace_of(later), Some(TRACE));
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        for wrong in [
            &b""[..],
            b"hello",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            b"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            b"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            b"00x4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what",
        ] {
            assert_eq!(trace_of(wrong), None, "{}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn ids_are_hex_and_differ_between_generators_and_calls() {
        let (mut one, mut other) = (Ids::from_os(), Ids::from_os());
        let made: std::collections::HashSet<_> = (0..1000).flat_map(|_| [one.id(), other.id()]).collect();
        assert_eq!(made.len(), 2000);
        assert!(made.iter().flatten().chain(&one.span()).all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
    }

    #[test]
    fn xoshiro_as_published() {
        // The reference code's first outputs for the state 1, 2, 3, 4.
        let mut ids = Ids::seeded([1, 2, 3, 4]);
        assert_eq!([ids.random(), ids.random(), ids.random()], [41_943_041, 58_720_359, 3_588_806_011_781_223]);
        assert_eq!(Ids::seeded([0; 4]).0, [1, 0, 0, 0]);
    }
}
