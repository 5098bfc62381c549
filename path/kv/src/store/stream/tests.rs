use proptest::prelude::*;

use super::*;
use crate::frame::Owned;

fn id(ms: u64, seq: u64) -> Id {
    Id { ms, seq }
}

fn pairs(words: &[&str]) -> Owned {
    words.iter().map(|word| word.as_bytes()).collect()
}

fn numbered(count: u64) -> Log {
    let mut log = Log::default();
    (1..=count).for_each(|number| log.push(id(number, 0), pairs(&["field", "value"]).args()));
    log
}

fn ids(all: impl Iterator<Item = u64>) -> Vec<Id> {
    all.map(|ms| id(ms, 0)).collect()
}

#[test]
fn ids_are_read_as_redis_reads_them() {
    let good = [("7", id(7, 9)), ("7-3", id(7, 3)), ("01-02", id(1, 2)), (" 1-+2", id(1, 2)), ("18446744073709551615-0", id(u64::MAX, 0))];
    for (text, read) in good {
        assert_eq!(Id::parse(text.as_bytes(), 9), Some(read), "{text}");
    }
    for text in ["", "-", "+", "-1", "1-", "1--1", "1-*", "x", "1-1x", "18446744073709551616", &"0".repeat(128)] {
        assert_eq!(Id::parse(text.as_bytes(), 9), None, "{text}");
    }
    assert_eq!((Id::parse_open(b"5-*"), Id::parse_open(b"5-6")), (Some(Err(5)), Some(Ok(id(5, 6)))));
}

#[test]
fn entries_are_found_from_both_ends_across_nodes() {
    let mut log = numbered(350);
    assert_eq!((log.len(), log.nodes()), (350, 4));
    assert!(log.range(id(99, 5), id(203, 0)).map(|entry| entry.id).eq(ids(100..204)));
    assert!(log.range_back(id(99, 0), id(203, 0)).map(|entry| entry.id).eq(ids((99..204).rev())));
    assert_eq!(log.range(id(9, 0), id(8, 0)).count(), 0);
    assert!((1..=350).filter(|ms| ms % 7 > 0).all(|ms| log.delete(id(ms, 0))));
    assert!(!log.delete(id(1, 0)) && log.get(id(8, 0)).is_none());
    assert!(log.range(Id::MIN, Id::MAX).map(|entry| entry.id).eq(ids((7..=350).step_by(7))));
    assert_eq!((log.first(), log.deleted(), log.len()), (id(7, 0), id(349, 0), 50));
}

#[test]
fn what_is_held_is_counted_as_it_comes_and_goes() {
    let mut log = numbered(1000);
    let counted = |log: &Log| log.nodes.iter().map(node::Node::held).sum::<usize>();
    assert_eq!(log.held, counted(&log));
    log.trim(Trim { keep: Keep::Newest(450), roughly: false, most: 0 });
    (600..800).for_each(|ms| assert!(log.delete(id(ms, 0))));
    assert_eq!(log.held, counted(&log));
    assert_eq!(log.copy().range(Id::MIN, Id::MAX).count(), log.len());
}

#[test]
fn groups_count_what_they_hold() {
    let mut groups = Groups::default();
    assert!(groups.add(b"g", Group::new(Id::MIN, 0)) && !groups.add(b"g", Group::new(Id::MIN, 0)));
    let before = groups.held();
    groups.change(b"g", |group| {
        assert!(group.add(b"one", 1) && group.add(b"other", 1) && !group.add(b"one", 2));
        (1..50).for_each(|ms| group.give(b"one", id(ms, 0), 1, 1));
        (1..20).for_each(|ms| group.give(b"other", id(ms, 0), 1, 2));
        assert_eq!(group.consumers().map(Consumer::pending_count).collect::<Vec<_>>(), [30, 19]);
    });
    assert!(groups.held() > before + 49 * size_of::<(Id, Pending)>());
    groups.change(b"g", |group| {
        assert_eq!((group.remove(b"other"), group.remove(b"other")), (Some(19), None));
        assert!((20..50).all(|ms| group.acknowledge(id(ms, 0))) && !group.acknowledge(id(1, 0)));
        assert_eq!((group.pending_count(), group.remove(b"one")), (0, Some(0)));
        assert!(group.add(b"new", 3) && group.len() == 1);
    });
    assert!(groups.remove(b"g"));
    assert_eq!((groups.held(), groups.len()), (0, 0));
}

proptest! {
    #[test]
    fn an_entry_is_read_as_it_was_written(
        entries in prop::collection::vec((0u64..3, 0u64..1 << 40, prop::collection::vec(("[ab]{0,2}", ".{0,9}"), 1..4)), 1..150),
    ) {
        let (mut log, mut written, mut last) = (Log::default(), Vec::new(), Id::MIN);
        for (ms, seq, fields) in entries {
            last = if ms > 0 { id(last.ms + ms, seq) } else { id(last.ms, last.seq + 1 + seq) };
            let words: Vec<&[u8]> = fields.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]).collect();
            log.push(last, words.iter().copied().collect::<Owned>().args());
            written.push((last, fields));
        }
        let read: Vec<_> = log.range(Id::MIN, Id::MAX).map(|entry| {
            let mut fields = Vec::new();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            entry.each(|name, value| fields.push((text(name), text(value))));
            (entry.id, fields)
        }).collect();
        prop_assert_eq!(read, written);
    }

    #[test]
    fn an_id_is_read_as_it_was_written(ms: u64, seq: u64, cut in 0u32..64) {
        let id = id(ms >> cut, seq >> cut);
        prop_assert_eq!(id.text().to_vec(), format!("{}-{}", id.ms, id.seq).into_bytes());
        prop_assert_eq!(Id::parse(&id.text(), 0), Some(id));
        prop_assert_eq!(id.next().and_then(Id::before), id.next().map(|_| id));
    }
}
