//! Dense registers: six bits each, the lowest first.

use super::REGISTERS;

/// Four registers.
const GROUP: usize = 3;
const MASK: u32 = 0x3f;

/// Every register.
pub(super) fn each(bytes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let (groups, _) = bytes.as_chunks::<GROUP>();
    groups.iter().flat_map(|[low, middle, high]| {
        let group = u32::from_le_bytes([*low, *middle, *high, 0]);
        [group, group >> 6, group >> 12, group >> 18].map(|register| (register & MASK) as u8)
    })
}

/// Makes a register at least `count`; whether it was less.
pub(super) fn raise(bytes: &mut [u8], register: usize, count: u8) -> bool {
    debug_assert!(register < REGISTERS && u32::from(count) <= MASK, "there is such a register, and it holds that");
    let (at, shift) = (register / 4 * GROUP, register % 4 * 6);
    let group = u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], 0]);
    let is_less = (group >> shift & MASK) < u32::from(count);
    if is_less {
        let group = group & !(MASK << shift) | u32::from(count) << shift;
        bytes[at..at + GROUP].copy_from_slice(&group.to_le_bytes()[..GROUP]);
    }
    is_less
}
