use std::hash::{BuildHasher, Hasher, RandomState};

/// The length of a `traceparent` that this writes.
pub const TRACEPARENT_LENGTH: usize = 55;
/// The length of an `X-Request-Id` that this makes.
pub const REQUEST_ID_LENGTH: usize = 32;

/// Who caused a request, as W3C Trace Context level 1 says it (`traceparent`, section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The whole trace; never 0.
    pub trace: u128,
    /// The span that sends the request; never 0.
    pub span: u64,
    /// Bit 0: the caller may have recorded it.
    pub flags: u8,
}

impl TraceContext {
    /// Reads a `traceparent` value. `None`: it is not one, and a new trace begins (section 3.2.2).
    ///
    /// A version above 00 is read as far as 00 goes, as section 3.2.4 asks; 0 ids, capitals and version ff are refused.
    pub fn parse(value: &[u8]) -> Option<TraceContext> {
        let (head, rest) = value.split_at_checked(TRACEPARENT_LENGTH)?;
        let dashes = head[2] == b'-' && head[35] == b'-' && head[52] == b'-';
        let version = hex(&head[0..2])?;
        let tail_fits = rest.is_empty() || (version != 0 && rest[0] == b'-');
        let trace = hex(&head[3..35])?;
        let span = hex(&head[36..52])? as u64;
        let flags = hex(&head[53..55])? as u8;
        (dashes && version != 0xff && tail_fits && trace != 0 && span != 0).then_some(TraceContext { trace, span, flags })
    }

    /// The same trace with a new span: what is sent on.
    pub fn child(self, ids: &mut Ids) -> TraceContext {
        TraceContext { span: ids.span(), flags: self.flags & 1, ..self }
    }

    /// The `traceparent` value, version 00.
    pub fn to_bytes(self) -> [u8; TRACEPARENT_LENGTH] {
        let mut out = [b'-'; TRACEPARENT_LENGTH];
        write_hex(&mut out[0..2], 0);
        write_hex(&mut out[3..35], self.trace);
        write_hex(&mut out[36..52], u128::from(self.span));
        write_hex(&mut out[53..55], u128::from(self.flags));
        out
    }
}

/// Makes trace, span and request ids: one for each loop, no lock, no system call.
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

    /// 64 random bits; also good for choices that need no secrecy.
    pub fn random(&mut self) -> u64 {
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

    /// A new trace that nobody is known to record (flags 0).
    pub fn trace(&mut self) -> TraceContext {
        let trace = (u128::from(self.random()) << 64) | u128::from(self.span());
        TraceContext { trace, span: self.span(), flags: 0 }
    }

    /// A new `X-Request-Id`: 128 random bits as lower-case hex.
    pub fn request_id(&mut self) -> [u8; REQUEST_ID_LENGTH] {
        let mut out = [0; REQUEST_ID_LENGTH];
        write_hex(&mut out[..16], u128::from(self.random()));
        write_hex(&mut out[16..], u128::from(self.random()));
        out
    }

    fn span(&mut self) -> u64 {
        self.random().max(1)
    }
}

/// Lower-case hex only (section 3.2.1); at most 32 digits.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value: u128, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some((value << 4) | u128::from(digit))
    })
}

fn write_hex(place: &mut [u8], mut value: u128) {
    for digit in place.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[u8] = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_read_is_written() {
        let context = TraceContext::parse(KNOWN).unwrap();
        assert_eq!(context.span, 0x00f0_67aa_0ba9_02b7);
        assert_eq!(&context.to_bytes(), KNOWN);
    }

    #[test]
    fn a_later_version_may_be_longer() {
        let longer = b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-brings";
        assert_eq!(TraceContext::parse(longer), TraceContext::parse(KNOWN));
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        for wrong in [
            &b""[..],
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            b"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            b"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            b"00x4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what",
        ] {
            assert_eq!(TraceContext::parse(wrong), None, "{}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn a_child_stays_in_its_trace() {
        let mut ids = Ids::seeded([1, 2, 3, 4]);
        let parent = TraceContext { flags: 0xff, ..TraceContext::parse(KNOWN).unwrap() };
        let child = parent.child(&mut ids);
        assert_eq!((child.trace, child.flags), (parent.trace, 1));
        assert_ne!(child.span, parent.span);
    }

    #[test]
    fn ids_differ_between_generators_and_calls() {
        let (mut one, mut other) = (Ids::from_os(), Ids::from_os());
        let made: std::collections::HashSet<_> = (0..1000).flat_map(|_| [one.request_id(), other.request_id()]).collect();
        assert_eq!(made.len(), 2000);
    }

    #[test]
    fn xoshiro_as_published() {
        // The reference code's first outputs for the state 1, 2, 3, 4.
        let mut ids = Ids::seeded([1, 2, 3, 4]);
        assert_eq!([ids.random(), ids.random(), ids.random()], [41_943_041, 58_720_359, 3_588_806_011_781_223]);
        assert_eq!(Ids::seeded([0; 4]).0, [1, 0, 0, 0]);
    }
}
