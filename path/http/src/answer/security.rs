//! Security headers that the door adds unless the app set them itself.

/// The headers that answers of apps get, by bit of [`Present`].
const FIELDS: [(&[u8], &[u8]); 3] = [
    (b"x-content-type-options", b"X-Content-Type-Options: nosniff\r\n"),
    (b"x-frame-options", b"X-Frame-Options: SAMEORIGIN\r\n"),
    (b"referrer-policy", b"Referrer-Policy: strict-origin-when-cross-origin\r\n"),
];

/// All of them, as whole fields.
pub const SECURITY: &[u8] =
    b"X-Content-Type-Options: nosniff\r\nX-Frame-Options: SAMEORIGIN\r\nReferrer-Policy: strict-origin-when-cross-origin\r\n";

/// The site's own policy for documents: nobody else's frame, base or plug-in; scripts and styles as the page says.
pub(super) const SITE_POLICY: &[u8] = b"Content-Security-Policy: base-uri 'self'; frame-ancestors 'self'; object-src 'none'\r\n";

/// Which security headers an answer has of its own; they win.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Present(u8);

impl Present {
    /// Notes one field name of the app's answer; any other name changes nothing.
    pub fn note(&mut self, name: &[u8]) {
        // Only these three lengths can match: most names cost one comparison.
        if !matches!(name.len(), 15 | 22) {
            return;
        }
        for (bit, (known, _)) in FIELDS.iter().enumerate() {
            if name.eq_ignore_ascii_case(known) {
                self.0 |= 1 << bit;
            }
        }
    }

    /// Appends the fields that are missing.
    pub fn complete(self, head: &mut Vec<u8>) {
        if self.0 == 0 {
            return head.extend_from_slice(SECURITY);
        }
        for (bit, (_, field)) in FIELDS.iter().enumerate() {
            if self.0 & (1 << bit) == 0 {
                head.extend_from_slice(field);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(names: &[&[u8]]) -> String {
        let mut present = Present::default();
        names.iter().for_each(|name| present.note(name));
        let mut head = Vec::new();
        present.complete(&mut head);
        String::from_utf8(head).unwrap()
    }

    #[test]
    fn an_apps_own_wins() {
        assert_eq!(
            completed(&[b"X-FRAME-Options"]),
            "X-Content-Type-Options: nosniff\r\nReferrer-Policy: strict-origin-when-cross-origin\r\n"
        );
        assert_eq!(completed(&[b"x-content-type-options", b"referrer-policy", b"x-frame-options"]), "");
    }

    #[test]
    fn nothing_set_gives_all_and_each_line_once() {
        assert_eq!(completed(&[b"content-type", b"x-frame-optionz"]), String::from_utf8(SECURITY.to_vec()).unwrap());
        assert_eq!(FIELDS.iter().map(|(_, field)| field.len()).sum::<usize>(), SECURITY.len());
    }
}
