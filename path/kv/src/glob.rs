//! Patterns of keys, fields and channels: `*`, `?`, `[a-z]`, `[^a]` and `\` before what stands for itself.

/// Whether all of `text` is as `pattern` says; letters are the same in both cases when `any_case`.
///
/// As in Redis no pattern but the empty one stands for an empty text.
pub(crate) fn matches(pattern: &[u8], text: &[u8], any_case: bool) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut at, mut from) = (0, 0);
    // Behind the last star, and what it has not taken of the text: only the last one is ever tried with more.
    let mut star = None;
    while from < text.len() {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            star = Some((at, from));
        } else if let Some(behind) = one(pattern, at, text[from], any_case) {
            (at, from) = (behind, from + 1);
        } else if let Some((behind, taken)) = star {
            star = Some((behind, taken + 1));
            (at, from) = (behind, taken + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Whether `byte` is as the pattern says at a place; gives what is behind that.
fn one(pattern: &[u8], at: usize, byte: u8, any_case: bool) -> Option<usize> {
    let same = |wanted: u8| if any_case { wanted.eq_ignore_ascii_case(&byte) } else { wanted == byte };
    match pattern[at..] {
        [] => None,
        [b'?', ..] => Some(at + 1),
        [b'[', ..] => class(pattern, at + 1, byte, any_case),
        [b'\\', escaped, ..] => same(escaped).then_some(at + 2),
        [plain, ..] => same(plain).then_some(at + 1),
    }
}

/// As [`one`], in a class; one that is not closed ends with the pattern.
fn class(pattern: &[u8], mut at: usize, byte: u8, any_case: bool) -> Option<usize> {
    let fold = |byte: u8| if any_case { byte.to_ascii_lowercase() } else { byte };
    let is_not = pattern.get(at) == Some(&b'^');
    at += usize::from(is_not);
    let mut is_in = false;
    let behind = loop {
        match pattern[at..] {
            [] => break at,
            [b'\\', escaped, ..] => {
                is_in |= escaped == byte;
                at += 2;
            }
            [b']', ..] => break at + 1,
            [low, b'-', high, ..] => {
                let (low, high) = (fold(low.min(high)), fold(low.max(high)));
                is_in |= (low..=high).contains(&fold(byte));
                at += 3;
            }
            [plain, ..] => {
                is_in |= fold(plain) == fold(byte);
                at += 1;
            }
        }
    };
    (is_in != is_not).then_some(behind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_stand_for_texts() {
        let good = [
            ("*", "a"),
            ("**", "ab"),
            ("", ""),
            ("a*", "a"),
            ("*a", "a"),
            ("h?llo", "hallo"),
            ("h*llo", "heeeello"),
            ("h[ae]llo", "hello"),
            ("h[^e]llo", "hallo"),
            ("h[a-b]llo", "hbllo"),
            ("h[b-a]llo", "hallo"),
            ("a\\*b", "a*b"),
            ("[\\]]", "]"),
            ("[a", "a"),
            ("\\", "\\"),
            ("*a*b*c*", "xxaxbxxcx"),
            ("*ab", "aab"),
            ("a[-z]b", "a-b"),
        ];
        for (pattern, text) in good {
            assert!(matches(pattern.as_bytes(), text.as_bytes(), false), "{pattern} {text}");
        }
        let bad = [
            ("*", ""),
            ("", "a"),
            ("a", "ab"),
            ("ab", "a"),
            ("h[^e]llo", "hello"),
            ("h?llo", "hllo"),
            ("A", "a"),
            ("[]", "a"),
            ("*c", "cb"),
        ];
        for (pattern, text) in bad {
            assert!(!matches(pattern.as_bytes(), text.as_bytes(), false), "{pattern} {text}");
        }
    }

    #[test]
    fn letters_may_be_the_same_in_both_cases() {
        assert!(matches(b"HE[L-l]lo*", b"hellO", true));
        assert!(matches(b"[A-C]", b"b", true) && !matches(b"[A-C]", b"b", false));
    }

    #[test]
    fn many_stars_take_no_long_time() {
        let pattern = b"a*".repeat(30);
        assert!(!matches(&[&pattern[..], b"b"].concat(), &[b'a'; 2000], false));
    }

    proptest! {
        #[test]
        fn a_text_is_its_own_pattern_when_it_is_escaped(text in prop::collection::vec(any::<u8>(), 1..20)) {
            let pattern: Vec<u8> = text.iter().flat_map(|byte| [b'\\', *byte]).collect();
            prop_assert!(matches(&pattern, &text, false));
        }

        #[test]
        fn any_pattern_says_something(pattern in r"[\[\]*?a^\\b-]{0,12}", text in r"[\[\]ab-]{0,8}") {
            let says = matches(pattern.as_bytes(), text.as_bytes(), false);
            prop_assert_eq!(says, slowly(pattern.as_bytes(), text.as_bytes()), "{} {}", pattern, text);
        }
    }

    /// The same by trying everything.
    fn slowly(pattern: &[u8], text: &[u8]) -> bool {
        fn rest(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern, text) {
                ([], _) => text.is_empty(),
                ([b'*', behind @ ..], _) => (0..=text.len()).any(|taken| rest(behind, &text[taken..])),
                (_, []) => false,
                (_, [byte, others @ ..]) => one(pattern, 0, *byte, false).is_some_and(|behind| rest(&pattern[behind..], others)),
            }
        }
        if text.is_empty() { pattern.is_empty() } else { rest(pattern, text) }
    }
}
