//! CRC-64/XZ.

const POLYNOMIAL: u64 = 0xc96c_5795_d787_0f42;

/// The sum of each byte.
static TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};

/// The checksum of bytes.
pub(super) fn of(bytes: &[u8]) -> u64 {
    !bytes.iter().fold(u64::MAX, |sum, byte| sum >> 8 ^ TABLE[usize::from(sum as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_the_known_one() {
        assert_eq!(super::of(b"123456789"), 0x995d_c9bb_df19_39fa);
    }
}
