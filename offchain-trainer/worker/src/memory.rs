//! Memory that one step gives back is taken by the next.
//!
//! The C library gives large pieces back to the system at once, by default those of 32 MiB or more, and whoever takes one again waits
//! until the system has cleared it, page by page: a step of attention over 512 positions took twice as long as it computes. Nothing here
//! changes a result.

// Two calls of the C library that take no pointer.
#![allow(unsafe_code)]

/// Keeps what is given back for whoever asks next. To be called before there is a second thread.
pub fn keep() {
    #[cfg(target_env = "gnu")]
    for what in [libc::M_MMAP_THRESHOLD, libc::M_TRIM_THRESHOLD] {
        // SAFETY: it takes numbers, and changes what the C library does with memory that is nobody's. Where it refuses, all is as before.
        unsafe { libc::mallopt(what, libc::c_int::MAX) };
    }
}

/// Gives back to the system what nobody uses: a job is done, and the next may be a small one, or another program's.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it takes a number, and gives back memory that is nobody's.
    unsafe {
        libc::malloc_trim(0);
    }
}
