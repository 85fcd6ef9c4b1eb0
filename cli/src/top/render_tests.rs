use super::*;
use crate::top::{
    fixture::{ago, nothing, now, seen},
    page::{Notice, Words},
    seen::{Link, Seen},
};

fn view(seen: &Seen) -> View {
    View {
        hint: "q leaves",
        ..View::new(seen, now())
    }
}

fn drawn(view: &View, width: u16, height: u16) -> Buffer {
    let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
    let Ok(drawn) = terminal.draw(|frame| render(frame, view, now()));
    drawn.buffer.clone()
}

fn shown(view: &View, width: u16, height: u16) -> String {
    text(&drawn(view, width, height))
}

/// Made anew where HYDRA_WRITE_TERMINAL_PAGES is set.
#[test]
fn the_page_of_a_network_of_four_is_the_one_in_docs() {
    let page = shown(&view(&seen()), 80, 24);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/terminal/top.txt");
    if std::env::var_os("HYDRA_WRITE_TERMINAL_PAGES").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert_eq!(
        page,
        std::fs::read_to_string(path).unwrap(),
        "docs/terminal/top.txt: make it anew with HYDRA_WRITE_TERMINAL_PAGES=1"
    );
    assert_eq!(page.lines().count(), 24);
}

#[test]
fn plain_text_is_the_same_page() {
    let mut view = view(&seen());
    assert_eq!(plain(&view, now()), shown(&view, 80, 24));
    // Colours are no part of the text.
    view.styled = true;
    assert_eq!(plain(&view, now()), shown(&view, 80, 24));
}

#[test]
fn every_size_is_drawn_and_what_is_too_small_says_so() {
    let mut away = seen();
    away.node = Link::Up.failed(ago(60), "a long reason ".repeat(40));
    for seen in [seen(), nothing(), away] {
        let view = view(&seen);
        for width in [0, 1, 2, 39, 40, 41, 60, 79, 80, 81, 200] {
            for height in [0, 1, 2, 9, 10, 11, 16, 23, 24, 25, 60] {
                let page = shown(&view, width, height);
                assert_eq!(page.lines().count(), usize::from(height), "{width} x {height}");
            }
        }
    }
    let small = shown(&view(&seen()), 39, 10);
    assert!(small.starts_with("too small: 40 × 10"), "{small}");
    assert!(!small.contains("HYDRA"), "{small}");
}

#[test]
fn where_there_is_little_room_the_most_important_is_shown() {
    let small = shown(&view(&seen()), 40, 10);
    assert!(
        small.contains("This PC") && small.contains("Checking others"),
        "{small}"
    );
    assert!(small.contains("182,336"), "{small}");
    assert!(!small.contains("Peers"), "{small}");
    // Wide but low: two bands.
    let low = shown(&view(&seen()), 80, 16);
    for word in [
        "This PC",
        "45.5 HYDRA",
        "block 182,336",
        "97.22 % right",
        "Blocks",
    ] {
        assert!(low.contains(word), "{word}: {low}");
    }
}

#[test]
fn where_there_is_much_room_all_that_happened_is_shown() {
    let page = shown(&view(&seen()), 160, 40);
    assert!(page.contains("Alice sent 12 HYDRA to Eve"), "{page}");
    assert!(
        page.contains("Alice, Bob and Charlie earned 1 HYDRA each"),
        "{page}"
    );
}

#[test]
fn peers_that_find_no_room_are_counted() {
    let mut view = view(&seen());
    let row = view.peers.rows[0].clone();
    view.peers.rows = vec![row; 50];
    let page = shown(&view, 80, 24);
    // Two lines grow, so that five are shown.
    assert!(page.contains("and 46 more"), "{page}");
}

#[test]
fn a_long_notice_takes_two_lines_and_many_take_three() {
    let mut view = view(&seen());
    let notice = |text: String| Notice {
        words: Words::said(text),
        mood: Mood::Bad,
    };
    view.notices = vec![
        notice("word ".repeat(60)),
        notice("second".into()),
        notice("third".into()),
    ];
    let page = shown(&view, 80, 24);
    let lines: Vec<&str> = page.lines().collect();
    assert!(lines[1].starts_with(" ! word word"), "{page}");
    assert!(lines[2].ends_with('…'), "{page}");
    assert_eq!(lines[3], " ! second");
    assert!(!page.contains("third"), "{page}");
    assert!(lines[4].contains("This PC"), "{page}");
}

#[test]
fn colours_are_used_only_where_they_may_be() {
    let colours = |styled, seen: &Seen| {
        let view = View { styled, ..view(seen) };
        let buffer = drawn(&view, 80, 24);
        let mut colours: Vec<String> = buffer
            .content
            .iter()
            .map(|cell| format!("{:?} {:?}", cell.fg, cell.modifier))
            .collect();
        colours.sort_unstable();
        colours.dedup();
        colours
    };
    assert_eq!(colours(false, &seen()), ["Reset NONE"]);
    assert!(colours(true, &seen()).len() > 1);
    let mut away = seen();
    away.node = Link::Up.failed(ago(60), "refused".into());
    let grey = |colour: &String| colour.contains("DarkGray");
    assert!(colours(true, &away).iter().any(grey));
    assert!(!colours(true, &seen()).iter().any(grey));
}

#[test]
fn wide_letters_do_not_move_what_is_beside_them() {
    let mut view = view(&seen());
    view.heading = Words::said("網絡");
    view.pc.rows = vec![Row::both("網絡網絡網絡網絡網絡網絡網絡網絡網絡網絡", "right")];
    let page = shown(&view, 80, 24);
    let line = page.lines().nth(2).unwrap();
    assert!(line.contains("網絡網絡網絡網絡網絡網絡網絡…  right │"), "{line}");
}
