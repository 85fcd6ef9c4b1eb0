use super::*;
use hydra_primitives::{
    dataset::DatasetKind,
    digits::{DIGITS_INITIAL_WEIGHTS, digits_spec},
};
use hydra_update::encode_shard;
use serde_json::json;
use std::{iter::repeat_n, slice};
use tempfile::TempDir;

fn bundled(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../datasets")
        .join(path)
}

/// The digits model's file, as JSON.
fn digits_file() -> Value {
    serde_json::from_slice(&fs::read(bundled("digits/model.json")).unwrap()).unwrap()
}

fn written(folder: &TempDir, name: &str, value: &Value) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, value.to_string()).unwrap();
    path
}

/// A data set of images of one row and two columns, of two classes.
fn dots(folder: &Path, name: &str) {
    let kind = DatasetKind::Images {
        height: 1,
        width: 2,
        channels: 1,
        classes: 2,
        max_value: 9,
    };
    fs::create_dir(folder).unwrap();
    let description =
        json!({ "name": name, "kind": &kind, "shards": ["a.safetensors"], "validation": "v.safetensors" });
    fs::write(folder.join("dataset.json"), description.to_string()).unwrap();
    for (file, label) in [("a.safetensors", 0), ("v.safetensors", 1)] {
        fs::write(folder.join(file), encode_shard(&kind, &[0, 9], &[label]).unwrap()).unwrap();
    }
}

/// The digits' model with one thing changed is refused, and it says this.
fn refused(change: impl Fn(&mut Value), words: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut file = digits_file();
    change(&mut file);
    let path = written(&folder, "model.json", &file);
    let error = read(&[path], &[]).unwrap_err();
    assert!(matches!(error, Error::BadModel { .. }), "{error:?}");
    let error = error.to_string();
    assert!(error.contains(words), "expected '{words}', got: {error}");
}

#[test]
fn the_digits_file_is_the_model_that_every_network_has_without_it() {
    let chosen = read(&[bundled("digits/model.json")], &[]).unwrap();
    let expected = (digits_spec(), digits_manifest(), DIGITS_INITIAL_WEIGHTS);
    assert_eq!(chosen.genesis, std::slice::from_ref(&expected));
    assert!(chosen.folders.is_empty());
    assert_eq!(
        shown((0, &expected)).line(),
        "model 0: 64-64-10 (4810 parameters), learns from UCI handwritten digits"
    );
    // The folder may be named, though it need not: its files are the ones that the chain knows.
    let chosen = read(&[bundled("digits/model.json")], &[bundled("digits")]).unwrap();
    assert_eq!(chosen.genesis, [expected]);
    assert_eq!(chosen.folders, [bundled("digits").canonicalize().unwrap()]);
    assert!(read(&[], &[]).unwrap().genesis.is_empty());
}

#[test]
fn models_and_data_of_one_s_own_stand_beside_the_digits_and_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    dots(&folder.path().join("dots"), "Dots");
    let mut file = digits_file();
    file["spec"]["architecture"]["Mlp"]["layers"] = json!([64, 10]);
    let plain = written(&folder, "plain.json", &file);
    file["dataset"] = "Dots".into();
    file["spec"]["architecture"]["Mlp"]["layers"] = json!([2, 3, 2]);
    file["spec"]["aggregator"] = json!({ "Mix": { "rate": 100000 } });
    let own = written(&folder, "own.json", &file);
    let chosen = read(&[plain, own], &[folder.path().join("dots")]).unwrap();
    assert_eq!(
        chosen.folders,
        [folder.path().join("dots").canonicalize().unwrap()]
    );
    let [(digits, _, weights), (_, dots, _)] = chosen.genesis.as_slice() else {
        panic!("{:?}", chosen.genesis)
    };
    assert_eq!(digits.architecture.parameters(), 650);
    assert_ne!(*weights, DIGITS_INITIAL_WEIGHTS);
    let files =
        ["a", "v"].map(|name| fs::read(folder.path().join(format!("dots/{name}.safetensors"))).unwrap());
    assert_eq!(
        [dots.shards.first().unwrap().hash, dots.validation.hash],
        files.map(|bytes| content_hash(&bytes))
    );
    // As the chain spec has them.
    let patch = json!({ "trainingProposals": { "models": &chosen.genesis } });
    let founded = founded(&json!({ "genesis": { "runtimeGenesis": { "patch": patch } } })).unwrap();
    let lines: Vec<String> = founded.iter().map(FoundedModel::line).collect();
    assert_eq!(
        lines,
        [
            "model 0: 64-10 (650 parameters), learns from UCI handwritten digits",
            "model 1: 2-3-2 (17 parameters), learns from Dots",
        ]
    );
    assert!(super::founded(&json!({})).is_err());
}

