/// Replaces `$NAME` and `${NAME}` in one word of a checked command; `$$` is a plain `$`. The result stays one word.
///
/// `lookup` gives a variable's value. A variable that is not set becomes nothing, as a shell would have it; the
/// file's check has refused those that could be known.
pub fn expand(word: &str, lookup: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = variable(rest) {
            out.push_str(&lookup(name).unwrap_or_default());
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    out
}

/// The name of a variable at the start of `text`, after its `$`, and what follows it.
fn variable(text: &str) -> Option<(&str, &str)> {
    let is_name = |name: &str| !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
    if let Some(inner) = text.strip_prefix('{') {
        let (name, after) = inner.split_once('}')?;
        return (is_name(name) && name.bytes().all(is_name_byte)).then_some((name, after));
    }
    let end = text.bytes().position(|b| !is_name_byte(b)).unwrap_or(text.len());
    is_name(&text[..end]).then_some((&text[..end], &text[end..]))
}

fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_expand_inside_a_word() {
        let lookup = |name: &str| (name == "PORT").then(|| "3000".to_string());
        assert_eq!(expand("--bind=$HOST:${PORT}", lookup), "--bind=:3000");
        assert_eq!(expand("$$PORT costs $5", lookup), "$PORT costs $5");
        assert_eq!(expand("${PORT}0/$PORT/", lookup), "30000/3000/");
    }
}
