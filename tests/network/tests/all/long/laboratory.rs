//! Real trainers behind every pair of routers, and what no pair shows: `scripts/soak zombienet`, and `scripts/soak laboratory` for the
//! table.

use hydra_network_tests::laboratory::{
    Kind, Protocol,
    cases::{self, Run},
    matrix::Row,
};

/// A PC behind a router of this kind has a blob, and one behind each kind fetches it, both ways of carrying it.
fn all_get_it_from(publisher: Kind) {
    for fetcher in Kind::ALL {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let Some(row) = Row::of(publisher, fetcher, protocol) else {
                return;
            };
            eprintln!(
                "{publisher} × {fetcher}, {protocol:?}: {} by {} after {:.1} s; {}; {}",
                row.path, row.transport, row.seconds, row.publisher_says, row.fetcher_says
            );
            row.check();
        }
    }
}

#[test]
fn pcs_behind_all_routers_get_a_blob_from_a_public_pc() {
    all_get_it_from(Kind::Open);
}

#[test]
fn pcs_behind_all_routers_get_a_blob_from_behind_a_full_cone() {
    all_get_it_from(Kind::FullCone);
}

#[test]
fn pcs_behind_all_routers_get_a_blob_from_behind_a_restricted_one() {
    all_get_it_from(Kind::Restricted);
}

#[test]
fn pcs_behind_all_routers_get_a_blob_from_behind_one_that_remaps_ports() {
    all_get_it_from(Kind::Remapping);
}

#[test]
fn pcs_behind_all_routers_get_a_blob_from_behind_one_that_lets_in_nothing() {
    all_get_it_from(Kind::NoInbound);
}

#[test]
fn pcs_behind_all_routers_get_a_blob_from_behind_a_symmetric_one() {
    all_get_it_from(Kind::Symmetric);
}

/// What is to be seen of a case, it looks at itself.
fn is_so(run: Run) {
    if let Some(case) = run() {
        eprintln!(
            "{}: {} by {} after {:.1} s; {}; {}",
            case.name,
            case.sight.path,
            case.sight.transport,
            case.seconds,
            case.publisher_says,
            case.fetcher_says
        );
    }
}

#[test]
fn two_pcs_behind_one_router_find_each_other_in_their_own_net() {
    is_so(cases::behind_one_router);
}

#[test]
fn a_port_mapped_by_upnp_lets_everybody_in() {
    is_so(cases::upnp);
}

#[test]
fn a_port_mapped_by_nat_pmp_lets_everybody_in() {
    is_so(cases::nat_pmp);
}

#[test]
fn a_pc_with_ipv6_only_reaches_one_with_both_without_a_relay() {
    is_so(cases::ipv6_only_and_both);
}

#[test]
fn a_pc_with_ipv6_only_reaches_one_with_ipv4_only_by_a_relay() {
    is_so(cases::ipv6_only_and_ipv4_only);
}

#[test]
fn a_pc_is_reached_again_after_its_relays_were_killed_and_restarted() {
    is_so(cases::a_relay_restarts);
}

#[test]
fn a_pc_is_reached_again_after_its_router_forgot_every_connection() {
    is_so(cases::a_router_forgets);
}

#[test]
fn pcs_find_their_way_back_after_the_only_bootstrap_trainer_is_gone_for_good() {
    is_so(cases::a_bootstrap_is_gone);
}

#[test]
fn a_pc_that_gets_out_to_port_443_only_gets_a_blob_too() {
    is_so(cases::port_443);
}
