//! Bootstrap peers by name.

use crate::support::Pc;

#[tokio::test(flavor = "multi_thread")]
async fn a_bootstrap_peer_whose_name_isnt_found_is_a_warning_that_names_it() {
    let mut friend = Pc::start(61, &[], false).await;
    let mut pc = Pc::start(62, &[], false).await;
    pc.stop().await;
    // No system asks anybody about it: a label has 63 characters at most.
    let name = "x".repeat(64);
    let by_name = friend
        .address()
        .to_string()
        .replace("/ip4/127.0.0.1/", "/dns4/localhost/");
    pc.options.bootstrap = vec![
        format!("/dns4/{name}/tcp/30400").parse().unwrap(),
        by_name.parse().unwrap(),
    ];
    pc.start_again().await;
    let status = pc
        .status_with(|status| !status["warnings"].as_array().unwrap().is_empty())
        .await;
    let warning = status["warnings"][0].as_str().unwrap();
    assert!(
        warning.contains(&format!("the name {name} can't be found (")) && warning.contains("is tried again"),
        "{warning}"
    );
    assert_eq!(
        status["warnings"].as_array().unwrap().len(),
        1,
        "the other one was found"
    );
    assert_eq!(status["peers"].as_array().unwrap().len(), 1, "{status:#}");
    pc.stop().await;
    friend.stop().await;
}