#[test]
fn a_model_that_the_chain_would_refuse_is_refused_with_what_to_change() {
    let layers = |layers: Value| {
        move |file: &mut Value| {
            file["spec"]["architecture"]["Mlp"]["layers"] = layers.clone();
        }
    };
    refused(layers(json!([64])), "layers needs two sizes");
    refused(layers(json!([64, 0, 10])), "layers needs two sizes");
    refused(
        layers(json!([64, 100_000, 100_000, 10])),
        "more than 67108864 parameters",
    );
    refused(layers(json!([65, 10])), "must be 64, the last one 10");
    refused(layers(json!([1, 2, 3, 4, 5, 6, 7, 8, 9])), "out of bounds");
    refused(
        |file| file["spec"]["task"]["steps"] = 0.into(),
        "must be 1 at least",
    );
    refused(
        |file| file["spec"]["task"]["steps"] = 1_000_001.into(),
        "steps 1000000 at most",
    );
    refused(
        |file| file["spec"]["phases"]["train"] = 8_640.into(),
        "8640 at most",
    );
    refused(
        |file| file["spec"]["task"]["batch_size"] = 100_000_000.into(),
        "values",
    );
    refused(
        |file| {
            file["spec"]["task"]["steps"] = 1_000_000.into();
            file["spec"]["task"]["batch_size"] = 10_000.into();
        },
        "more work than",
    );
    for (field, bad) in [
        ("roster", 0),
        ("roster", 257),
        ("first_seats", 7),
        ("first_seats", 65),
    ] {
        refused(
            |file| file["spec"][field] = bad.into(),
            "roster must be 1 to 256 places, and first_seats 8 to 64 seats",
        );
    }
    // What an older file has is no field of a model any more.
    refused(
        |file| file["spec"]["task"]["checkpoint_every"] = 5.into(),
        "a field that no model has",
    );
    refused(
        |file| {
            file["spec"].as_object_mut().unwrap().remove("roster");
        },
        "missing field `roster`",
    );
}

#[test]
fn a_file_that_means_something_else_than_it_says_is_refused() {
    refused(
        |file| file["spec"]["task"]["momentum"] = 1_000_001.into(),
        "momentum is 1000001 millionths",
    );
    refused(
        |file| file["spec"]["aggregator"]["WeightedMean"]["outer_momentum"] = 2_000_000.into(),
        "outer_momentum is 2000000 millionths",
    );
    refused(
        |file| file["spec"]["task"]["momentun"] = 1.into(),
        "a field that no model has",
    );
    refused(|file| file["name"] = "x".into(), "unknown field `name`");
    refused(|file| *file = json!({ "dataset": "x" }), "missing field `spec`");
    refused(|file| file["spec"]["profile"] = "Fast".into(), "unknown variant");
    refused(
        |file| file["dataset"] = "Cats\u{1b}".into(),
        "no data set is called \"Cats\\u{1b}\", but \"UCI handwritten digits\"",
    );
    refused(|file| *file = " ".repeat(1 << 16).into(), "too large");
}

