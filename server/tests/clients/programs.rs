//! Programs that a machine may or may not have.

use std::{
    env,
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

/// A program on the search path. `None` means that the test is to be skipped, and that this has been said.
///
/// # Panics
/// If the program is missing where it is required.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let on_path = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file());
    on_path.or_else(|| skip(name))
}

/// A Python that has a module: `redis`, `glide`.
pub(crate) fn python_with(module: &str) -> Option<PathBuf> {
    let python = env::var_os("TEST_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let probe = Command::new(&python).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
    if probe.is_ok_and(|status| status.success()) { Some(python) } else { skip(&format!("Python's {module}")) }
}

fn skip(what: &str) -> Option<PathBuf> {
    assert!(env::var_os("TEST_REQUIRE_CLIENTS").is_none_or(|value| value != "1"), "{what} is required, and missing");
    eprintln!("SKIPPED: {what} is not on this machine");
    None
}

/// Runs a command to its end, with `input` on its standard input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    let input = input.to_vec();
    // A thread of its own: the child may not read on before somebody takes its output.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("its output is readable");
    // A child that ends early closes its input, which is its own affair.
    let _ = writer.join();
    output
}
