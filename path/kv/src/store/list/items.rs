//! The elements of a long list: a deque of nodes of some KB each.

use std::collections::VecDeque;

use super::super::packed::{Edit, NODE, Node, TwoWay};
use super::End;

/// Elements in nodes, none of which is empty.
#[derive(Debug)]
pub(crate) struct Items {
    nodes: VecDeque<Node>,
    len: usize,
    /// Bytes that the nodes hold.
    held: usize,
}

impl Items {
    /// Those that are packed.
    pub(crate) fn of(bytes: &[u8]) -> Items {
        let mut items = Items { nodes: VecDeque::new(), len: 0, held: 0 };
        TwoWay::of(bytes).iter().for_each(|element| items.push(End::Right, element));
        items
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Bytes held of the allocator.
    pub(crate) fn held(&self) -> usize {
        self.held + self.nodes.capacity() * size_of::<Node>()
    }

    /// The same elements once more.
    pub(crate) fn copy(&self) -> Items {
        let nodes: VecDeque<Node> = self.nodes.iter().cloned().collect();
        let held = nodes.iter().map(Node::held).sum();
        Items { nodes, len: self.len, held }
    }

    /// The element number `index`, which is there.
    pub(crate) fn get(&self, index: usize) -> &[u8] {
        let (number, within) = self.locate(index);
        let node = &self.nodes[number];
        node.packed().get(node.nth(within))
    }

    /// The elements without the first `skip`.
    pub(crate) fn forward(&self, skip: usize) -> impl Iterator<Item = &[u8]> {
        let (number, within) = if skip < self.len { self.locate(skip) } else { (self.nodes.len(), 0) };
        self.nodes.range(number..).flat_map(|node| node.packed().iter()).skip(within)
    }

    /// The elements from the last on, without the last `skip`.
    pub(crate) fn backward(&self, skip: usize) -> impl Iterator<Item = &[u8]> {
        let (end, within) = match self.len.checked_sub(skip + 1) {
            Some(index) => {
                let (number, within) = self.locate(index);
                (number + 1, self.nodes[number].len() - 1 - within)
            }
            None => (0, 0),
        };
        let nodes = self.nodes.range(..end).rev();
        nodes.flat_map(|node| node.packed().placed().rev().map(|(_, element)| element)).skip(within)
    }

    pub(crate) fn push(&mut self, end: End, element: &[u8]) {
        let fits = match end {
            End::Left => self.nodes.front().is_some_and(|node| node.fits_in_front(element)),
            End::Right => self.nodes.back().is_some_and(|node| node.fits_behind(element)),
        };
        if !fits {
            self.open(end);
        }
        let node = self.last(end);
        let before = node.held();
        match end {
            End::Left => node.push_front(element),
            End::Right => node.push_back(element),
        }
        let after = node.held();
        self.held = self.held + after - before;
        self.len += 1;
    }

    /// Takes `many` elements away at an end.
    pub(crate) fn drop_some(&mut self, end: End, many: usize) {
        let mut left = many.min(self.len);
        self.len -= left;
        while left > 0 {
            let node = self.last(end);
            if node.len() > left {
                match end {
                    End::Left => node.drop_front(left),
                    End::Right => node.drop_back(left),
                }
                return;
            }
            left -= node.len();
            let node = match end {
                End::Left => self.nodes.pop_front(),
                End::Right => self.nodes.pop_back(),
            };
            self.held -= node.map_or(0, |node| node.held());
        }
    }

    /// Puts another element in the place of one.
    pub(crate) fn set(&mut self, index: usize, element: &[u8]) {
        let (number, within) = self.locate(index);
        let node = &mut self.nodes[number];
        let (before, at) = (node.held(), node.nth(within));
        if node.len() == 1 || node.size() - node.packed().get(at).len() + element.len() + 8 <= NODE {
            node.edit(|edit| edit.replace(at, element));
            self.held = self.held + self.nodes[number].held() - before;
        } else {
            node.edit(|edit| edit.remove(at, 1));
            self.len -= 1;
            self.insert(index, element);
        }
    }

    /// Puts an element in front of the one number `index`, or behind all.
    pub(crate) fn insert(&mut self, index: usize, element: &[u8]) {
        if index == self.len {
            return self.push(End::Right, element);
        }
        let (number, within) = self.locate(index);
        let node = &mut self.nodes[number];
        let before = node.held();
        if node.fits(element) {
            let at = node.nth(within);
            node.edit(|edit| edit.insert(at, element));
            self.held = self.held + self.nodes[number].held() - before;
        } else {
            let right = node.split_off(within);
            node.shrink();
            let mut new = Node::new();
            new.push_back(element);
            let is_first = self.nodes[number].len() == 0;
            self.held = self.held - before + self.nodes[number].held() + new.held() + right.held();
            self.nodes.insert(number + 1, right);
            self.nodes.insert(number + 1, new);
            if is_first {
                let empty = self.nodes.remove(number).map_or(0, |node| node.held());
                self.held -= empty;
            }
            self.join_around(number);
        }
        self.len += 1;
    }

    /// Takes away what is equal to `element`, `most` of it from one end on; how many those were.
    pub(crate) fn remove_equal(&mut self, element: &[u8], most: usize, from: End) -> usize {
        let (count, mut removed) = (self.nodes.len(), 0);
        for step in 0..count {
            if removed == most {
                break;
            }
            let number = if from == End::Left { step } else { count - 1 - step };
            let node = &mut self.nodes[number];
            if node.packed().find(element, 1).is_some() {
                removed += node.edit(|edit| remove_equal(edit, element, most - removed, from));
                node.shrink();
            }
        }
        self.len -= removed;
        self.nodes.retain(|node| node.len() > 0);
        if removed > 0 {
            (0..self.nodes.len()).rev().for_each(|number| self.join(number));
            self.held = self.nodes.iter().map(Node::held).sum();
        }
        removed
    }

    /// The number of the node that has the element number `index`, and its number within.
    fn locate(&self, index: usize) -> (usize, usize) {
        if index * 2 <= self.len {
            let mut left = index;
            for (number, node) in self.nodes.iter().enumerate() {
                if left < node.len() {
                    return (number, left);
                }
                left -= node.len();
            }
        }
        let mut right = self.len - index;
        for (number, node) in self.nodes.iter().enumerate().rev() {
            if right <= node.len() {
                return (number, node.len() - right);
            }
            right -= node.len();
        }
        unreachable!("there are so many elements")
    }

    /// A new node at an end.
    fn open(&mut self, end: End) {
        let node = Node::new();
        self.held += node.held();
        match end {
            End::Left => self.nodes.push_front(node),
            End::Right => self.nodes.push_back(node),
        }
    }

    fn last(&mut self, end: End) -> &mut Node {
        let last = match end {
            End::Left => self.nodes.front_mut(),
            End::Right => self.nodes.back_mut(),
        };
        last.expect("a list is never empty")
    }

    /// Makes one node of those about `number` that are small.
    fn join_around(&mut self, number: usize) {
        (number.saturating_sub(1)..=number + 1).rev().for_each(|number| self.join(number));
    }

    /// Puts the elements of the next node here, if both are small.
    fn join(&mut self, number: usize) {
        let Some(next) = self.nodes.get(number + 1) else { return };
        if self.nodes[number].size() + next.size() > NODE / 2 {
            return;
        }
        let before = self.nodes[number].held() + next.held();
        let next = self.nodes.remove(number + 1).expect("it is there");
        self.nodes[number].append(&next);
        self.held = self.held + self.nodes[number].held() - before;
    }
}

/// As [`Items::remove_equal`], among elements that are packed together.
pub(super) fn remove_equal(edit: &mut Edit<'_, true>, element: &[u8], most: usize, from: End) -> usize {
    let packed = edit.packed();
    let mut places: Vec<usize> = packed.placed().filter(|(_, other)| *other == element).map(|(at, _)| at).collect();
    if from == End::Left {
        places.truncate(most);
    } else {
        places.drain(..places.len().saturating_sub(most));
    }
    // One that goes moves only what is behind it, which is right by then.
    places.iter().rev().for_each(|at| edit.remove(*at, 1));
    places.len()
}

#[cfg(test)]
impl Items {
    /// Checks what is counted.
    pub(super) fn verify(&self) {
        assert_eq!(self.held, self.nodes.iter().map(Node::held).sum::<usize>());
        assert_eq!(self.len, self.nodes.iter().map(Node::len).sum::<usize>());
        for node in &self.nodes {
            assert!(node.len() > 0 && (node.len() == 1 || node.size() <= NODE));
            assert_eq!(node.len(), node.packed().iter().count());
        }
    }
}
