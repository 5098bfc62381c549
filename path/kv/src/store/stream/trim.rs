//! Takes the oldest entries of a stream away.

use super::id::Id;
use super::log::Log;
use super::node::Node;

/// What is to be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// So many of the newest.
    Newest(usize),
    /// Those from an ID on.
    From(Id),
}

/// How a stream is trimmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trim {
    pub(crate) keep: Keep,
    /// Only whole nodes go.
    pub(crate) roughly: bool,
    /// Most entries that go; 0: all that may.
    pub(crate) most: usize,
}

impl Log {
    /// Takes entries away; how many.
    pub(crate) fn trim(&mut self, trim: Trim) -> usize {
        let before = self.len;
        while let Some(node) = self.nodes.front_mut() {
            let live = node.live();
            let is_short = matches!(trim.keep, Keep::Newest(count) if self.len <= count);
            if is_short || trim.most > 0 && before - self.len + live > trim.most {
                break;
            }
            if goes_whole(node, trim.keep, self.len) {
                self.held -= node.held();
                self.len -= live;
                self.nodes.pop_front();
                continue;
            }
            if !trim.roughly {
                let many = match trim.keep {
                    Keep::Newest(count) => self.len - count,
                    Keep::From(id) => node.entries().take_while(|entry| entry.id < id).count(),
                };
                node.remove_first(many);
                self.len -= many;
            }
            break;
        }
        if self.len < before {
            self.find_first();
        }
        before - self.len
    }

    /// How many nodes that would touch, at most.
    pub(crate) fn trim_weight(&self, trim: Trim) -> usize {
        match trim.keep {
            Keep::Newest(count) => self.len.saturating_sub(count) * self.nodes.len() / self.len.max(1),
            Keep::From(id) => self.nodes.partition_point(|node| node.last < id),
        }
    }
}

fn goes_whole(node: &Node, keep: Keep, len: usize) -> bool {
    match keep {
        Keep::Newest(count) => len - node.live() >= count,
        Keep::From(id) => node.last < id,
    }
}
