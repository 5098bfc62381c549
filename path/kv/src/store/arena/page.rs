//! A page: bytes in units of 8, tiled by blocks and holes.
//!
//! Every block and hole begins with a `Header` of two bytes. A hole says its length behind it and in its last two bytes, so that the
//! block after it finds its start; a hole of two units or more also carries the links of its bin. The last unit of a page is a header
//! of no length, never free, so that no neighbour needs a check for the end.

use memmap2::MmapOptions;

/// Bytes of a unit.
pub(super) const UNIT: usize = 8;
/// From this size on a whole page is mapped: what is given back goes to the system, whatever thread gives it.
const MAPPED: usize = 32 * 1024;

const FREE: u16 = 1;
const AFTER_HOLE: u16 = 2;

/// What a block begins with: its length to the byte, whether it is a hole and whether it follows one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header(u16);

impl Header {
    /// Bytes of a header.
    pub(super) const SIZE: usize = 2;
    /// The end of a page.
    pub(super) const END: Self = Self(0);
    /// The most units of a block.
    pub(super) const MOST: u32 = 2047;

    /// That of a block of `len` bytes.
    pub(super) fn of(len: usize) -> Self {
        let eights = (len + Self::SIZE).div_ceil(UNIT);
        let slack = eights * UNIT - Self::SIZE - len;
        Self((eights as u16) << 5 | (slack as u16) << 2)
    }

    /// The bytes of a block.
    pub(super) fn len(self) -> usize {
        usize::from(self.0 >> 5) * UNIT - Self::SIZE - usize::from(self.0 >> 2 & 7)
    }

    /// The units of a block: two at least, so that the hole it leaves has room for its links.
    pub(super) fn units(self) -> u32 {
        u32::from(self.0 >> 5).max(2)
    }

    pub(super) fn is_end(self) -> bool {
        self.after_hole(false) == Self::END
    }

    pub(super) fn is_hole(self) -> bool {
        self.0 & FREE != 0
    }

    pub(super) fn is_after_hole(self) -> bool {
        self.0 & AFTER_HOLE != 0
    }

    pub(super) fn after_hole(self, after: bool) -> Self {
        Self(if after { self.0 | AFTER_HOLE } else { self.0 & !AFTER_HOLE })
    }
}

/// The bytes of a page.
#[derive(Debug)]
pub(super) enum Page {
    Boxed(Box<[u8]>),
    Mapped(memmap2::MmapMut),
}

impl Page {
    /// No page: what a number has whose page was given back.
    pub(super) fn none() -> Self {
        Self::Boxed(Box::default())
    }

    /// A page that will not grow.
    pub(super) fn whole(size: usize) -> Self {
        let mapped = (size >= MAPPED).then(|| MmapOptions::new().len(size).populate().map_anon());
        // a system that maps no more may still have memory
        mapped.and_then(Result::ok).map_or_else(|| Self::small(size), Self::Mapped)
    }

    /// A page that may grow.
    pub(super) fn small(size: usize) -> Self {
        Self::Boxed(vec![0; size].into_boxed_slice())
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Boxed(bytes) => bytes,
            Self::Mapped(bytes) => bytes,
        }
    }

    #[inline]
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Boxed(bytes) => bytes,
            Self::Mapped(bytes) => bytes,
        }
    }

    pub(super) fn units(&self) -> u32 {
        (self.bytes().len() / UNIT) as u32
    }

    pub(super) fn header(&self, unit: u32) -> Header {
        Header(self.short(unit as usize * UNIT))
    }

    pub(super) fn set_header(&mut self, unit: u32, header: Header) {
        self.set_short(unit as usize * UNIT, header.0);
    }

    /// The bytes of the block at `unit`.
    #[inline]
    pub(super) fn block(&self, unit: u32) -> &[u8] {
        let start = unit as usize * UNIT;
        let bytes = &self.bytes()[start..];
        let len = Header(u16::from_le_bytes([bytes[0], bytes[1]])).len();
        &bytes[Header::SIZE..Header::SIZE + len]
    }

    /// The bytes of the block at `unit`, to be written.
    #[inline]
    pub(super) fn block_mut(&mut self, unit: u32) -> &mut [u8] {
        let start = unit as usize * UNIT;
        let bytes = &mut self.bytes_mut()[start..];
        let len = Header(u16::from_le_bytes([bytes[0], bytes[1]])).len();
        &mut bytes[Header::SIZE..Header::SIZE + len]
    }

    /// Writes a hole that follows no hole, and tells the block after it.
    pub(super) fn set_hole(&mut self, unit: u32, units: u32) {
        let (start, end) = (unit as usize * UNIT, (unit + units) as usize * UNIT);
        self.set_short(start, FREE);
        self.set_short(start + 2, units as u16);
        self.set_short(end - 2, units as u16);
        self.tell(unit + units, true);
    }

    /// Tells the block at `unit` whether it follows a hole.
    pub(super) fn tell(&mut self, unit: u32, after: bool) {
        let header = self.header(unit).after_hole(after);
        self.set_header(unit, header);
    }

    /// The units of the hole at `unit`.
    pub(super) fn hole(&self, unit: u32) -> u32 {
        u32::from(self.short(unit as usize * UNIT + 2))
    }

    /// The units of the hole that ends at `unit`.
    pub(super) fn hole_before(&self, unit: u32) -> u32 {
        u32::from(self.short(unit as usize * UNIT - 2))
    }

    /// The next and the previous hole of the bin, as numbers of handles or 0.
    pub(super) fn links(&self, unit: u32) -> (u32, u32) {
        let start = unit as usize * UNIT;
        (self.word(start + 4), self.word(start + 8))
    }

    pub(super) fn set_next(&mut self, unit: u32, next: u32) {
        self.set_word(unit as usize * UNIT + 4, next);
    }

    pub(super) fn set_previous(&mut self, unit: u32, previous: u32) {
        self.set_word(unit as usize * UNIT + 8, previous);
    }

    fn short(&self, at: usize) -> u16 {
        let bytes = &self.bytes()[at..at + 2];
        u16::from_le_bytes([bytes[0], bytes[1]])
    }

    fn set_short(&mut self, at: usize, short: u16) {
        self.bytes_mut()[at..at + 2].copy_from_slice(&short.to_le_bytes());
    }

    fn word(&self, at: usize) -> u32 {
        let bytes = &self.bytes()[at..at + 4];
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    fn set_word(&mut self, at: usize, word: u32) {
        self.bytes_mut()[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
}
