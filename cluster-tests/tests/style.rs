//! The sources' style, as far as a program can judge it. What is measured here needs no reviewer.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A longer file holds more than one thing; from here on it is reported …
const LINES_WANTED: usize = 500;
/// … and from here on it fails.
const LINES_MAX: usize = 700;

/// Files that may use `unsafe`, by how their paths begin: the store's core, and the allocator's options in `main.rs`.
const UNSAFE_ALLOWED: [&str; 2] = ["server/src/store/", "server/src/main.rs"];

/// Words of unfinished work, put together here so that this file does not hold them.
fn unfinished() -> [String; 4] {
    [["todo", "!("], ["unimplemented", "!("], ["dbg", "!("], ["FIX", "ME"]].map(|parts| parts.concat())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).expect("the crate lies in the workspace")
}

/// A source file: its path from the root, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    /// `path:line` of each line for which `is_bad` holds.
    fn places(&self, is_bad: impl Fn(&str) -> bool) -> Vec<String> {
        self.lines()
            .filter(|(_, line)| is_bad(line))
            .map(|(number, line)| format!("{}:{number}: {line}", self.path))
            .collect()
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }
}

fn sources() -> Vec<Source> {
    let root = root();
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder").map(|entry| entry.expect("a readable entry")) {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".rs") || name.ends_with(".py") {
                let text = fs::read_to_string(&path).expect("sources are UTF-8");
                let path = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                sources.push(Source { path, text });
            }
        }
    }
    assert!(sources.len() > 100, "the sources are not where they are looked for");
    sources
}

fn assert_none(what: &str, places: &[String]) {
    assert!(places.is_empty(), "{what}:\n{}", places.join("\n"));
}

#[test]
fn files_hold_one_thing_each() {
    let mut too_long = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            too_long.push(format!("{}: {lines} lines", source.path));
        } else if lines > LINES_WANTED {
            eprintln!("{}: {lines} lines, more than {LINES_WANTED}", source.path);
        }
    }
    assert_none("files that are too long", &too_long);
}

#[test]
fn no_work_is_left_unfinished() {
    let words = unfinished();
    let is_unfinished = |line: &str| words.iter().any(|word| line.contains(word));
    let places: Vec<String> = sources().iter().flat_map(|source| source.places(is_unfinished)).collect();
    assert_none("unfinished work", &places);
}

#[test]
fn tests_wait_for_what_they_need_instead_of_sleeping() {
    let calls = ["thread::sleep", "time::sleep"].map(|name| format!("{name}("));
    let is_sleep = |line: &str| calls.iter().any(|call| line.contains(call));
    let places: Vec<String> =
        sources().iter().filter(|source| source.is_test()).flat_map(|source| source.places(is_sleep)).collect();
    assert_none("sleeps in tests", &places);
}

#[test]
fn unsafe_code_stays_in_the_core_of_the_store() {
    let is_unsafe = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe("].iter().any(|form| code.contains(form))
            && !code.contains('"')
    };
    let is_allowed = |source: &&Source| UNSAFE_ALLOWED.iter().any(|prefix| source.path.starts_with(prefix));
    let places: Vec<String> =
        sources().iter().filter(|source| !is_allowed(source)).flat_map(|source| source.places(is_unsafe)).collect();
    assert_none("unsafe code outside the store", &places);
}

#[test]
fn lines_hold_no_tabs_and_end_without_blanks() {
    let is_untidy = |line: &str| line.contains('\t') || line.ends_with(' ');
    let places: Vec<String> = sources().iter().flat_map(|source| source.places(is_untidy)).collect();
    assert_none("tabs or trailing blanks", &places);
}
