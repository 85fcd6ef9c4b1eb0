//! Exit codes: one table of numbers and meanings, and which command may end with which. Help texts are made from it.

/// How a command ended, for whoever started it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ExitCode {
    /// It did what it was asked.
    Done,
    /// The operating system said no.
    System,
    /// The command line makes no sense.
    Usage,
    /// About the node.
    Node,
    /// About the trainer.
    Trainer,
    /// Time is over.
    Timeout,
    /// Refused before anything was begun.
    Impossible,
    /// About a transaction.
    Payment,
    /// About a local network.
    Local,
    /// Something on this PC is at fault.
    Fault,
    /// By a signal.
    Interrupted,
}

use ExitCode::{Done, Fault, Impossible, Interrupted, Local, Node, Payment, System, Timeout, Trainer, Usage};

/// What `hydra demo` may end with.
pub const DEMO: &[ExitCode] = &[Done, System, Usage, Timeout, Impossible, Local, Interrupted];
/// What `hydra status` may end with: it shows what is wrong with the trainer.
pub const STATUS: &[ExitCode] = &[Done, System, Usage, Node, Local];
/// What `hydra top` may end with.
pub const TOP: &[ExitCode] = &[Done, System, Usage, Node, Impossible, Local];
/// What `hydra ask` may end with.
pub const ASK: &[ExitCode] = &[
    Done,
    System,
    Usage,
    Node,
    Trainer,
    Impossible,
    Payment,
    Local,
    Interrupted,
];
/// What `hydra model export` may end with.
pub const EXPORT: &[ExitCode] = &[Done, System, Usage, Node, Trainer, Impossible, Local];
/// What `hydra rounds` may end with.
pub const ROUNDS: &[ExitCode] = &[Done, System, Usage, Node, Impossible, Local];
/// What `hydra registration` may end with.
pub const REGISTRATION: &[ExitCode] = &[Done, System, Usage, Node, Trainer, Impossible, Local];

/// What may be the end of a wallet's command that asks no node.
pub const WALLET: &[ExitCode] = &[Done, System, Usage, Impossible, Interrupted];
/// What `hydra wallet import` and `backup` may end with: they know this PC's own account, too.
pub const WALLET_OWN: &[ExitCode] = &[Done, System, Usage, Impossible, Local, Interrupted];
/// What `hydra wallet balance` may end with.
pub const BALANCE: &[ExitCode] = &[Done, System, Usage, Node, Impossible, Local, Interrupted];
/// What the commands may end with that pay for something: send, stake, claim.
pub const SPEND: &[ExitCode] = &[Done, System, Usage, Node, Impossible, Payment, Local, Interrupted];

/// What `hydra completions` may end with.
pub const COMPLETIONS: &[ExitCode] = &[Done, System, Usage];
/// What `hydra man` may end with.
pub const MAN: &[ExitCode] = &[Done, System, Usage];
/// What `hydra up` may end with.
pub const UP: &[ExitCode] = &[Done, System, Usage, Timeout, Impossible, Local, Interrupted];
/// What `hydra network new` may end with.
pub const NETWORK_NEW: &[ExitCode] = &[Done, System, Usage, Impossible, Local];
/// What `hydra network member` may end with.
pub const NETWORK_MEMBER: &[ExitCode] = &[Done, System, Usage, Impossible, Local];
/// What `hydra invite` may end with.
pub const INVITE: &[ExitCode] = &[Done, System, Usage, Node, Impossible, Payment, Local, Interrupted];
/// What `hydra pause`, `resume` and `validate` may end with.
pub const REST: &[ExitCode] = &[Done, System, Usage, Node, Impossible, Payment, Local, Interrupted];
/// What `hydra faucet` may end with: what becomes of its payments is said to those who asked.
pub const FAUCET: &[ExitCode] = &[Done, System, Usage, Node, Impossible, Local, Interrupted];
/// What `hydra down` may end with.
pub const DOWN: &[ExitCode] = &[Done, System, Usage, Local];
/// What `hydra logs` may end with.
pub const LOGS: &[ExitCode] = &[Done, System, Usage, Local];

/// What `hydra doctor` may end with.
pub const DOCTOR: &[ExitCode] = &[Done, System, Usage, Fault];

impl ExitCode {
    /// All of them.
    pub const ALL: &[Self] = &[
        Done,
        System,
        Usage,
        Node,
        Trainer,
        Timeout,
        Impossible,
        Payment,
        Local,
        Fault,
        Interrupted,
    ];

    /// The number that the process ends with. Scripts rely on these: they never change.
    pub const fn number(self) -> u8 {
        match self {
            Done => 0,
            System => 1,
            Usage => 2,
            Node => 3,
            Trainer => 4,
            Timeout => 5,
            Impossible => 6,
            Payment => 7,
            Local => 8,
            Fault => 9,
            // As a shell says it of a program that Ctrl-C ended.
            Interrupted => 130,
        }
    }

    /// What it means, for help texts.
    pub const fn meaning(self) -> &'static str {
        match self {
            Done => "done",
            System => "a file or the system refused something",
            Usage => "the command line can't be understood",
            Node => "the node can't be reached, or isn't a HydraAI node",
            Trainer => {
                "the trainer can't be reached, or refuses; the message says so if a question was paid by then"
            }
            Timeout => "the goal was not reached within --timeout",
            Impossible => "what was asked for isn't possible; nothing was paid or started",
            Payment => "the payment failed, or it isn't known whether it did; the message says which",
            Local => {
                "there is no such network or PC on this machine, or it can't be started or stopped working"
            }
            Fault => "something on this PC is at fault; the output says what, and what to do",
            Interrupted => "interrupted before the goal was reached",
        }
    }
}

/// The table of these codes, for the end of a help text.
pub fn help(codes: &[ExitCode]) -> String {
    let lines = codes
        .iter()
        .map(|code| format!("\n  {:<4} {}", code.number(), code.meaning()));
    format!("Exit codes:{}", lines.collect::<String>())
}

/// A help text with the table of these codes after it.
pub fn help_after(text: &str, codes: &[ExitCode]) -> String {
    format!("{}\n\n{}", text.trim_end(), help(codes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_number_of_its_own() {
        let mut numbers: Vec<u8> = ExitCode::ALL.iter().map(|code| code.number()).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        numbers.dedup();
        assert_eq!(numbers.len(), ExitCode::ALL.len());
    }

    #[test]
    fn the_help_lists_the_codes_of_a_command_and_no_others() {
        let text = help_after("Words.\n", &[Done, Interrupted]);
        assert_eq!(
            text,
            "Words.\n\nExit codes:\n  0    done\n  130  interrupted before the goal was reached"
        );
    }
}
