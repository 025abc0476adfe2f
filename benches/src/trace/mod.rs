//! Cache access traces, decoded into requests.

mod decode;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::error::{BenchError, Result};

/// Largest trace after decompression.
const TRACE_BYTES_MAX: u64 = 4 << 30;

/// How a trace is written, once decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TraceFormat {
    /// Text: `start count …` a line, for blocks start to start + count - 1, as in the ARC paper's traces
    Arc,
    /// Big-endian 4-byte integers, one key each
    Be32,
    /// Big-endian 8-byte integers, one key each
    Be64,
    /// Text: `time key size` a line
    Text,
}

/// One access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The key.
    pub key: u64,
    /// The value's size in bytes, where the trace tells it.
    pub size: Option<u32>,
}

/// A whole trace in memory.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The file's name without directories.
    pub name: String,
    /// The accesses in order.
    pub accesses: Vec<Access>,
    /// How many different keys there are.
    pub distinct_keys: u64,
}

impl Trace {
    /// Reads and decodes a file; `.xz` and `.gz` are unpacked, and without a `format` the name decides.
    ///
    /// # Errors
    /// [`BenchError::Trace`] for an unreadable, damaged, empty or unknown file.
    pub fn load(path: &Path, format: Option<TraceFormat>) -> Result<Self> {
        let failed = |reason: String| BenchError::Trace { path: path.to_owned(), reason };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let format = format
            .or_else(|| detect(&name))
            .ok_or_else(|| failed("its name does not tell its format; say --format".to_owned()))?;
        let bytes = unpack(path, &name).map_err(|error| failed(error.to_string()))?;
        let accesses = decode::decode(&bytes, format).map_err(failed)?;
        if accesses.is_empty() {
            return Err(failed("it has no accesses".to_owned()));
        }
        let keys: std::collections::HashSet<u64> = accesses.iter().map(|access| access.key).collect();
        Ok(Self { name, accesses, distinct_keys: keys.len() as u64 })
    }
}

/// Every file of a directory whose name tells a trace format, in order of name.
///
/// # Errors
/// [`BenchError::Trace`] when the directory cannot be read.
pub fn files_in(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)
        .map_err(|error| BenchError::Trace { path: directory.to_owned(), reason: error.to_string() })?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| detect(&name.to_string_lossy()).is_some()))
        .collect();
    files.sort();
    Ok(files)
}

/// The format that a file name tells: extensions named as the formats, and the names of well-known public traces.
pub fn detect(name: &str) -> Option<TraceFormat> {
    let plain = name.trim_end_matches(".xz").trim_end_matches(".gz");
    let (stem, extension) = plain.rsplit_once('.').unwrap_or((plain, ""));
    match extension {
        "arc" | "lis" => return Some(TraceFormat::Arc),
        "be32" => return Some(TraceFormat::Be32),
        "be64" => return Some(TraceFormat::Be64),
        "txt" => return Some(TraceFormat::Text),
        _ => {}
    }
    let is_cache_trace = extension == "trace" || extension.is_empty();
    match stem {
        _ if !is_cache_trace => None,
        _ if stem.starts_with("orm-") || stem.starts_with("web") => Some(TraceFormat::Be32),
        _ if stem.starts_with("trace_") => Some(TraceFormat::Be64),
        _ if stem.starts_with("request") => Some(TraceFormat::Text),
        _ => None,
    }
}

fn unpack(path: &Path, name: &str) -> std::io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    let reader: Box<dyn Read> = if name.ends_with(".xz") {
        Box::new(liblzma::read::XzDecoder::new_multi_decoder(file))
    } else if name.ends_with(".gz") {
        Box::new(flate2::read::MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut bytes = Vec::new();
    reader.take(TRACE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn names_tell_formats() {
        assert_eq!(detect("orm-busy.trace.xz"), Some(TraceFormat::Be32));
        assert_eq!(detect("web07.trace.xz"), Some(TraceFormat::Be32));
        assert_eq!(detect("trace_vaultservice.gz"), Some(TraceFormat::Be64));
        assert_eq!(detect("request.trace.xz"), Some(TraceFormat::Text));
        assert_eq!(detect("P8.lis"), Some(TraceFormat::Arc));
        assert_eq!(detect("README.md"), None);
        assert_eq!(detect("web.html"), None);
    }

    #[test]
    fn packed_traces_are_unpacked_in_process() {
        let directory = std::env::temp_dir().join(format!("rondache-bench-trace-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a temporary directory");
        let plain = [0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 7];
        let gz = directory.join("a.be32.gz");
        let mut encoder =
            flate2::write::GzEncoder::new(fs::File::create(&gz).expect("creatable"), flate2::Compression::fast());
        encoder.write_all(&plain).and_then(|()| encoder.finish()).expect("writable");
        let xz = directory.join("a.be32.xz");
        let mut encoder = liblzma::write::XzEncoder::new(fs::File::create(&xz).expect("creatable"), 1);
        encoder.write_all(&plain).and_then(|()| encoder.finish()).expect("writable");
        for file in [gz, xz] {
            let trace = Trace::load(&file, None).expect("a good trace");
            let keys: Vec<u64> = trace.accesses.iter().map(|access| access.key).collect();
            assert_eq!(keys, [7, 9, 7]);
            assert_eq!(trace.distinct_keys, 2);
        }
        assert_eq!(files_in(&directory).expect("readable").len(), 2);
        fs::remove_dir_all(&directory).expect("removable");
    }

    #[test]
    fn a_missing_file_is_told_by_its_path() {
        let error = Trace::load(Path::new("/nonexistent/x.be32"), None).expect_err("missing");
        assert!(error.to_string().contains("/nonexistent/x.be32"));
    }
}
