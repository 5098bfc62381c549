/// The candidate that `name` most likely means, if one is near enough to be worth saying.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let name = plain(name);
    let limit = match name.chars().count() {
        0..=2 => 1,
        3..=7 => 2,
        _ => 3,
    };
    let near = |candidate: &'a str| {
        let other = plain(candidate);
        let distance = distance(&name, &other);
        let part = name.len() >= 4 && other.len() >= 3 && (other.starts_with(&name) || name.starts_with(&other));
        let shared = name.chars().any(|c| other.contains(c));
        (shared && distance <= limit && distance < other.chars().count() || part).then_some((distance, candidate))
    };
    candidates.into_iter().filter_map(near).min().map(|(_, candidate)| candidate)
}

/// Edits (insert, remove, replace, swap of neighbours) that turn one into the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        let keys = ["body", "head", "idle", "first_byte", "connect"];
        assert_eq!(nearest("bodyy", keys), Some("body"));
        assert_eq!(nearest("haed", keys), Some("head"));
        assert_eq!(nearest("first-byte", keys), Some("first_byte"));
        assert_eq!(nearest("connection", keys), Some("connect"));
        assert_eq!(nearest("colour", keys), None);
    }
}
