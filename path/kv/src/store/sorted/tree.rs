//! The members of a big sorted set by rank: a B+ tree that counts.
//!
//! A leaf has scores with the handles of their members, which are asked for only where scores are equal. A branch knows the first
//! item below it and how many there are. Nodes are found by their numbers.

use std::cmp::Ordering;

use super::super::arena::Handle;
use super::{Way, compare};

/// Most items of a leaf, and most branches of an inner node.
const MOST: usize = if cfg!(test) { 8 } else { 32 };
/// A node with fewer is joined with its neighbour, if both together are not nearly full.
const FEW: usize = MOST / 4;
const ROOMY: usize = MOST / 4 * 3;

/// What a handle leads to.
pub(super) trait Texts {
    fn text(&self, at: Handle) -> &[u8];
}

/// A score, and who has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// Two halves: with a whole one four bytes were lost.
    high: u32,
    low: u32,
    pub(super) at: Handle,
}

/// A node below another.
#[derive(Debug, Clone, Copy)]
struct Branch {
    first: Item,
    child: u32,
    count: u32,
}

#[derive(Debug)]
enum Node {
    Leaf(Vec<Item>),
    Inner(Vec<Branch>),
}

/// Where a member is looked for.
pub(super) struct Sought<'a, T> {
    pub(super) score: f64,
    pub(super) text: &'a [u8],
    pub(super) texts: &'a T,
}

#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    free: Vec<u32>,
    root: u32,
    len: usize,
    /// How many nodes are no leaves.
    inner: usize,
}

impl Item {
    pub(super) fn new(score: f64, at: Handle) -> Item {
        let bits = score.to_bits();
        Item { high: (bits >> 32) as u32, low: bits as u32, at }
    }

    #[inline]
    pub(super) fn score(self) -> f64 {
        f64::from_bits(u64::from(self.high) << 32 | u64::from(self.low))
    }
}

impl<T: Texts> Sought<'_, T> {
    /// Where an item is, as seen from here.
    #[inline]
    fn order(&self, item: &Item) -> Ordering {
        compare(item.score(), self.score).then_with(|| self.texts.text(item.at).cmp(self.text))
    }

    /// The branch below which it is, if it is there.
    fn below(&self, branches: &[Branch]) -> usize {
        branches.partition_point(|branch| self.order(&branch.first).is_le()).saturating_sub(1)
    }

    /// Its place in a leaf.
    fn within(&self, items: &[Item]) -> usize {
        items.partition_point(|item| self.order(item).is_lt())
    }
}

/// Puts one at a place; when there is no room, gives what is to be in another node behind this one.
fn put<V>(all: &mut Vec<V>, place: usize, one: V) -> Option<Vec<V>> {
    if all.len() < MOST {
        all.insert(place, one);
        return None;
    }
    let mut right = Vec::with_capacity(MOST);
    match place {
        // What comes in order leaves full nodes behind.
        MOST => right.push(one),
        0 => {
            right.push(one);
            std::mem::swap(all, &mut right);
        }
        _ => {
            right.extend(all.drain(MOST / 2..));
            if place <= MOST / 2 { all.insert(place, one) } else { right.insert(place - MOST / 2, one) }
        }
    }
    Some(right)
}

