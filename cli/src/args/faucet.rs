//! The command line of `hydra faucet`.

use clap::Args;
use hydra_primitives::Balance;
use std::net::SocketAddr;

use super::{NodeArgs, SignerArgs};
use crate::amount;

/// Options of `hydra faucet`.
#[derive(Debug, Args)]
pub struct FaucetArgs {
    /// Where it is asked, as IP address and port. Others reach it only if that is no address of this PC alone.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:9980")]
    pub listen: SocketAddr,
    /// How much an address gets, in HYDRA [default: the least stake and fees, 1.2]
    #[arg(long, value_name = "HYDRA", value_parser = amount::parse_positive)]
    pub amount: Option<Balance>,
    /// How many addresses get something within 24 hours.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub per_day: u32,
    /// How many of them may be asked for from one part of the internet: IPv4 addresses that begin with the same three
    /// numbers, IPv6 addresses of the same /64.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub per_client: u32,
    /// Also in a network that isn't a local one, whose coins may be worth something.
    #[arg(long)]
    pub really: bool,
    /// Don't ask whether to go on.
    #[arg(long)]
    pub yes: bool,
    /// Whose coins.
    #[command(flatten)]
    pub signer: SignerArgs,
    /// Which node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// What --from means there.
pub const FAUCET_FROM: &str =
    "The account whose coins are given away, by name or address; on a local network also //Alice";

/// Of `hydra faucet`.
pub const FAUCET_HELP: &str = "\
Gives each address that asks the same amount, once, until Ctrl-C or until the account is empty:
  curl -d '{\"address\": \"5…\"}' http://127.0.0.1:9980/v1/coins
It answers when the payment is in a block that can't be undone any more. `hydra up --faucet http://HOST:PORT` asks by itself.

Whom it pays is noted before it pays, in a local network's folder if that is known, else in your data folder: an address \
that was served stays so. What the account holds is the most that can be lost: send it no more than that.";

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command};
    use clap::Parser;

    #[test]
    fn whose_coins_are_given_away_must_be_said() {
        let parse = |line: &str| Cli::try_parse_from(line.split_whitespace());
        let Command::Faucet(args) = parse("hydra faucet --from //Eve --amount 1.5").unwrap().command else {
            panic!()
        };
        assert_eq!(args.listen.to_string(), "127.0.0.1:9980");
        assert_eq!(args.signer.from.as_deref(), Some("//Eve"));
        assert_eq!((args.per_day, args.per_client, args.really), (100, 3, false));
        for bad in [
            "",
            "--from //Eve --listen 9980",
            "--from //Eve --listen localhost:9980",
            "--from //Eve --amount 0",
            "--from //Eve --per-day 0",
            "--from //Eve --per-client 0",
        ] {
            assert!(parse(&format!("hydra faucet {bad}")).is_err(), "{bad}");
        }
    }
}
