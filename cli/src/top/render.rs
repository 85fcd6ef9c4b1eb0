//! Puts a page on a screen of any size. Pure: the same page at the same time is the same screen.

use ratatui::{
    Frame, Terminal,
    backend::TestBackend,
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
    text::Span,
    widgets::{Block, Padding},
};
use std::time::SystemTime;

use super::{
    page::{Mood, Panel, Row},
    view::View,
};

/// What shows everything.
const WHOLE: (u16, u16) = (80, 24);
/// The least that anything is shown on.
const LEAST: (u16, u16) = (40, 10);
/// Lines for notices at most, and of one at most.
const NOTICES: usize = 3;
const NOTICE: usize = 2;
/// A panel of three rows, and one of two.
const PANEL: u16 = 5;
const SMALL: u16 = 4;

/// Panels beside each other.
struct Band<'a> {
    panels: Vec<&'a Panel>,
    /// What is left out first where there is no room: the highest.
    rank: u8,
    height: u16,
    /// How many lines more it could use; `None` for any number.
    grows: Option<u16>,
}

fn band<'a>(panels: &[&'a Panel], rank: u8, height: u16) -> Band<'a> {
    Band {
        panels: panels.to_vec(),
        rank,
        height,
        grows: Some(0),
    }
}

/// Draws the page.
pub fn render(frame: &mut Frame<'_>, view: &View, now: SystemTime) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return too_small(buffer, area, view.hint);
    }
    let mut y = area.y;
    head(buffer, Rect { height: 1, ..area }, view, now);
    y += 1;
    for (line, mood) in notices(view, now, area.width) {
        put(
            buffer,
            area.x + 1,
            y,
            &line,
            area.width - 1,
            style(view, mood, false),
        );
        y += 1;
    }
    let left = area.bottom().saturating_sub(y);
    for band in bands(view, area.width, left) {
        let mut x = area.x;
        let count = u16::try_from(band.panels.len()).unwrap_or(1).max(1);
        for (index, shown) in band.panels.iter().enumerate() {
            // The last takes what division leaves.
            let is_last = index + 1 == band.panels.len();
            let width = if is_last {
                area.right() - x
            } else {
                area.width / count
            };
            let place = Rect {
                x,
                y,
                width,
                height: band.height,
            };
            panel(frame, place, shown, view, now);
            x += width;
        }
        y += band.height;
    }
}

/// The page as plain text, on a screen that shows everything.
pub fn plain(view: &View, now: SystemTime) -> String {
    let Ok(mut terminal) = Terminal::new(TestBackend::new(WHOLE.0, WHOLE.1));
    let Ok(drawn) = terminal.draw(|frame| render(frame, view, now));
    text(drawn.buffer)
}

/// What a screen shows, without spaces at the ends of lines.
fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    let area = buffer.area;
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        let mut x = area.left();
        while x < area.right() {
            let symbol = buffer.cell((x, y)).map_or(" ", |cell| cell.symbol());
            line.push_str(symbol);
            x += u16::try_from(width(symbol)).unwrap_or(1).max(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn too_small(buffer: &mut Buffer, area: Rect, hint: &str) {
    let sentence = format!(
        "too small: {} × {} shows the most important, {} × {} everything. {hint}",
        LEAST.0, LEAST.1, WHOLE.0, WHOLE.1
    );
    let lines = wrap(&sentence, area.width.into());
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        put(buffer, area.x, y, &line, area.width, Style::new());
    }
}

fn head(buffer: &mut Buffer, area: Rect, view: &View, now: SystemTime) {
    let bold = match view.styled {
        true => Style::new().add_modifier(Modifier::BOLD),
        false => Style::new(),
    };
    let inner = area.width.saturating_sub(2);
    let line = sides(&view.heading.text(now), view.hint, inner.into());
    put(buffer, area.x + 1, area.y, &line, inner, bold);
}

/// The lines of the most important notices.
fn notices(view: &View, now: SystemTime, across: u16) -> Vec<(String, Mood)> {
    let across = usize::from(across).saturating_sub(2);
    let mut lines = Vec::new();
    for notice in &view.notices {
        let sign = if notice.mood == Mood::Bad { "! " } else { "" };
        let text = format!("{sign}{}", notice.words.text(now));
        let mut wrapped = wrap(&text, across);
        if wrapped.len() > NOTICE {
            let rest = wrapped.split_off(NOTICE - 1).join(" ");
            wrapped.push(fit(&rest, across));
        }
        if lines.len() + wrapped.len() > NOTICES {
            break;
        }
        lines.extend(wrapped.into_iter().map(|line| (line, notice.mood)));
    }
    lines
}

/// What fits, in the order in which it is shown.
fn bands(view: &View, width: u16, height: u16) -> Vec<Band<'_>> {
    let mut bands = if width >= WHOLE.0 {
        vec![
            band(&[&view.pc, &view.wallet], 0, PANEL),
            band(&[&view.network, &view.model], 1, PANEL),
        ]
    } else {
        vec![
            band(&[&view.pc], 0, PANEL),
            band(&[&view.wallet], 1, PANEL),
            band(&[&view.network], 2, PANEL),
            band(&[&view.model], 3, PANEL),
        ]
    };
    let more = view.peers.rows.len().saturating_sub(usize::from(PANEL) - 2);
    bands.push(Band {
        grows: Some(u16::try_from(more).unwrap_or(u16::MAX)),
        ..band(&[&view.peers], 5, PANEL)
    });
    bands.push(Band {
        grows: None,
        ..band(&[&view.blocks], 4, SMALL)
    });
    let mut left = height;
    let mut ranks: Vec<(u8, u16)> = bands.iter().map(|band| (band.rank, band.height)).collect();
    ranks.sort_unstable();
    let mut fitting = Vec::new();
    for (rank, height) in ranks {
        if let Some(rest) = left.checked_sub(height) {
            left = rest;
            fitting.push(rank);
        }
    }
    bands.retain(|band| fitting.contains(&band.rank));
    // The peers take up to half of what is left, what happened the rest.
    let mut half = left / 2;
    for band in &mut bands {
        let more = match band.grows {
            Some(lines) => lines.min(half),
            None => left,
        };
        band.height += more;
        left -= more;
        half = half.saturating_sub(more);
    }
    bands
}

