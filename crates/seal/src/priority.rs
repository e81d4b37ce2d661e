//! Work that may wait: what is rolled in the background takes only the time that nobody else wants.

/// The lowest priority of usual threads (setpriority(2)).
#[cfg(target_os = "linux")]
const LOWEST: i32 = 19;

/// Lets every other thread go first. On Linux a priority is that of one thread, and there is no way
/// back without privileges.
pub(crate) fn yield_to_others() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::{
            NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
            set_thread_priority_and_policy, thread_native_id,
        };
        // `SCHED_IDLE`: it makes room at once for whoever has something to do. A usual thread, even
        // of the lowest priority, keeps its core for the rest of its slice, milliseconds, and an
        // append is handed from thread to thread some four times.
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        let is_idle =
            set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle).is_ok();
        if !is_idle {
            // Where it is not allowed either, the work is done at the usual priority.
            let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), LOWEST);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn whoever_yields_is_scheduled_as_idle_and_nobody_else_is() {
        // Field 41 of stat(5), counted behind the name: the policy; 5 is SCHED_IDLE.
        let policy = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let rest = stat.rsplit_once(')').unwrap().1;
            rest.split_whitespace().nth(38).unwrap().to_owned()
        };
        let of_yielding = std::thread::spawn(move || {
            yield_to_others();
            policy()
        });
        assert_eq!(of_yielding.join().unwrap(), "5");
        assert_ne!(policy(), "5");
    }
}
