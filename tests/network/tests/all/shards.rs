//! Data sets that people make with Python.

use std::{fs, process::Command};

use hydra_network_tests::{checkout, clients::python, proc};
use hydra_primitives::dataset::DatasetKind;
use hydra_update::encode_shard;

#[test]
fn what_python_s_safetensors_writes_of_a_shard_is_byte_for_byte_what_a_trainer_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shard.safetensors");
    let output = proc::run(
        Command::new(python())
            .arg(checkout("tests/safetensors/shard.py"))
            .arg(&file),
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let kind = DatasetKind::Images {
        height: 2,
        width: 2,
        channels: 1,
        classes: 3,
        max_value: 11,
    };
    let inputs: Vec<u8> = (0..12).collect();
    let ours = encode_shard(&kind, &inputs, &[0, 2, 1]).expect("a shard");
    let theirs = fs::read(&file).expect("it was written");
    assert_eq!(
        String::from_utf8_lossy(&theirs),
        String::from_utf8_lossy(&ours),
        "the header or the order differs"
    );
    assert_eq!(theirs, ours);
}
