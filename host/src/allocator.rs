//! The memory allocator of the binary: mimalloc for what is small and short-lived, the system for what is
//! large.

#![expect(unsafe_code, reason = "an allocator is unsafe to implement")]
#![expect(unsafe_op_in_unsafe_fn, reason = "the contract of each call is its caller's, handed on")]

use std::alloc::{GlobalAlloc, Layout, System};

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: BySize = BySize;

/// From so many bytes on a block is the system's. mimalloc keeps what was freed for a second, for the
/// next who wants it, which would make three arrays in memory of two. The C library maps blocks of this
/// size one by one, and gives each back when it is freed (`M_MMAP_THRESHOLD` in `mallopt(3)`).
const LARGE: usize = 32 << 20;

/// A call allocates some hundred small things and frees them at once, mostly on one thread; a few
/// calls have a large array.
struct BySize;

// SAFETY: a block's size, which comes with it, says whose it is: every block goes back to the one
// that gave it, under the same contract.
unsafe impl GlobalAlloc for BySize {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() < LARGE { MiMalloc.alloc(layout) } else { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.size() < LARGE {
            MiMalloc.alloc_zeroed(layout)
        } else {
            System.alloc_zeroed(layout)
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if layout.size() < LARGE {
            MiMalloc.dealloc(block, layout);
        } else {
            System.dealloc(block, layout);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.size().max(size) < LARGE {
            return MiMalloc.realloc(block, layout, size);
        }
        if layout.size().min(size) >= LARGE {
            return System.realloc(block, layout, size);
        }
        // From the one to the other.
        let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
        if !new.is_null() {
            new.copy_from_nonoverlapping(block, layout.size().min(size));
            self.dealloc(block, layout);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    /// Blocks that grow and shrink from the one allocator into the other keep what is in them.
    #[test]
    fn blocks_keep_their_content_across_the_limit() {
        let mut numbers: Vec<u64> = (0..1000).collect();
        for items in [super::LARGE / 8 + 1, 1000, super::LARGE / 8, super::LARGE / 4, 1000] {
            numbers.resize(items, 7);
            numbers.shrink_to_fit();
            assert!(numbers[..1000].iter().copied().eq(0..1000));
            assert!(numbers[1000..].iter().all(|number| *number == 7));
        }
        assert!(vec![0_u8; super::LARGE].iter().all(|byte| *byte == 0));
    }
}