#[test]
fn a_field_that_is_there_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.json");
    let text = digits_file().to_string();
    for (once, twice, words) in [
        (
            "\"momentum\":",
            "\"momentum\":1,\"momentum\":",
            "duplicate field `momentum`",
        ),
        ("\"train\":", "\"train\":1,\"train\":", "duplicate field `train`"),
        ("{\"Mlp\":", "{\"Mlp\":{\"layers\":[64,10]},\"Mlp\":", "expected"),
    ] {
        assert!(text.contains(once), "{text}");
        fs::write(&path, text.replacen(once, twice, 1)).unwrap();
        let error = read(slice::from_ref(&path), &[]).unwrap_err();
        assert!(matches!(error, Error::BadModel { .. }), "{once}: {error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn phases_that_the_chain_finds_too_short_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let with = |train: u32, verify: u32| {
        let mut file = digits_file();
        // 10,000 x 1,000 x 4,810: 4 blocks more than the 5 to train and the 10 to verify that a small one needs.
        file["spec"]["task"]["steps"] = 10_000.into();
        file["spec"]["task"]["batch_size"] = 1_000.into();
        file["spec"]["phases"]["train"] = train.into();
        file["spec"]["phases"]["verify"] = verify.into();
        let path = written(&folder, "model.json", &file);
        read(&[path], &[]).map(|models| models.genesis.len())
    };
    assert_eq!(with(9, 14).unwrap(), 1);
    for (train, verify, words) in [
        (
            9,
            13,
            "verify has 13 blocks of the 14 that a model of this size needs: give phases more blocks",
        ),
        (
            8,
            1,
            "train has 8 blocks of the 9 that a model of this size needs and verify has 1 block of the 14 that",
        ),
    ] {
        let error = with(train, verify).unwrap_err();
        assert!(matches!(error, Error::BadModel { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_model_that_members_have_no_room_for_is_said_and_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = digits_file();
    // 4,810 x 32 x 1,000,000: 287 times the work of class 0.
    file["spec"]["task"]["steps"] = 1_000_000.into();
    file["spec"]["phases"] = json!({ "train": 100, "verify": 100 });
    let path = written(&folder, "model.json", &file);
    let chosen = read(&[path], &[]).unwrap().genesis;
    let [note]: [String; 1] = notes(&chosen).try_into().unwrap();
    assert!(
        note.starts_with("model 0: its tasks are of size class 9,") && note.contains("--size-class 9"),
        "{note}"
    );
    // Two polls one after the other, each of three draws of 100 and 8 blocks.
    assert_eq!(longest_round(&chosen), 2 * (1 + 3 * 108));
    assert_eq!(longest_round(&[]), 2 * (1 + 3 * 18));
}

#[test]
fn names_that_two_have_and_data_that_nobody_learns_from_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two, digits] = ["one", "two", "digits"].map(|name| folder.path().join(name));
    dots(&one, "Dots");
    dots(&two, "Dots");
    dots(&digits, "UCI handwritten digits");
    let says = |files: &[PathBuf], folders: &[PathBuf], words: &str| {
        let error = read(files, folders).unwrap_err().to_string();
        assert!(error.contains(words), "expected '{words}', got: {error}");
    };
    let model = bundled("digits/model.json");
    says(
        &[],
        &[one.clone(), two.clone()],
        "two data sets are called \"Dots\"",
    );
    says(
        &[],
        &[digits],
        "two data sets are called \"UCI handwritten digits\"",
    );
    says(
        slice::from_ref(&model),
        slice::from_ref(&one),
        "no model learns from the data set \"Dots\"",
    );
    says(&[model.clone(), model.clone()], &[], "describes the same model");
    says(
        &repeat_n(model, 17).collect::<Vec<_>>(),
        &[],
        "17 models, and there may be 16",
    );
    says(&[folder.path().join("none.json")], &[], "none.json");
    says(&[], &[folder.path().join("none")], "there is no data set in");
}
