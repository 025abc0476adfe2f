//! A table that can be written as text, CSV, Markdown and JSON.

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text.
    Text(String),
    /// A number with the decimals that it is shown with; JSON has it in full.
    Number(f64, usize),
    /// Nothing was measured.
    Empty,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(n: u64) -> Self {
        Cell::Number(n as f64, 0)
    }
}

impl Cell {
    /// A size in MiB with one decimal.
    pub fn mib(bytes: u64) -> Self {
        Cell::Number(bytes as f64 / (1 << 20) as f64, 1)
    }

    fn shown(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Number(n, decimals) => format!("{n:.decimals$}"),
            Cell::Empty => "–".to_owned(),
        }
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Cell::Text(text) => text.clone().into(),
            Cell::Number(n, 0) if n.abs() < 9e15 => (n.round() as i64).into(),
            Cell::Number(n, _) => (*n).into(),
            Cell::Empty => serde_json::Value::Null,
        }
    }
}

/// Rows under named columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What the table shows.
    pub title: String,
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        Self {
            title: title.into(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; missing cells are empty.
    pub fn row(&mut self, mut cells: Vec<Cell>) {
        cells.resize(self.columns.len(), Cell::Empty);
        self.rows.push(cells);
    }

    fn shown_rows(&self) -> Vec<Vec<String>> {
        self.rows.iter().map(|row| row.iter().map(Cell::shown).collect()).collect()
    }

    /// Whether every filled cell of a column is a number, which is then aligned right.
    fn is_numeric(&self, column: usize) -> bool {
        self.rows.iter().all(|row| !matches!(row[column], Cell::Text(_)))
    }

    /// Aligned columns under a title.
    pub fn to_text(&self) -> String {
        let rows = self.shown_rows();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = rows.iter().map(|row| row[column].chars().count());
                cells.chain([self.columns[column].chars().count()]).max().unwrap_or(0)
            })
            .collect();
        let line = |cells: &[String]| {
            let padded: Vec<String> = cells
                .iter()
                .enumerate()
                .map(|(column, cell)| {
                    let width = widths[column];
                    if self.is_numeric(column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                })
                .collect();
            format!("{}\n", padded.join("  ").trim_end())
        };
        let mut text = format!("{}\n{}", self.title, line(&self.columns));
        for row in &rows {
            text.push_str(&line(row));
        }
        text
    }

    /// A Markdown table under a bold title.
    pub fn to_markdown(&self) -> String {
        let rule: Vec<&str> =
            (0..self.columns.len()).map(|column| if self.is_numeric(column) { "---:" } else { "---" }).collect();
        let mut text = format!("**{}**\n\n| {} |\n| {} |\n", self.title, self.columns.join(" | "), rule.join(" | "));
        for row in self.shown_rows() {
            let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        text
    }

    /// A header line and the rows; the title stands in a first column, so that blocks can be told apart.
    pub fn to_csv(&self) -> String {
        let quote = |cell: &str| {
            if cell.contains([',', '"', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
        };
        let columns: Vec<String> = self.columns.iter().map(|column| quote(column)).collect();
        let mut text = format!("table,{}\n", columns.join(","));
        for row in &self.rows {
            let cells: Vec<String> = row
                .iter()
                .map(|cell| if *cell == Cell::Empty { String::new() } else { quote(&cell.shown()) })
                .collect();
            text.push_str(&format!("{},{}\n", quote(&self.title), cells.join(",")));
        }
        text
    }

    /// An array with an object for every row.
    pub fn to_json(&self) -> serde_json::Value {
        let rows = self.rows.iter().map(|row| {
            let object: serde_json::Map<String, serde_json::Value> =
                self.columns.iter().cloned().zip(row.iter().map(Cell::json)).collect();
            serde_json::Value::Object(object)
        });
        serde_json::Value::Array(rows.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new("load", &["server", "ops/s"]);
        table.row(vec!["a,b".into(), Cell::Number(1234.56, 1)]);
        table.row(vec!["longer name".into()]);
        table
    }

    #[test]
    fn text_aligns_numbers_right_and_words_left() {
        assert_eq!(sample().to_text(), "load\nserver        ops/s\na,b          1234.6\nlonger name       –\n");
    }

    #[test]
    fn csv_quotes_what_would_break_a_line() {
        assert_eq!(sample().to_csv(), "table,server,ops/s\nload,\"a,b\",1234.6\nload,longer name,\n");
    }

    #[test]
    fn json_keeps_numbers_as_numbers_and_gaps_as_null() {
        let json = sample().to_json();
        assert_eq!(json[0]["ops/s"], 1234.56);
        assert!(json[1]["ops/s"].is_null());
    }

    #[test]
    fn markdown_marks_numeric_columns() {
        assert!(sample().to_markdown().contains("| --- | ---: |"));
    }
}
