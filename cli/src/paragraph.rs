//! Sentences in lines that fit a terminal of 80 columns.
//!
//! It must never cut what somebody has to copy: a path or a command that is too long for a line gets one of its own.

/// A page's width.
pub const WIDTH: usize = 80;

/// Words in lines of the page's width: `head` before the first, `indent` before the others.
pub fn paragraph(head: &str, indent: &str, words: &str) -> String {
    let mut text = String::new();
    let mut line = head.to_owned();
    let mut is_empty = true;
    for word in pieces(words) {
        let length = word.chars().count();
        let wide = line.chars().count() + usize::from(!is_empty) + length;
        if wide > WIDTH && !line.trim().is_empty() {
            text += line.trim_end();
            text.push('\n');
            // What is too long to stand below the others begins at the left.
            let fits = indent.chars().count() + length <= WIDTH;
            line = if fits { indent.to_owned() } else { String::new() };
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
    // Whoever is quoted may have opened one and not closed it.
    let are_paired = words.matches('`').count().is_multiple_of(2);
    let mut pieces = vec![String::new()];
    let mut is_quoted = false;
    for c in words.chars() {
        is_quoted ^= c == '`' && are_paired;
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
    use proptest::prelude::*;

    #[test]
    fn lines_go_on_below_the_first_and_a_path_that_is_too_long_for_that_stands_alone() {
        let (path, longer) = ("p".repeat(77), "q".repeat(90));
        let text = paragraph(
            "head  ",
            "      ",
            &format!("{}{path} and {longer} end", "word ".repeat(16)),
        );
        let first = format!("head  {}", "word ".repeat(15));
        let expected = [
            first.trim_end(),
            "      word",
            path.as_str(),
            "      and",
            longer.as_str(),
            "      end",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        // Beside its head it would be cut by the terminal as well.
        assert_eq!(paragraph("head  ", "      ", &path), format!("head\n{path}\n"));
    }

    #[test]
    fn a_command_stays_in_one_piece_unless_its_end_is_missing() {
        let command = format!("`chmod 600 {}`", "f".repeat(60));
        assert!(paragraph("", "", &format!("run this now: {command}")).ends_with(&format!("\n{command}\n")));
        let text = paragraph("", "", &format!("an open ` {}", "word ".repeat(30)));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    proptest! {
        #[test]
        fn no_line_of_several_words_is_too_long_and_no_word_is_lost(words in "([a-zé]{1,20} ?\n?){0,40}") {
            let text = paragraph("head: ", "  ", &words);
            for line in text.lines() {
                prop_assert!(line.chars().count() <= WIDTH || !line.trim().contains(' '), "{}", line);
            }
            let said: Vec<&str> = text.split_whitespace().skip(1).collect();
            prop_assert_eq!(said, words.split_whitespace().collect::<Vec<_>>());
        }
    }
}
