//! Models and data sets of a founder's own, as far as they go without a node: what is refused before anything is made.

use super::{folder, hydra, refused, run};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn bundled(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../datasets")
        .join(path)
}

#[test]
fn models_and_data_sets_that_can_not_be_are_refused_before_anything_is_made() {
    let (_folder, home) = folder();
    let new = |arguments: &[&str]| {
        let mut command = hydra(&home);
        command
            .args(["network", "new", "--yes", "--node", "/bin/false", "--out", "out"])
            .args(arguments);
        command
    };
    let text = fs::read_to_string(bundled("digits/model.json")).unwrap();
    let model = |from: &str, to: &str| {
        assert!(text.contains(from));
        fs::write(home.join("model.json"), text.replace(from, to)).unwrap();
        new(&["--model", "model.json"])
    };
    refused(&mut new(&["--model", "none.json"]), 1, "can't read none.json");
    refused(
        &mut model("{", ""),
        2,
        "model.json is no model that a network can begin with",
    );
    refused(
        &mut model("[64, 64, 10]", "[64, 9]"),
        2,
        "the first of layers must be 64, the last one 10",
    );
    refused(
        &mut model("\"batch_size\": 32", "\"batch_size\": 0"),
        2,
        "steps and batch_size must be 1 at least",
    );
    refused(
        &mut model("UCI handwritten digits", "Cats"),
        2,
        "no data set is called \"Cats\"",
    );
    refused(
        &mut new(&["--dataset", "none"]),
        2,
        "there is no data set in none",
    );
    fs::create_dir(home.join("dots")).unwrap();
    let description = r#"{ "name": "Dots", "shards": ["a.safetensors"], "validation": "v.safetensors",
        "kind": { "Images": { "height": 1, "width": 2, "channels": 1, "classes": 2, "max_value": 9 } } }"#;
    fs::write(home.join("dots/dataset.json"), description).unwrap();
    refused(&mut new(&["--dataset", "dots"]), 2, "dots/a.safetensors");
    fs::write(home.join("dots/a.safetensors"), "no shard").unwrap();
    refused(
        &mut new(&["--dataset", "dots"]),
        2,
        "dots/a.safetensors can't be used: the file is no shard",
    );
    let digits = bundled("digits/model.json");
    let twice = [
        "--model",
        digits.to_str().unwrap(),
        "--model",
        digits.to_str().unwrap(),
    ];
    refused(&mut new(&twice), 2, "describes the same model");
    assert!(!home.join("out").exists() && !home.join(".local").exists());

    // What can be is said first, and leads to the node, which is none.
    fs::write(home.join("model.json"), text.replace("[64, 64, 10]", "[64, 10]")).unwrap();
    let (code, _, complaint) = run(&mut new(&["--model", "model.json"]));
    assert_eq!(code, Some(8), "{complaint}");
    assert!(
        complaint.contains("model 0: 64-10 (650 parameters), learns from UCI handwritten digits"),
        "{complaint}"
    );
}
