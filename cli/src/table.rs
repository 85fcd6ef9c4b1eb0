//! Plain text tables: columns as wide as their widest cell, two spaces apart.

/// How a column is aligned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table under construction.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new(columns: &[(&str, Align)]) -> Self {
        Self {
            columns: columns
                .iter()
                .map(|(name, align)| ((*name).into(), *align))
                .collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Missing cells stay empty and surplus ones are dropped.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        // One cell is one line, whatever a chain or a trainer says.
        let clean = |cell: String| {
            cell.chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect()
        };
        self.rows
            .push(cells.into_iter().map(clean).take(self.columns.len()).collect());
    }

    /// The table as text, a line per row, without spaces at line ends.
    pub fn render(&self) -> String {
        let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
        let head: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        let lines: Vec<&[String]> = std::iter::once(head.as_slice())
            .chain(self.rows.iter().map(Vec::as_slice))
            .collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                lines
                    .iter()
                    .map(|row| cell(row, column).chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for row in lines {
            let mut line = String::new();
            for (column, ((_, align), width)) in self.columns.iter().zip(&widths).enumerate() {
                let cell = cell(row, column);
                let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
                if column > 0 {
                    line.push_str("  ");
                }
                match align {
                    Align::Left => line.extend([cell, padding]),
                    Align::Right => line.extend([padding, cell]),
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&[&str]]) -> String {
        let mut table = Table::new(&[("name", Align::Left), ("n", Align::Right)]);
        for row in rows {
            table.row(row.iter().map(|cell| (*cell).to_owned()));
        }
        table.render()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        assert_eq!(
            table(&[&["Ä", "10"], &["Charlie", "7"]]),
            "name      n\nÄ        10\nCharlie   7\n"
        );
    }

    #[test]
    fn short_and_long_rows_and_line_breaks_do_no_harm() {
        assert_eq!(
            table(&[&["a"], &["b\nc", "1", "surplus"]]),
            "name  n\na\nb c   1\n"
        );
    }

    #[test]
    fn an_empty_table_is_its_head() {
        assert_eq!(table(&[]), "name  n\n");
    }
}
