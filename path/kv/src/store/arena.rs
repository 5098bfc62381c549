//! Memory in pages, cut into blocks that can be moved.
