//! Which segment has the hashes that begin with given bits.
//!
//! Two levels, each indexed by as many leading bits as its deepest part needs: roots lead to wards, and a ward leads to segments. Only
//! a ward or the roots are copied when they double, so that no insert waits for a big directory.

/// The most slots of a ward: few in tests, so that small tables have many wards.
const MOST: usize = if cfg!(test) { 8 } else { 1024 };

/// A part of the directory: the segments of all hashes that begin with its bits.
#[derive(Debug)]
pub(super) struct Ward {
    /// The first `depth` bits of its hashes, at the top.
    prefix: u64,
    depth: u32,
    /// How many bits that follow choose among its slots.
    bits: u32,
    /// Segments by those bits.
    slots: Vec<u32>,
}

#[derive(Debug, Default)]
pub(super) struct Directory {
    /// How many first bits choose among the roots.
    bits: u32,
    /// Wards by those bits; none before there is a segment.
    roots: Vec<u32>,
    wards: Vec<Ward>,
    held: usize,
}

/// The first `bits` of a hash, 32 at most.
fn top(hash: u64, bits: u32) -> usize {
    (hash >> 1 >> (63 - bits)) as usize
}

/// The bit that makes hashes which share `depth` bits differ.
pub(super) fn bit(depth: u32) -> u64 {
    1 << (63 - depth)
}

fn doubled(slots: &[u32]) -> Vec<u32> {
    let mut all = Vec::with_capacity(slots.len() * 2);
    slots.iter().for_each(|slot| all.extend([*slot, *slot]));
    all
}

/// Half of the slots, if that is as many as are needed.
fn halved(slots: &[u32]) -> Option<Vec<u32>> {
    let pairs = slots.as_chunks::<2>().0;
    let equal = slots.len() > 1 && pairs.iter().all(|pair| pair[0] == pair[1]);
    equal.then(|| pairs.iter().map(|pair| pair[0]).collect())
}

impl Ward {
    #[inline]
    fn slot(&self, hash: u64) -> usize {
        top(hash << self.depth, self.bits)
    }

    fn set_slots(&mut self, slots: Vec<u32>) {
        self.bits = slots.len().ilog2();
        self.slots = slots;
    }
}

impl Directory {
    /// A directory that leads to one segment.
    pub(super) fn to(segment: u32) -> Self {
        let ward = Ward { prefix: 0, depth: 0, bits: 0, slots: vec![segment] };
        let mut directory = Self { roots: vec![0], wards: vec![ward], bits: 0, held: 0 };
        directory.weigh();
        directory
    }

    /// The segment of a hash.
    #[inline]
    pub(super) fn segment(&self, hash: u64) -> u32 {
        let ward = &self.wards[self.ward(hash)];
        ward.slots[ward.slot(hash)]
    }

    /// Whether segments of `depth` bits at `hash` can be told apart from their neighbours.
    pub(super) fn reaches(&self, hash: u64, depth: u32) -> bool {
        let ward = &self.wards[self.ward(hash)];
        ward.depth + ward.bits >= depth
    }

    /// Whether segments of `depth` bits at `hash` are in a ward with their neighbours.
    pub(super) fn joins(&self, hash: u64, depth: u32) -> bool {
        self.wards[self.ward(hash)].depth < depth
    }

    /// Leads all hashes that begin with the first `depth` bits of `hash` to a segment.
    pub(super) fn lead(&mut self, hash: u64, depth: u32, segment: u32) {
        let number = self.ward(hash);
        let ward = &mut self.wards[number];
        let many = 1 << (ward.bits + ward.depth - depth);
        let first = ward.slot(hash) & !(many - 1);
        ward.slots[first..first + many].fill(segment);
    }

    /// A step towards more bits at `hash`.
    pub(super) fn deepen(&mut self, hash: u64) {
        let number = self.ward(hash);
        let ward = &mut self.wards[number];
        if ward.slots.len() < MOST {
            ward.set_slots(doubled(&ward.slots));
        } else {
            self.split(number);
        }
        self.weigh();
    }

