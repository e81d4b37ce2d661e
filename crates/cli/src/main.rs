//! The `tacho` binary.

fn main() -> std::process::ExitCode {
    cli::run(std::env::args_os())
}

/// Batches of megabytes are made on one thread and freed on another: the system's allocator keeps
/// what each of them once needed. This one gives back what is not used (docs/decisions/0069).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
