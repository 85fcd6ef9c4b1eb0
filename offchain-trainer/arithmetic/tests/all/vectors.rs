//! The table of `docs/arithmetic.md`: the reference and every set of instructions, with one, two and three threads, on this processor and
//! on emulated ones, compute the test vectors bit by bit.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

use hydra_arithmetic::Level;

const PROGRAM: &str = env!("CARGO_BIN_EXE_hydra-arithmetic-vectors");

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// The files by their names.
fn expected() -> BTreeMap<String, String> {
    let files = fs::read_dir(folder()).expect("the folder of the vectors");
    files
        .map(|file| file.expect("a file").path())
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("readable"))
        })
        .collect()
}

/// Runs the program by this command, and compares what it computed in each cell, which must be those of these levels at least.
fn compare(command: &[&str], levels: &[&str]) {
    let output = Command::new(command[0])
        .args(&command[1..])
        .output()
        .unwrap_or_else(|error| panic!("{} (from scripts/setup --for-tests): {error}", command[0]));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let output = String::from_utf8(output.stdout).expect("text");
    let expected = expected();
    assert_eq!(expected.len(), 21);
    let mut cells = BTreeSet::new();
    for cell in output.split("cell ").skip(1) {
        let (cell, files) = cell.split_once('\n').expect("a cell's files");
        let found: BTreeMap<&str, &str> = files
            .split("file ")
            .skip(1)
            .map(|file| file.split_once('\n').expect("a file's text"))
            .collect();
        assert!(
            found.keys().eq(expected.keys()),
            "{cell} has other files: {:?}",
            found.keys()
        );
        for (name, expected) in &expected {
            let (found, expected) = (found[name.as_str()].trim_end(), expected.trim_end());
            let mut case = "";
            for (found, expected) in found.lines().zip(expected.lines()) {
                if !found.contains(['=', '>']) && !found.starts_with(' ') {
                    case = found;
                }
                assert_eq!(found, expected, "{command:?}, {cell}, {name}: {case}");
            }
            assert_eq!(found.lines().count(), expected.lines().count(), "{cell}, {name}");
        }
        cells.insert(cell.to_owned());
    }
    let mut wanted = BTreeSet::from(["reference 1".to_owned()]);
    for level in levels {
        wanted.extend((1..=3).map(|threads| format!("{level} {threads}")));
    }
    assert!(wanted.is_subset(&cells), "{command:?} computed {cells:?} only");
}

/// What has AVX2, emulated. Plain Rust is compiled to instructions that every x86-64 has: the emulated processor without AVX2 is enough for it.
fn compare_emulated(cpu: &str) {
    let command = [
        "qemu-x86_64",
        "-cpu",
        cpu,
        PROGRAM,
        "--level",
        "reference",
        "--level",
        "avx2",
    ];
    compare(&command, &["avx2"]);
}

#[test]
fn this_processor_computes_the_vectors_on_every_level_and_number_of_threads() {
    let levels: Vec<&str> = Level::available().into_iter().map(Level::name).collect();
    compare(&[PROGRAM], &levels);
}

#[test]
fn an_emulated_haswell_computes_the_vectors() {
    compare_emulated("Haswell");
}

#[test]
fn an_emulated_skylake_server_computes_the_vectors() {
    compare_emulated("Skylake-Server");
}

#[test]
fn an_emulated_epyc_computes_the_vectors() {
    compare_emulated("EPYC");
}

#[test]
fn an_emulated_processor_with_all_that_the_emulator_knows_computes_the_vectors() {
    compare_emulated("max");
}

/// A processor of 2008: neither AVX nor a fused multiply-add.
#[test]
fn an_emulated_nehalem_computes_the_vectors_without_avx2() {
    compare(&["qemu-x86_64", "-cpu", "Nehalem", PROGRAM], &["portable"]);
}

#[test]
fn an_emulated_64_bit_arm_computes_the_vectors() {
    let program = std::env::var("HYDRA_TEST_ARM_VECTORS").expect(
        "HYDRA_TEST_ARM_VECTORS names hydra-arithmetic-vectors, built for 64-bit Arm: scripts/test builds it and says so",
    );
    compare(
        &["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", &program],
        &["portable", "neon"],
    );
}

/// The vectors would be worth less if what they are the weights of didn't learn.
#[test]
fn the_models_of_the_vectors_learn() {
    let text = fs::read_to_string(folder().join("training.txt")).expect("readable");
    let loss = |model: &str, step: usize| {
        let begin = format!("{model} {step} ");
        let line = text.lines().find(|line| line.starts_with(&begin));
        let bits = line
            .and_then(|line| line.rsplit(' ').next())
            .expect("a step's loss");
        f32::from_bits(u32::from_str_radix(bits, 16).expect("bits"))
    };
    for (model, batches) in [("mlp", 4), ("cnn", 3), ("gpt", 3)] {
        let mean = |steps: std::ops::RangeInclusive<usize>| {
            steps.map(|step| loss(model, step)).sum::<f32>() / batches as f32
        };
        let (first, last) = (mean(1..=batches), mean(21 - batches..=20));
        assert!(last < 0.9 * first, "{model}: {first} {last}");
    }
}