    /// Takes back what is no longer needed at `hash`, after its segments were joined.
    pub(super) fn fold(&mut self, hash: u64) {
        let ward = self.ward(hash);
        while let Some(slots) = halved(&self.wards[ward].slots) {
            self.wards[ward].set_slots(slots);
        }
        self.join(ward);
        while let Some(roots) = halved(&self.roots) {
            self.roots = roots;
            self.bits -= 1;
        }
        self.weigh();
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Notes what is held: it is asked for after every write.
    fn weigh(&mut self) {
        let slots = self.wards.iter().map(|ward| ward.slots.capacity()).sum::<usize>();
        self.held = (slots + self.roots.capacity()) * size_of::<u32>() + self.wards.capacity() * size_of::<Ward>();
    }

    #[inline]
    fn ward(&self, hash: u64) -> usize {
        self.roots[top(hash, self.bits)] as usize
    }

    fn split(&mut self, number: usize) {
        let ward = &mut self.wards[number];
        if ward.depth == self.bits {
            self.roots = doubled(&self.roots);
            self.bits += 1;
        }
        let second = ward.slots[MOST / 2..].to_vec();
        ward.set_slots(ward.slots[..MOST / 2].to_vec());
        let new = Ward { prefix: ward.prefix | bit(ward.depth), depth: ward.depth + 1, bits: ward.bits, slots: second };
        ward.depth += 1;
        self.wards.push(new);
        self.root(self.wards.len() - 1);
    }

    /// Joins a ward with its neighbour, when both are small.
    fn join(&mut self, number: usize) {
        let ward = &self.wards[number];
        if ward.depth == 0 || ward.slots.len() > MOST / 4 {
            return;
        }
        let other = self.ward(ward.prefix ^ bit(ward.depth - 1));
        let neighbour = &self.wards[other];
        if neighbour.depth != ward.depth || neighbour.slots.len() > MOST / 4 {
            return;
        }
        let (left, right) = if ward.prefix < neighbour.prefix { (number, other) } else { (other, number) };
        let slots = self.slots_of_both(left, right);
        self.wards[left].set_slots(slots);
        self.wards[left].depth -= 1;
        self.root(left);
        self.wards.swap_remove(right);
        if right < self.wards.len() {
            self.root(right);
        }
    }

    fn slots_of_both(&self, left: usize, right: usize) -> Vec<u32> {
        let many = self.wards[left].slots.len().max(self.wards[right].slots.len());
        let mut all = Vec::with_capacity(many * 2);
        for ward in [left, right] {
            let slots = &self.wards[ward].slots;
            slots.iter().for_each(|slot| all.extend(std::iter::repeat_n(*slot, many / slots.len())));
        }
        all
    }

    /// Leads the roots of a ward's hashes to it.
    fn root(&mut self, number: usize) {
        let ward = &self.wards[number];
        let first = top(ward.prefix, self.bits);
        let many = 1 << (self.bits - ward.depth);
        self.roots[first..first + many].fill(number as u32);
    }
}

#[cfg(test)]
impl Directory {
    /// Checks the levels against each other, and that it is no longer than its parts need.
    pub(super) fn verify(&self) {
        let bits = self.bits;
        let slots = self.wards.iter().map(|ward| ward.slots.capacity()).sum::<usize>();
        let held = (slots + self.roots.capacity()) * size_of::<u32>() + self.wards.capacity() * size_of::<Ward>();
        assert_eq!((self.held, self.roots.len()), (held, 1 << bits));
        for (index, number) in self.roots.iter().enumerate() {
            let ward = &self.wards[*number as usize];
            assert!(ward.depth <= bits);
            assert_eq!(top(ward.prefix, ward.depth), index >> (bits - ward.depth), "root {index}");
            assert!(ward.slots.len() == 1 << ward.bits && ward.slots.len() <= MOST);
        }
        let led = self.wards.iter().map(|ward| 1_usize << (bits - ward.depth)).sum::<usize>();
        assert_eq!(led, self.roots.len(), "every ward has its roots");
    }

    /// How many slots lead to `segment`, whose hashes begin with the first `depth` bits of `hash`, and how many should.
    pub(super) fn ways(&self, hash: u64, depth: u32, segment: u32) -> (usize, usize) {
        let ward = &self.wards[self.ward(hash)];
        let ways = ward.slots.iter().filter(|slot| **slot == segment).count();
        (ways, 1 << (ward.depth + ward.bits - depth))
    }
}