fn panel(frame: &mut Frame<'_>, area: Rect, panel: &Panel, view: &View, now: SystemTime) {
    let title = fit(&panel.title, usize::from(area.width).saturating_sub(4));
    let block = Block::bordered()
        .title(format!(" {title} "))
        .padding(Padding::horizontal(1))
        .border_style(style(view, Mood::Plain, panel.stale));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let buffer = frame.buffer_mut();
    let room = usize::from(inner.height);
    let hidden = panel.rows.len().saturating_sub(room);
    for (index, (y, row)) in (inner.top()..inner.bottom()).zip(&panel.rows).enumerate() {
        // Blocks that aren't shown are older; peers that aren't shown are as good as others.
        let is_end = hidden > 0 && index + 1 == room && std::ptr::eq(panel, &view.peers);
        let more = Row::said(format!("and {} more", hidden + 1));
        let row = if is_end { &more } else { row };
        let line = sides(&row.left.text(now), &row.right.text(now), inner.width.into());
        let style = style(view, row.mood, panel.stale);
        put(buffer, inner.x, y, &line, inner.width, style);
    }
}

/// One text at the left and one at the right of a line; the left is cut for the right.
fn sides(left: &str, right: &str, across: usize) -> String {
    let right = fit(right, across);
    if right.is_empty() {
        return fit(left, across);
    }
    let left = fit(left, across.saturating_sub(width(&right) + 1));
    let space = across.saturating_sub(width(&left) + width(&right));
    format!("{left}{}{right}", " ".repeat(space))
}

/// As much of this as fits, with a sign where something is missing.
fn fit(text: &str, across: usize) -> String {
    if width(text) <= across {
        return text.into();
    }
    let mut fitting = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += width(c.encode_utf8(&mut [0; 4]));
        if used > across {
            break;
        }
        fitting.push(c);
    }
    if across > 0 {
        fitting.push('…');
    }
    fitting
}

/// Lines of whole words; a word that is longer than a line is cut.
fn wrap(text: &str, across: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= across => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(fit(word, across)),
        }
    }
    lines
}

/// How many columns this takes.
fn width(text: &str) -> usize {
    Span::raw(text).width()
}

fn put(buffer: &mut Buffer, x: u16, y: u16, text: &str, across: u16, style: Style) {
    buffer.set_stringn(x, y, text, across.into(), style);
}

fn style(view: &View, mood: Mood, stale: bool) -> Style {
    match (view.styled, stale, mood) {
        (false, ..) | (true, false, Mood::Plain) => Style::new(),
        (true, true, _) => Style::new().fg(Color::DarkGray),
        (true, false, Mood::Good) => Style::new().fg(Color::Green),
        (true, false, Mood::Bad) => Style::new().fg(Color::Red),
    }
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