impl Tree {
    pub(super) fn new() -> Tree {
        Tree { nodes: vec![Node::Leaf(Vec::with_capacity(MOST))], free: Vec::new(), root: 0, len: 0, inner: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes held of the allocator.
    pub(super) fn held(&self) -> usize {
        let leaves = self.nodes.len() - self.free.len() - self.inner;
        let nodes = self.nodes.capacity() * size_of::<Node>() + self.free.capacity() * size_of::<u32>();
        nodes + MOST * (leaves * size_of::<Item>() + self.inner * size_of::<Branch>())
    }

    /// Puts in one that is not there.
    pub(super) fn insert<T: Texts>(&mut self, sought: &Sought<'_, T>, at: Handle) {
        self.len += 1;
        if let Some(right) = self.insert_below(self.root, sought, at) {
            let left = self.branch(self.root);
            let mut branches = Vec::with_capacity(MOST);
            branches.extend([left, right]);
            self.root = self.add(Node::Inner(branches));
        }
    }

    /// Takes one out that is there.
    pub(super) fn remove<T: Texts>(&mut self, sought: &Sought<'_, T>) {
        self.len -= 1;
        self.remove_below(self.root, sought);
        while let Node::Inner(branches) = &self.nodes[self.root as usize]
            && let [only] = branches[..]
        {
            let root = std::mem::replace(&mut self.root, only.child);
            self.release(root);
        }
    }

    /// One that is there has moved from `old`; `sought` finds its text already.
    pub(super) fn relocate<T: Texts>(&mut self, sought: &Sought<'_, T>, old: Handle, new: Handle) {
        let mut number = self.root;
        loop {
            match &mut self.nodes[number as usize] {
                Node::Leaf(items) => {
                    let place = sought.within(items);
                    items[place].at = new;
                    return;
                }
                Node::Inner(branches) => {
                    let place = sought.below(branches);
                    let branch = &mut branches[place];
                    if branch.first.at == old {
                        branch.first.at = new;
                    }
                    number = branch.child;
                }
            }
        }
    }

    /// How many items there are in front of the first that is not `before`.
    pub(super) fn count_before(&self, before: impl Fn(&Item) -> bool) -> usize {
        let (mut number, mut count) = (self.root, 0);
        loop {
            match &self.nodes[number as usize] {
                Node::Leaf(items) => return count + items.partition_point(&before),
                Node::Inner(branches) => {
                    let place = branches.partition_point(|branch| before(&branch.first)).saturating_sub(1);
                    count += branches[..place].iter().map(|branch| branch.count as usize).sum::<usize>();
                    number = branches[place].child;
                }
            }
        }
    }

    /// How many items there are in front of one.
    pub(super) fn rank<T: Texts>(&self, sought: &Sought<'_, T>) -> usize {
        self.count_before(|item| sought.order(item).is_lt())
    }

    /// The items in order, without the first `skip`.
    pub(super) fn iter(&self, way: Way, skip: usize) -> impl Iterator<Item = Item> {
        let (mut leaf, mut left) = (&[][..], self.len.saturating_sub(skip));
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            if leaf.is_empty() {
                leaf = match way {
                    Way::Up => self.leaf(self.len - 1 - left, |items, place| &items[place..]),
                    Way::Down => self.leaf(left, |items, place| &items[..=place]),
                };
            }
            let (item, rest) = match way {
                Way::Up => leaf.split_first()?,
                Way::Down => leaf.split_last()?,
            };
            leaf = rest;
            Some(*item)
        })
    }

