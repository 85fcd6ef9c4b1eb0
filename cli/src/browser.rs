//! Shows the dashboard to whoever started this PC: opens it in their browser, where there is a desktop and somebody at the
//! terminal.
//!
//! Must never be needed for anything, or end a browser: what was opened is the person's, and stays when this program ends.

use std::{env, ffi::OsStr, io, process::Stdio};
use tokio::process::{Child, Command};

use crate::keys::terminal;

/// What a desktop opens addresses with.
const OPENER: &str = "xdg-open";

/// Whether there is a browser to open addresses in.
#[derive(Clone, Copy, Debug)]
pub struct Browser {
    wanted: bool,
}

impl Browser {
    /// None if the person doesn't want it (`--no-browser`), if a program reads what is said (`--json`), where nobody is at a
    /// terminal, as in a service, and where there is no desktop.
    pub fn find(no_browser: bool, json: bool) -> Self {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let desktop = is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
        Self {
            wanted: !no_browser && !json && desktop && terminal::is_there(),
        }
    }

    /// Opens this address, if there is a browser. That it can't be opened is no failure: the address was said.
    pub fn open(self, url: &str) {
        if self.wanted {
            drop(start(OPENER.as_ref(), url));
        }
    }
}

/// Starts this program with the address, apart from this one: Ctrl-C in the terminal is not meant for a browser.
fn start(opener: &OsStr, url: &str) -> io::Result<Child> {
    Command::new(opener)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn nobody_who_is_a_program_or_says_no_gets_a_browser() {
        assert!(!Browser::find(true, false).wanted);
        assert!(!Browser::find(false, true).wanted);
    }

    #[tokio::test]
    async fn the_address_is_opened_in_a_group_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (opener, seen) = (folder.path().join("opener"), folder.path().join("seen"));
        // The fifth field of a process's line is its group.
        let script = format!(
            "#!/bin/sh\necho \"$1 $$ $(cut -d' ' -f5 /proc/$$/stat)\" > {}\n",
            seen.display()
        );
        fs::write(&opener, script).unwrap();
        fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
        let mut child = start(opener.as_os_str(), "http://127.0.0.1:8790/").unwrap();
        let ended = child.wait().await.unwrap();
        assert!(ended.success(), "{ended}");
        let seen = fs::read_to_string(seen).unwrap();
        let words: Vec<&str> = seen.split_whitespace().collect();
        let [url, own, group] = words[..] else {
            panic!("{seen}")
        };
        assert_eq!((url, own), ("http://127.0.0.1:8790/", group));
    }

    #[test]
    fn a_desktop_without_an_opener_is_no_failure() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _inside = runtime.enter();
        assert!(start("/nowhere/xdg-open".as_ref(), "http://127.0.0.1/").is_err());
    }
}
