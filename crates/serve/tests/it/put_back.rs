//! Logs whose folders were put back, and a server that remembers them.

use super::*;
use crate::witnessed::copy;
use reading::Memory;
use serve::OpenError;

#[test]
fn a_server_remembers_how_far_its_logs_came_and_opens_none_that_was_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let memory = Memory::new(at("memory"));
    let data = DataFolder::new(at("data"));
    let new = NewLog { name: "main".to_owned(), origin: None, post_quantum: false };
    new_log::create(&data, &new, &kek()).unwrap().unwrap();
    let open = || {
        let options = Options { reservation: Reservation::Off, ..Options::system() };
        let memory = Some(memory.clone());
        let settings = Settings { options, disk_reserve: 0, retention: None, memory };
        Logs::open(data.clone(), Arc::new(|_| Ok(kek())), Arc::new(|| Ok(kek())), settings)
    };
    let put = |kept: &str| {
        std::fs::remove_dir_all(data.path()).unwrap();
        copy(&at(kept), data.path());
    };
    let logs = open().unwrap();
    logs.tend();
    let main = logs.get("main").unwrap();
    let remembered = || memory.of(&main.folder().path).unwrap().head.size;
    let before = remembered();
    copy(data.path(), &at("kept"));
    let act = seal::Act::Configuration(serde_json::json!({ "change": "grown" }));
    main.record_blocking(act, &event::Principal::default()).unwrap();
    logs.close();
    assert!(remembered() > before);
    copy(data.path(), &at("newest"));
    drop(logs);
    put("kept");
    let Err(OpenError::PutBack { name, error }) = open() else { panic!("it was opened") };
    assert_eq!(name, "main");
    assert!(error.to_string().contains(&format!("has {before} entries")), "{error}");
    put("newest");
    open().unwrap().close();
}
