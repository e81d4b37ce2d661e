//! Work that may wait: what is rolled in the background takes only the time that nobody else wants.

/// The lowest priority there is (setpriority(2)); the scheduler then gives a thread about a
/// fiftieth of a busy core, and all of an idle one.
#[cfg(target_os = "linux")]
const LOWEST: i32 = 19;

/// Lets every other thread go first. On Linux a priority is that of one thread.
pub(crate) fn yield_to_others() {
    #[cfg(target_os = "linux")]
    {
        // Where it is not allowed, the work is done at the usual priority.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), LOWEST);
    }
}
