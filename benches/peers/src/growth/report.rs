//! How does a curve look as a table, in Markdown?

/// One row for each size, one column for each curve.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heads: &[&str]) -> Self {
        Self { rows: vec![heads.iter().map(|&head| head.to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, size: String, cells: impl IntoIterator<Item = String>) {
        let row: Vec<_> = std::iter::once(size).chain(cells).collect();
        assert_eq!(row.len(), self.rows[0].len(), "each column has a head");
        self.rows.push(row);
    }

    pub(crate) fn print(&self, title: &str, unit: &str) {
        println!("\n**{title}** ({unit})\n");
        let line = |row: &[String]| println!("| {} |", row.join(" | "));
        let [head, rows @ ..] = &self.rows[..] else { return };
        line(head);
        println!("| --- |{}", " ---: |".repeat(head.len() - 1));
        for row in rows {
            line(row);
        }
    }
}

/// 100,000 for 100000.
pub(crate) fn grouped(number: usize) -> String {
    match number {
        ..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}

/// For tables: a count is below 2^53.
#[allow(clippy::cast_precision_loss, reason = "it is below 2^53")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}