    /// The leaf of the item of a rank, of which `cut` takes what is wanted.
    fn leaf<'t>(&'t self, mut rank: usize, cut: impl FnOnce(&'t [Item], usize) -> &'t [Item]) -> &'t [Item] {
        let mut number = self.root;
        loop {
            match &self.nodes[number as usize] {
                Node::Leaf(items) => return cut(items, rank),
                Node::Inner(branches) => {
                    let below = branches.iter().find(|branch| {
                        let is_below = rank < branch.count as usize;
                        rank -= if is_below { 0 } else { branch.count as usize };
                        is_below
                    });
                    number = below.expect("there are so many items").child;
                }
            }
        }
    }

    fn insert_below<T: Texts>(&mut self, number: u32, sought: &Sought<'_, T>, at: Handle) -> Option<Branch> {
        let (place, child) = match &mut self.nodes[number as usize] {
            Node::Leaf(items) => {
                let place = sought.within(items);
                let right = put(items, place, Item::new(sought.score, at))?;
                return Some(self.add_branch(Node::Leaf(right)));
            }
            Node::Inner(branches) => {
                let place = sought.below(branches);
                (place, branches[place].child)
            }
        };
        let right = self.insert_below(child, sought, at);
        let left = self.branch(child);
        let branches = self.branches(number);
        branches[place] = left;
        let right = put(branches, place + 1, right?)?;
        Some(self.add_branch(Node::Inner(right)))
    }

    fn remove_below<T: Texts>(&mut self, number: u32, sought: &Sought<'_, T>) {
        let (place, child) = match &mut self.nodes[number as usize] {
            Node::Leaf(items) => {
                let place = sought.within(items);
                items.remove(place);
                return;
            }
            Node::Inner(branches) => {
                let place = sought.below(branches);
                (place, branches[place].child)
            }
        };
        self.remove_below(child, sought);
        let left = self.nodes[child as usize].len();
        if left == 0 {
            self.branches(number).remove(place);
            self.release(child);
            return;
        }
        self.branches(number)[place] = self.branch(child);
        if left < FEW {
            self.join(number, place);
        }
    }

    /// Joins a node with a neighbour, if both are small.
    fn join(&mut self, number: u32, place: usize) {
        let branches = self.branches(number);
        let pairs = [place.checked_sub(1).map(|before| (before, place)), Some((place, place + 1))];
        let pairs = pairs.map(|pair| pair.and_then(|(left, right)| Some((left, *branches.get(left)?, *branches.get(right)?))));
        for (place, left, right) in pairs.into_iter().flatten() {
            let len = |branch: Branch| self.nodes[branch.child as usize].len();
            if len(left) + len(right) > ROOMY {
                continue;
            }
            match self.take(right.child) {
                Node::Leaf(items) => match &mut self.nodes[left.child as usize] {
                    Node::Leaf(all) => all.extend(items),
                    Node::Inner(_) => unreachable!("neighbours are at the same height"),
                },
                Node::Inner(branches) => self.branches(left.child).extend(branches),
            }
            let joined = self.branch(left.child);
            let branches = self.branches(number);
            branches.remove(place + 1);
            branches[place] = joined;
            return;
        }
    }

    fn branches(&mut self, number: u32) -> &mut Vec<Branch> {
        match &mut self.nodes[number as usize] {
            Node::Inner(branches) => branches,
            Node::Leaf(_) => unreachable!("a leaf has no branches"),
        }
    }

    /// The branch that leads to a node.
    fn branch(&self, child: u32) -> Branch {
        match &self.nodes[child as usize] {
            Node::Leaf(items) => Branch { first: items[0], child, count: items.len() as u32 },
            Node::Inner(branches) => {
                let count = branches.iter().map(|branch| branch.count).sum();
                Branch { first: branches[0].first, child, count }
            }
        }
    }

    fn add_branch(&mut self, node: Node) -> Branch {
        let number = self.add(node);
        self.branch(number)
    }

    fn add(&mut self, node: Node) -> u32 {
        self.inner += usize::from(matches!(node, Node::Inner(_)));
        match self.free.pop() {
            Some(number) => {
                self.nodes[number as usize] = node;
                number
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() as u32 - 1
            }
        }
    }

    fn release(&mut self, number: u32) {
        drop(self.take(number));
    }

    /// Takes a node out; its number is free then.
    fn take(&mut self, number: u32) -> Node {
        let node = std::mem::replace(&mut self.nodes[number as usize], Node::Leaf(Vec::new()));
        self.inner -= usize::from(matches!(node, Node::Inner(_)));
        self.free.push(number);
        node
    }
}

impl Node {
    fn len(&self) -> usize {
        match self {
            Node::Leaf(items) => items.len(),
            Node::Inner(branches) => branches.len(),
        }
    }
}

#[cfg(test)]
impl Tree {
    /// Checks all nodes, and says how many leaves there are.
    pub(super) fn verify(&self, texts: &impl Texts) -> usize {
        let items: Vec<Item> = self.iter(Way::Up, 0).collect();
        let is_less = |one: &Item, other: &Item| {
            compare(one.score(), other.score()).then_with(|| texts.text(one.at).cmp(texts.text(other.at))).is_lt()
        };
        assert!(items.is_sorted_by(is_less) && items.len() == self.len);
        let inner = self.nodes.iter().filter(|node| matches!(node, Node::Inner(_))).count();
        assert_eq!(inner, self.inner);
        let leaves = self.verify_below(self.root, 0).1;
        assert_eq!(leaves + inner, self.nodes.len() - self.free.len());
        leaves
    }

    /// The height of a node, and how many leaves there are.
    fn verify_below(&self, number: u32, depth: usize) -> (usize, usize) {
        assert!(depth < 20);
        let branches = match &self.nodes[number as usize] {
            Node::Leaf(items) => {
                assert_eq!(items.capacity(), MOST);
                return (0, 1);
            }
            Node::Inner(branches) => branches,
        };
        assert!(!branches.is_empty() && branches.capacity() == MOST);
        let (mut height, mut leaves) = (0, 0);
        for branch in branches {
            let right = self.branch(branch.child);
            assert_eq!((branch.count, branch.first.at), (right.count, right.first.at));
            let (below, some) = self.verify_below(branch.child, depth + 1);
            assert!(leaves == 0 || height == below + 1, "all leaves are at the same height");
            (height, leaves) = (below + 1, leaves + some);
        }
        (height, leaves)
    }
}
