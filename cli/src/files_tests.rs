use super::*;
use nix::{sys::stat::Mode, unistd::mkfifo};
use std::{io::Read, os::unix::fs::symlink, thread};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    write(&path, b"old").unwrap();
    write(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_keeps_its_permissions_and_a_new_one_has_those_of_any_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("file"), folder.path().join("other"));
    write(&path, b"old").unwrap();
    fs::write(&other, b"made by the system's own means").unwrap();
    assert_eq!(mode(&path), mode(&other));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    write(&path, b"new").unwrap();
    assert_eq!(mode(&path), 0o640);
}

#[test]
fn a_link_stays_a_link_and_its_target_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("target");
    let (link, chain) = (folder.path().join("link"), folder.path().join("chain"));
    symlink(&target, &link).unwrap();
    // Relative, as `ln -s` makes them.
    symlink("link", &chain).unwrap();
    for bytes in [b"first", b"again"] {
        write(&chain, bytes).unwrap();
        assert_eq!(fs::read(&target).unwrap(), bytes);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::symlink_metadata(&chain).unwrap().is_symlink());
    }
}

#[test]
fn links_in_a_circle_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    symlink(&b, &a).unwrap();
    symlink(&a, &b).unwrap();
    assert!(write(&a, b"x").is_err());
    assert!(fs::symlink_metadata(&a).unwrap().is_symlink());
}

#[test]
fn a_device_stays_a_device() {
    // A link to it, so that the old way of writing replaces the link and not this machine's /dev/null.
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("null");
    symlink("/dev/null", &link).unwrap();
    write(&link, b"x").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        Destination::of(Path::new("/dev/full")).unwrap(),
        Destination::Through("/dev/full".into())
    );
    let full = write(Path::new("/dev/full"), b"x").unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    assert!(fs::metadata("/dev/full").unwrap().file_type().is_char_device());
}

#[test]
fn a_pipe_hands_on_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    let reader = {
        let path = path.clone();
        thread::spawn(move || fs::read(path).unwrap())
    };
    write(&path, b"through").unwrap();
    assert_eq!(reader.join().unwrap(), b"through");
    assert!(fs::metadata(&path).unwrap().file_type().is_fifo());
}

#[test]
fn an_open_file_of_a_process_is_written_through_its_descriptor() {
    use std::os::fd::AsRawFd;
    let mut open = tempfile::tempfile().unwrap();
    let path = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
    write(&path, b"through").unwrap();
    let mut text = String::new();
    open.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through");
}

#[test]
fn a_folder_and_what_is_in_no_folder_are_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |path: &Path| Destination::of(path).unwrap_err().kind();
    assert_eq!(refused(folder.path()), io::ErrorKind::IsADirectory);
    assert_eq!(refused(&folder.path().join("new/")), io::ErrorKind::IsADirectory);
    assert_eq!(refused(&folder.path().join("no/file")), io::ErrorKind::NotFound);
    assert_eq!(refused(Path::new("/dev/null/file")), io::ErrorKind::NotADirectory);
    assert_eq!(Destination::of(Path::new("-")).unwrap(), Destination::Stdout);
}

#[test]
fn a_secret_is_private_kept_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    write_secret_once(&path, &[7; 32]).unwrap();
    write_secret_once(&path, &[8; 32]).unwrap();
    assert_eq!(read_secret(&path).unwrap(), Some([7; 32]));
    assert_eq!(mode(&path), 0o600);
    fs::write(&path, b"\xff\xfe").unwrap();
    assert_eq!(read_secret(&path).unwrap(), None);
}

#[test]
fn several_private_files_are_put_in_their_places_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let draft = |name: &str, replace| Draft::new(path(name), b"new", replace).unwrap();
    fs::write(path("old"), "old").unwrap();
    fs::write(path("other"), "other").unwrap();
    fs::create_dir(path("folder")).unwrap();
    // A file that came in between, and a folder, which no file replaces.
    for (last, kind) in [
        (("other", false), Some(io::ErrorKind::AlreadyExists)),
        (("folder", true), None),
    ] {
        let drafts = vec![draft("first", false), draft("old", true), draft(last.0, last.1)];
        let (which, error) = put_all(drafts).unwrap_err();
        assert_eq!(which, path(last.0));
        assert!(kind.is_none_or(|kind| error.kind() == kind), "{error}");
        assert!(!path("first").exists());
        assert_eq!(fs::read(path("old")).unwrap(), b"old");
        assert_eq!(fs::read(path("other")).unwrap(), b"other");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            3,
            "nothing is left over"
        );
    }
    let put = put_all(vec![draft("first", false), draft("old", true)]).unwrap();
    assert_eq!(put, [path("first"), path("old")]);
    for path in put {
        assert_eq!(
            (fs::read(&path).unwrap().as_slice(), mode(&path)),
            (&b"new"[..], 0o600)
        );
    }
    drop(draft("second", false));
    assert!(!path("second").exists());
}

#[test]
fn what_is_larger_than_allowed_is_not_read() {
    for length in [0, 1, 7, 8] {
        let bytes = vec![1; length];
        assert_eq!(read_from(bytes.as_slice(), 8).unwrap(), Some(bytes.clone()));
    }
    assert_eq!(read_from([1; 9].as_slice(), 8).unwrap(), None);
    let most = vec![1; usize::try_from(IN_ONE_PIECE).unwrap()];
    let read = read_from(most.as_slice(), IN_ONE_PIECE).unwrap().unwrap();
    assert_eq!(read.capacity(), most.len() + 1, "the memory was claimed once");
    assert_eq!(read_from(io::repeat(1), IN_ONE_PIECE).unwrap(), None);
}

#[test]
fn data_goes_where_xdg_says() {
    let home = Some(PathBuf::from("/home/me"));
    assert_eq!(
        data_home_from(Some("/data".into()), home.clone()),
        Some("/data/hydraai".into())
    );
    assert_eq!(
        data_home_from(Some("relative".into()), home.clone()),
        Some("/home/me/.local/share/hydraai".into())
    );
    assert_eq!(
        data_home_from(None, home),
        Some("/home/me/.local/share/hydraai".into())
    );
    assert_eq!(data_home_from(None, None), None);
    assert_eq!(data_home_from(None, Some("".into())), None);
}
