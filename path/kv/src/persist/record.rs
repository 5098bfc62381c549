//! A key as bytes of a base: `[marks u8][expiry u48 if there is one][use][length of its tag, and the tag, if there is one][key][length of
//! the rest][what it holds]`.
//!
//! The use is how often it was used as a byte, or seconds since it was as a varint; what it holds is as `form` writes it.

use crate::form::{self, Held, Reader};
use crate::store::{Kind, Ms, Record, Slot, Tag, Use, View};

const EXPIRES: u8 = 1;
const OFTEN: u8 = 1 << 1;
const TAGGED: u8 = 1 << 2;
const EXPIRY: usize = 6;
/// Bytes of a length that is not known before what follows is written.
const LENGTH: usize = 6;

/// A key that was read.
pub(super) struct Read<'b> {
    pub(super) key: &'b [u8],
    pub(super) expiry: Option<Ms>,
    used: Use,
    tag: Option<Tag>,
    held: Held<'b>,
}

pub(super) fn write(record: Record<'_>, to: &mut Vec<u8>) {
    let at = to.len();
    to.push(0);
    if let Some(expiry) = record.expiry {
        to[at] |= EXPIRES;
        to.extend_from_slice(&expiry.to_le_bytes()[..EXPIRY]);
    }
    match record.used {
        Use::Idle(ms) => form::number(ms / 1000, to),
        Use::Often(often) => {
            to[at] |= OFTEN;
            to.push(often);
        }
    }
    if let Some(tag) = record.tag {
        to[at] |= TAGGED;
        form::put(&tag.bytes(), to);
    }
    form::put(record.key, to);
    if record.kind == Kind::Str {
        form::number(record.value.text().len() as u64 + 1, to);
        return form::write(record.kind, record.value, to);
    }
    let hole = to.len();
    to.extend_from_slice(&[0; LENGTH]);
    form::write(record.kind, record.value, to);
    let length = to.len() - hole - LENGTH;
    for (place, byte) in to[hole..hole + LENGTH].iter_mut().enumerate() {
        let more = if place + 1 < LENGTH { 0x80 } else { 0 };
        *byte = (length >> (7 * place)) as u8 & 0x7f | more;
    }
}

/// The next key, if what follows is one.
pub(super) fn read<'b>(from: &mut Reader<'b>) -> Option<Read<'b>> {
    let marks = *from.bytes(1)?.first()?;
    if marks & !(EXPIRES | OFTEN | TAGGED) != 0 {
        return None;
    }
    let mut expiry = None;
    if marks & EXPIRES != 0 {
        let mut bytes = [0; 8];
        bytes[..EXPIRY].copy_from_slice(from.bytes(EXPIRY)?);
        expiry = Some(Ms::from_le_bytes(bytes));
    }
    let used = if marks & OFTEN == 0 { Use::Idle(from.number()?.saturating_mul(1000)) } else { Use::Often(*from.bytes(1)?.first()?) };
    let tag = if marks & TAGGED == 0 { None } else { Some(Tag::of(from.text()?)?) };
    let key = from.text()?;
    Some(Read { key, expiry, used, tag, held: form::read(from.text()?)? })
}

impl Read<'_> {
    /// Puts it in its place, which is empty. Whether it is.
    pub(super) fn put(self, view: &mut View<'_>) -> bool {
        let mut slot = view.open_any(self.key, self.held.kind());
        if slot.kind().is_some() {
            return false;
        }
        match self.held {
            Held::Str(text) => {
                slot.put_until(text, self.expiry);
                self.tag.into_iter().for_each(|tag| slot.set_tag(tag));
            }
            held => held.put(&mut slot),
        }
        slot.set_expiry(self.expiry);
        set_use(&mut slot, self.used);
        true
    }
}

fn set_use(slot: &mut Slot<'_>, used: Use) {
    match used {
        // As it is anyway.
        Use::Idle(0) => {}
        Use::Idle(ms) => slot.set_idle(ms),
        Use::Often(often) => slot.set_frequency(often),
    }
}
