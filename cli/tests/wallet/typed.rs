//! What a person at a terminal types.

use super::*;
use std::io::Read;

/// `script` gives it a terminal, and types.
fn typed(home: &Home, command: &str, typed: &str) -> Output {
    let line = format!("{} {command}", env!("CARGO_BIN_EXE_hydra"));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.env("HOME", home.0.path()).current_dir(home.0.path());
    for variable in ["HYDRA_KEYS", "XDG_CONFIG_HOME"] {
        script.env_remove(variable);
    }
    fed(&mut script, typed)
}

#[test]
fn a_person_types_the_password_twice_and_is_shown_the_words() {
    let home = Home::new();
    let output = typed(&home, "wallet new savings", "correct horse\ncorrect horse\n");
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("New password: ") && text.contains("Again: "),
        "{text}"
    );
    assert!(text.contains("Write down these words"), "{text}");
    assert_eq!(files(&home.keys()), 1);
    let other = Home::new();
    let output = typed(&other, "wallet new savings", "correct horse\ncorrect house\n");
    assert!(said(&output).contains("are not the same"), "{}", said(&output));
    assert_eq!(files(&other.keys()), 0);
}

#[test]
fn ctrl_c_at_a_password_leaves_a_terminal_that_shows_what_is_typed() {
    let home = Home::new();
    // The shell survives Ctrl-C, and then says how the terminal is.
    let line = format!(
        "trap : INT; {} wallet new savings; echo ended with $?; stty -a",
        env!("CARGO_BIN_EXE_hydra")
    );
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("HOME", home.0.path())
        .env("SHELL", "/bin/sh")
        .current_dir(home.0.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    for variable in ["HYDRA_KEYS", "XDG_CONFIG_HOME"] {
        script.env_remove(variable);
    }
    let mut child = script.spawn().unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains("New password: ") {
        let mut byte = [0];
        assert_eq!(
            screen.read(&mut byte).unwrap(),
            1,
            "{}",
            String::from_utf8_lossy(&text)
        );
        text.extend(byte);
    }
    keyboard.write_all(b"\x03").unwrap();
    screen.read_to_end(&mut text).unwrap();
    child.wait().unwrap();
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("ended with 130"), "{text}");
    let settings: Vec<&str> = text.split([' ', ';', '\r', '\n']).collect();
    for setting in ["echo", "icanon", "isig"] {
        assert!(settings.contains(&setting), "{setting}: {text}");
    }
    assert_eq!(files(&home.keys()), 0);
}
