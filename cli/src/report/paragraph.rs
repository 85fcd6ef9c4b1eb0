//! Sentences in lines that fit a terminal of 80 columns.
//!
//! It must never cut what somebody has to copy: a path or a command that is too long for a line gets one of its own.

/// A page's width.
pub const WIDTH: usize = 80;

/// Words in lines of [`WIDTH`]: `head` before the first, `indent` before the others.
pub fn paragraph(head: &str, indent: &str, words: &str) -> String {
    let mut text = String::new();
    let mut line = head.to_owned();
    let mut is_empty = true;
    for word in pieces(words) {
        let wide = line.chars().count() + usize::from(!is_empty) + word.chars().count();
        if !is_empty && wide > WIDTH {
            text += line.trim_end();
            text.push('\n');
            line = indent.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line += &word;
        is_empty = false;
    }
    text += line.trim_end();
    text.push('\n');
    text
}

/// What may not be cut: words, and what stands in backticks, which somebody may copy.
fn pieces(words: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut is_quoted = false;
    for c in words.chars() {
        is_quoted ^= c == '`';
        match (c.is_whitespace(), pieces.last_mut()) {
            (true, Some(piece)) if is_quoted => piece.push(' '),
            (false, Some(piece)) => piece.push(c),
            _ => pieces.push(String::new()),
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_have_lines_of_their_own_and_no_line_is_wider() {
        let text = paragraph("  ! ", "    ", &"word ".repeat(40));
        assert!(text.starts_with("  ! word") && text.ends_with("word\n"), "{text}");
        for line in text.lines().skip(1) {
            assert!(
                line.starts_with("    word") && line.chars().count() <= WIDTH,
                "{text}"
            );
        }
        let long = "x".repeat(100);
        assert_eq!(
            paragraph("", "", &format!("a {long} b")),
            format!("a\n{long}\nb\n")
        );
        // What would be copied stays in one piece.
        let quoted = format!("{} `two words` end", "a".repeat(70));
        assert_eq!(
            paragraph("", "", &quoted),
            format!("{}\n`two words` end\n", "a".repeat(70))
        );
    }
}
