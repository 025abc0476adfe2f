//! Reports: one table type, four formats, and SVG plots.

pub mod progress;
pub mod svg;
pub mod table;

use std::io::Write;

use clap::ValueEnum;

use crate::error::{Context, Result};
pub use table::{Cell, Table};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// Aligned columns.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// Comma-separated values, one block per table.
    Csv,
    /// Markdown tables.
    Markdown,
}

/// Writes the tables to standard output.
///
/// # Errors
/// When standard output is closed.
pub fn print(tables: &[Table], format: Format) -> Result<()> {
    let text = render(tables, format);
    std::io::stdout().lock().write_all(text.as_bytes()).context(|| "writing the report".into())
}

/// The tables in a format.
pub fn render(tables: &[Table], format: Format) -> String {
    match format {
        Format::Json => {
            let document: serde_json::Map<String, serde_json::Value> =
                tables.iter().map(|table| (table.title.clone(), table.to_json())).collect();
            format!("{:#}\n", serde_json::Value::Object(document))
        }
        _ => {
            let parts: Vec<String> = tables
                .iter()
                .map(|table| match format {
                    Format::Csv => table.to_csv(),
                    Format::Markdown => table.to_markdown(),
                    _ => table.to_text(),
                })
                .collect();
            parts.join("\n")
        }
    }
}

/// A line for the person who waits, on standard error, so that it never mixes with a report.
pub fn note(text: &str) {
    // Nobody to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A line on standard output, for another process to read.
///
/// # Errors
/// When standard output is closed.
pub fn line(text: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").context(|| "writing a line".into())
}
