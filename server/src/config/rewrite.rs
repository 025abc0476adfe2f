//! `CONFIG REWRITE`: puts the settings in force into the file that they were read from.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Write as _},
    path::Path,
};

use super::{
    parameters::{self, Parameter},
    settings::Settings,
};

/// Rewrites the file: a line whose parameter has another value now is replaced, all else stays, comments included, and
/// parameters that the file does not name are appended where they differ from the default.
///
/// # Errors
/// The file cannot be read or replaced.
pub(crate) fn rewrite(path: &Path, settings: &Settings) -> io::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let rewritten = rewritten(&text, settings);
    // Beside the file and then in its place, so that a crash leaves one or the other, whole.
    let beside = path.with_extension("toml.new");
    let replaced = replace(path, &beside, &rewritten);
    if replaced.is_err() {
        // What a full disk took of it is of no use. It may never have been made.
        let _ = std::fs::remove_file(&beside);
    }
    replaced
}

fn replace(path: &Path, beside: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(beside)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(std::fs::metadata(path)?.permissions())?;
    // Some disks tell only now that they are full.
    file.sync_all()?;
    std::fs::rename(beside, path)
}

fn rewritten(text: &str, settings: &Settings) -> String {
    let defaults = Settings::default();
    let mut named: Vec<&'static str> = Vec::new();
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let parameter = line.split_once('=').and_then(|(key, _)| parameters::lookup(key.trim().trim_matches('"')));
        let Some(parameter) = parameter else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        // A value may go on for lines; what it was is known only as a whole.
        let mut whole = line.to_owned();
        while whole.parse::<toml::Table>().is_err() {
            let Some(next) = lines.next() else { break };
            whole.push('\n');
            whole.push_str(next);
        }
        named.push(parameter.name);
        if is_in_force(&whole, parameter, settings) {
            out.push_str(&whole);
            out.push('\n');
        } else {
            push_line(&mut out, parameter, settings);
        }
    }
    for parameter in parameters::all().filter(|parameter| !named.contains(&parameter.name)) {
        let is_derived =
            matches!(parameter.name, "port" | "bind" | "dir" | "redirect-listen" | "bus-listen" | "admin-listen");
        if !is_derived && parameter.get(settings) != parameter.get(&defaults) {
            push_line(&mut out, parameter, settings);
        }
    }
    out
}

/// Whether the line already says what is in force, in whatever form.
fn is_in_force(line: &str, parameter: &Parameter, settings: &Settings) -> bool {
    let Ok(given) = super::file::parse(line, Path::new("")) else { return false };
    let mut after = settings.clone();
    given.iter().all(|given| parameter.set(&mut after, &given.value).is_ok())
        && parameter.get(&after) == parameter.get(settings)
}

fn push_line(out: &mut String, parameter: &Parameter, settings: &Settings) {
    let value = toml::Value::String(parameter.get(settings));
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{} = {value}", parameter.name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_replaced_and_all_else_stays() {
        let text = "# mine\nmaxmemory = \"1gb\"   # keep\nttl-jitter = 5\n\nlisten = [\n  \"127.0.0.1:1\",\n]\n";
        let settings = Settings {
            maxmemory_bytes: 1 << 30,
            ttl_jitter_percent: 7,
            idle_timeout_s: 9,
            listen: vec!["127.0.0.1:1".parse().unwrap()],
            ..Settings::default()
        };
        let expected = "# mine\nmaxmemory = \"1gb\"   # keep\nttl-jitter = \"7\"\n\nlisten = [\n  \"127.0.0.1:1\",\n]\n\
                        timeout = \"9\"\n";
        assert_eq!(rewritten(text, &settings), expected);
    }

    #[test]
    fn a_rewritten_file_reads_as_the_same_settings() {
        let mut settings = Settings::default();
        let changes = [("requirepass", "a\"b\\c"), ("save", "3600 1"), ("notify-keyspace-events", "KEA"), ("hz", "20")];
        for (name, value) in changes {
            parameters::lookup(name).unwrap().set(&mut settings, value).unwrap();
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        rewrite(file.path(), &settings).unwrap();
        let mut read = Settings::default();
        read.read_file(file.path()).unwrap();
        for (name, _) in changes {
            let parameter = parameters::lookup(name).unwrap();
            assert_eq!(parameter.get(&read), parameter.get(&settings), "{name}");
        }
    }

    #[test]
    fn a_full_disk_leaves_the_file_as_it_was_and_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        std::fs::write(&path, "ttl-jitter = 5\n").unwrap();
        std::os::unix::fs::symlink("/dev/full", path.with_extension("toml.new")).unwrap();
        let error = rewrite(&path, &Settings { ttl_jitter_percent: 7, ..Settings::default() }).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "ttl-jitter = 5\n");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
