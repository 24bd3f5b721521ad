//! Columns of text that line up.

/// Lines up cells: the first row is the head; columns whose cells are figures stand right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let right: Vec<bool> = (0..columns)
        .map(|column| is_figures(rows, column))
        .collect();
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.chars().count());
            let last = column + 1 == row.len();
            match (right[column], last) {
                (true, _) => line.push_str(&format!("  {pad}{cell}")),
                (false, true) => line.push_str(&format!("  {cell}")),
                (false, false) => line.push_str(&format!("  {cell}{pad}")),
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

fn is_figures(rows: &[Vec<String>], column: usize) -> bool {
    let mut cells = rows
        .iter()
        .skip(1)
        .filter_map(|row| row.get(column))
        .peekable();
    cells.peek().is_some()
        && cells.all(|cell| {
            cell == "–"
                || cell
                    .trim_start_matches('-')
                    .starts_with(|c: char| c.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_right_and_words_left() {
        let rows = [["name", "count"], ["a", "10"], ["long", "9"]];
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(ToString::to_string).collect())
            .collect();
        assert_eq!(table(&rows), "  name  count\n  a        10\n  long      9");
    }
}
