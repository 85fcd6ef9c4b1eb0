//! Which module of a crate takes names from which, and whether any two lead to each other.
//!
//! A module and the modules inside it are one house: `super::` from a room to its hall, or the hall's use of its rooms, is
//! no circle. Tests are left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use syn::visit::{self, Visit};

/// A module's path in its crate: `["local", "watch"]`; the root is empty.
type Module = Vec<String>;
/// What each module imports.
type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// The circles of the crate in this folder: modules that lead to each other, each group in order.
pub fn circles(package: &Path) -> Vec<Vec<String>> {
    let graph = graph(&package.join("src"));
    let reach: BTreeMap<&Module, BTreeSet<&Module>> =
        graph.keys().map(|from| (from, reach(&graph, from))).collect();
    let leads = |a: &Module, b: &Module| reach.get(a).is_some_and(|reached| reached.contains(b));
    let mut groups = BTreeSet::new();
    for a in graph.keys().filter(|a| leads(a, a)) {
        let group = graph.keys().filter(|b| leads(a, b) && leads(b, a));
        groups.insert(group.map(|module| module.join("::")).collect::<Vec<_>>());
    }
    groups.into_iter().collect()
}

fn reach<'a>(graph: &'a Graph, from: &'a Module) -> BTreeSet<&'a Module> {
    let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
    while let Some(module) = left.pop() {
        for next in graph.get(module).into_iter().flatten() {
            if seen.insert(next) {
                left.push(next);
            }
        }
    }
    seen
}

fn graph(src: &Path) -> Graph {
    let modules: BTreeMap<Module, PathBuf> = crate::files(src)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .filter_map(|path| Some((module(path.strip_prefix(src).ok()?), path)))
        .collect();
    let mut graph = Graph::new();
    for (module, path) in &modules {
        let source = fs::read_to_string(path).expect("a source file is readable");
        let file = syn::parse_file(&source).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut names = Names {
            here: module,
            found: Vec::new(),
        };
        names.visit_file(&file);
        let imports = names.found.into_iter().filter_map(|path| {
            let known = (0..=path.len()).rev().map(|n| path[..n].to_vec());
            known.into_iter().find(|prefix| modules.contains_key(prefix))
        });
        // A hall and its rooms are one house.
        let others = imports.filter(|other| !other.starts_with(module) && !module.starts_with(other));
        graph.insert(module.clone(), others.collect());
    }
    graph
}

/// `local/watch.rs`, `local/mod.rs`, `lib.rs` → the module's path.
fn module(file: &Path) -> Module {
    let mut module: Module = file
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

/// Collects every path that begins in this crate.
struct Names<'a> {
    here: &'a Module,
    found: Vec<Module>,
}

impl Names<'_> {
    fn add(&mut self, path: &[String]) {
        let mut rest = path;
        let mut base = match rest.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => self.here.clone(),
            _ => return,
        };
        while let Some((first, others)) = rest.split_first() {
            match first.as_str() {
                "crate" | "self" => {}
                "super" => drop(base.pop()),
                _ => break,
            }
            rest = others;
        }
        base.extend_from_slice(rest);
        self.found.push(base);
    }

    fn tree(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident)),
            syn::UseTree::Name(name) => self.add(&with(&name.ident)),
            syn::UseTree::Rename(name) => self.add(&with(&name.ident)),
            syn::UseTree::Glob(_) => self.add(before),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(item, before)),
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Path>()
                    .is_ok_and(|path| path.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.tree(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let path_names: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        self.add(&path_names);
        visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, source) in files {
            let path = folder.path().join("src").join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, source).expect("a file");
        }
        folder
    }

    #[test]
    fn two_modules_that_import_each_other_are_a_circle() {
        let found = package(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::{b::{B, Other as O}, c::*};"),
            ("b.rs", "pub struct B(crate::a::A);"),
            ("c.rs", ""),
        ]);
        assert_eq!(circles(found.path()), [["a", "b"]]);
    }

    #[test]
    fn a_hall_and_its_rooms_are_no_circle_and_tests_do_not_count() {
        let found = package(&[
            ("lib.rs", "mod a; pub use a::A;"),
            ("a/mod.rs", "mod room; use room::R; pub struct A;"),
            ("a/room.rs", "use super::A; use crate::A as B;"),
            ("b.rs", "use super::a::A;"),
            (
                "c.rs",
                "#[cfg(test)] mod tests { use crate::b::B; } #[cfg(test)] use crate::b::B;",
            ),
        ]);
        assert_eq!(circles(found.path()), Vec::<Vec<String>>::new());
    }
}
