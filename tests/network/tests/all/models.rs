//! A founder's own models and data: what gets into a genesis, and that a network learns from data that only its founder had.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use hydra_network_tests::{Member, checkout, netns::Lan, proc, program};
use hydra_primitives::dataset::DatasetKind;
use hydra_update::encode_shard;
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(180);
const ID: &str = "models-test";

/// `hydra`, for a person whose home this is.
fn hydra(home: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(program("hydra"));
    command.env("HOME", home).current_dir(home).args(arguments);
    for variable in ["HYDRA_DATASETS", "HYDRA_NODE", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
        command.env_remove(variable);
    }
    proc::json(&proc::run(&mut command))
}

fn spec(home: &Path, founded: &Value, file: &str) -> Value {
    let path = home.join(founded[file].as_str().expect("a path"));
    serde_json::from_str(&fs::read_to_string(path).expect("it was written")).expect("JSON")
}

/// The digits' model with these layers, for this data set.
fn model(path: &Path, layers: &Value, dataset: &str) -> String {
    let text = fs::read_to_string(checkout("datasets/digits/model.json")).expect("it is there");
    let mut model: Value = serde_json::from_str(&text).expect("JSON");
    model["spec"]["architecture"]["Mlp"]["layers"] = layers.clone();
    model["dataset"] = dataset.into();
    fs::write(path, model.to_string()).expect("a new file");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn the_digits_file_founds_the_network_that_is_founded_without_it_and_another_one_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    let member = ["network", "member", "--json", "--id", ID, "--out", "member.json"];
    hydra(home, &[&member[..], &["--address", "203.0.113.7"]].concat());
    let new = |out: &str, more: &[&str]| {
        let arguments = [
            "network",
            "new",
            "--yes",
            "--json",
            "--id",
            ID,
            "--member",
            "member.json",
        ];
        hydra(home, &[&arguments[..], &["--out", out], more].concat())
    };
    let without = new("without", &[]);
    let digits = checkout("datasets/digits/model.json");
    let with = new("with", &["--model", digits.to_str().expect("UTF-8")]);
    assert_eq!(with["models"], without["models"]);
    for file in ["file", "plain_file"] {
        // Not by assert_eq: there is a runtime in each.
        assert!(
            spec(home, &with, file) == spec(home, &without, file),
            "{file} is another one"
        );
    }
    let two = model(&home.join("two.json"), &json!([64, 10]), "UCI handwritten digits");
    let other = new("other", &["--model", &two]);
    let founded = &other["models"][0];
    assert_eq!(
        (&founded["layers"], &founded["parameters"]),
        (&json!([64, 10]), &650.into())
    );
    assert_ne!(founded["weights"], without["models"][0]["weights"]);
    assert!(spec(home, &other, "file")["genesis"]["raw"] != spec(home, &without, "file")["genesis"]["raw"]);
}

/// Whether the left half of an image or the right one is bright.
fn halves(folder: &Path) -> PathBuf {
    let kind = DatasetKind::Images {
        height: 2,
        width: 4,
        channels: 1,
        classes: 2,
        max_value: 9,
    };
    fs::create_dir(folder).expect("a new folder");
    let image = |n: u8, label: u8| {
        let (left, right) = if label == 0 {
            (9 - n % 4, n % 3)
        } else {
            (n % 3, 9 - n % 4)
        };
        [left, left, right, right, left, left, right, right]
    };
    for (part, name) in (0..).zip(["a.safetensors", "b.safetensors", "v.safetensors"]) {
        // Each part has another size: two of the same bytes would be refused.
        let labels: Vec<u8> = (0..40 + part).map(|n| n % 2).collect();
        let inputs: Vec<u8> = (0..)
            .zip(&labels)
            .flat_map(|(n, label)| image(n, *label))
            .collect();
        let bytes = encode_shard(&kind, &inputs, &labels).expect("a shard");
        fs::write(folder.join(name), bytes).expect("a new file");
    }
    let description = json!({
        "name": "Halves", "kind": &kind, "shards": ["a.safetensors", "b.safetensors"], "validation": "v.safetensors",
    });
    fs::write(folder.join("dataset.json"), description.to_string()).expect("a new file");
    folder.to_path_buf()
}

#[test]
fn a_founder_s_own_data_is_learnt_from_by_a_pc_that_did_not_have_it() {
    let folder = tempfile::tempdir().expect("a folder for the network");
    let home = folder.path().canonicalize().expect("it is there");
    let lan = Lan::new(2);
    let mut founder = Member::new(home.join("founder"), lan.seat(0), ID);
    let mut second = Member::new(home.join("second"), lan.seat(1), ID);
    let data = halves(&home.join("halves"));
    let data = data.to_str().expect("UTF-8");
    let own = model(&home.join("own.json"), &json!([8, 4, 2]), "Halves");
    let out = home.join("files");
    let mut arguments = vec!["network", "new", "--yes", "--json", "--id", ID, "--slot", "2"];
    arguments.extend(["--epoch", "20", "--out", out.to_str().expect("UTF-8")]);
    // Who joins with as much holds places, too.
    arguments.extend(["--bond", "1"]);
    arguments.extend(["--model", &own, "--dataset", data]);
    for address in founder.seat().addresses() {
        arguments.extend(["--address", address.as_str()]);
    }
    arguments.extend(founder.seat().ports().iter().map(String::as_str));
    let founded = proc::json(&founder.hydra(&arguments));
    assert_eq!(founded["datasets"], json!([data]));
    assert_eq!(founded["models"][0]["dataset"], "Halves");

    founder.up(&["--datasets".to_owned(), data.to_owned()]);
    founder.earns(LIMIT);
    let file = founded["file"].as_str().expect("a path").to_owned();
    let mut options = vec!["--network".to_owned(), file];
    options.extend_from_slice(second.seat().ports());
    second.up(&options);
    let waits = second.event("waiting_for_coins", LIMIT);
    let address = waits["address"].as_str().expect("an address");
    proc::json(&founder.hydra(&["invite", address, "--yes", "--json"]));
    second.earns(LIMIT * 2);
    let status = proc::json(&second.hydra(&["status", "--json"]));
    assert_eq!(status["models"][0]["dataset"], "Halves", "{status:#}");
    second.down();
    founder.down();
}
