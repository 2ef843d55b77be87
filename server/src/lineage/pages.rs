//! A persistent vector in pages: copies are one reference count, reading is two dereferences.
//!
//! A write after a copy clones the table of pages (a pointer each) and the one page it touches; the copy never sees it.
//! Tries would share more, but each read of a walk would then follow four or five pointers instead of two.

use std::sync::Arc;

/// Elements per page. Larger pages make the first write after a copy dearer, smaller ones the table of pages longer.
const PAGE: usize = 512;

/// A growing vector of small values whose copies are cheap and independent.
#[derive(Clone, Debug)]
pub(crate) struct Pages<T> {
    pages: Arc<Vec<Arc<[T; PAGE]>>>,
    len: usize,
}

impl<T: Copy + Default> Default for Pages<T> {
    fn default() -> Self {
        Self { pages: Arc::new(Vec::new()), len: 0 }
    }
}

impl<T: Copy + Default> Pages<T> {
    /// How many elements there are.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The element at `index`, or the default where there is none: the page behind the end is filled with defaults.
    #[must_use]
    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> T {
        match self.pages.get(index / PAGE) {
            Some(page) => page[index % PAGE],
            None => T::default(),
        }
    }

    /// Appends an element.
    pub(crate) fn push(&mut self, value: T) {
        let index = self.len;
        if index.is_multiple_of(PAGE) {
            Arc::make_mut(&mut self.pages).push(Arc::new([T::default(); PAGE]));
        }
        self.len += 1;
        self.set(index, value);
    }

    /// Replaces an element; false (and nothing done) where there is none.
    pub(crate) fn set(&mut self, index: usize, value: T) -> bool {
        if index >= self.len {
            return false;
        }
        match Arc::make_mut(&mut self.pages).get_mut(index / PAGE) {
            Some(page) => {
                Arc::make_mut(page)[index % PAGE] = value;
                true
            }
            None => false,
        }
    }

    /// Appends defaults until there are at least `len` elements.
    pub(crate) fn grow(&mut self, len: usize) {
        if len <= self.len {
            return;
        }
        let pages = len.div_ceil(PAGE);
        if pages > self.pages.len() {
            // One page serves for all the empty ones: it is copied when it is first written.
            Arc::make_mut(&mut self.pages).resize(pages, Arc::new([T::default(); PAGE]));
        }
        self.len = len;
    }
}

impl<T: Copy + Default> FromIterator<T> for Pages<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut pages = Self::default();
        for value in values {
            pages.push(value);
        }
        pages
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGE, Pages};

    #[test]
    fn copies_are_independent() {
        let mut a: Pages<u64> = (0..2000).collect();
        let b = a.clone();
        assert!(a.set(700, 1));
        a.push(2);
        assert_eq!((a.get(700), b.get(700)), (1, 700));
        assert_eq!((a.len(), b.len(), b.get(2000)), (2001, 2000, 0));
        assert!((0..2000).filter(|&i| i != 700).all(|i| a.get(i) == i as u64));
    }

    #[test]
    fn reading_and_writing_behind_the_end() {
        let mut a: Pages<u64> = Pages::default();
        assert!(a.is_empty());
        assert_eq!(a.get(5), 0);
        assert!(!a.set(0, 1));
        a.grow(PAGE + 1);
        assert_eq!(a.len(), PAGE + 1);
        assert!(a.set(PAGE, 9));
        a.push(4);
        assert_eq!((a.get(PAGE), a.get(PAGE + 1), a.get(0)), (9, 4, 0));
        a.grow(3);
        assert_eq!(a.len(), PAGE + 2);
    }
}
