//! What the documents promise.

use hydra_repository_tests::{checkout, files, text};

/// A figure that nobody can make again is a rumour.
#[test]
fn every_table_of_figures_has_its_command() {
    let page = text("docs/benchmarks.md");
    let mut without = Vec::new();
    for section in page.split("\n## ").skip(1) {
        let title = section.lines().next().unwrap_or_default();
        let rows: Vec<&str> = section
            .lines()
            .filter(|line| line.starts_with('|') && !line.starts_with("|--") && !line.starts_with("|:-"))
            .collect();
        let Some((head, rows)) = rows.split_first() else {
            continue;
        };
        if head.contains("| command |") {
            without.extend(
                rows.iter()
                    .filter(|row| !runs(row.rsplit("| ").next().unwrap_or_default()))
                    .copied(),
            );
        } else if !section
            .lines()
            .take_while(|line| !line.starts_with('|'))
            .any(runs)
        {
            without.push(title);
        }
    }
    assert!(
        without.is_empty(),
        "figures without a command:\n{}",
        without.join("\n")
    );
}

/// Whether a line names a command that can be typed.
fn runs(line: &str) -> bool {
    ["`cargo ", "`scripts/", "`hydra", "`curl ", "`du ", "`ls "]
        .iter()
        .any(|start| line.contains(start))
}

#[test]
fn every_decision_is_in_the_index() {
    let index = text("docs/decisions/README.md");
    for path in files(&checkout().join("docs/decisions")) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        assert!(
            name == "README.md" || index.contains(&name),
            "{name} is not in docs/decisions/README.md"
        );
    }
}

/// Links between documents lead somewhere.
#[test]
fn links_to_files_are_not_broken() {
    let root = checkout();
    let pages = files(&root)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "md"));
    let mut broken = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("readable");
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')').map(|(link, _)| link))
        {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.contains(' ') {
                continue;
            }
            let path = page.parent().expect("a page is in a folder").join(target);
            if !path.exists() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
