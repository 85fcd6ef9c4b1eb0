//! `hydra network`: founds a network. It makes this PC's keys, gathers the members, and writes the one file that everybody
//! else needs.
//!
//! It must never overwrite anything, and never write a secret into the network's files.

mod hosts;
pub mod member;
mod models;
mod node;
pub mod patch;
mod write;

use hydra_primitives::{Balance, HYDRA};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::{fs, path::PathBuf};

use crate::{
    amount,
    args::{MemberArgs, NetworkNewArgs, ThisPcArgs},
    error::Error,
    files,
    home::{self, Home, Wish},
    keys::{key::Secret, terminal},
    local::programs,
    output, shell,
    spec::check_id,
};
use hosts::{hosts_of, kind, of_this_pc};
use member::{Member, check_hosts};
use models::{FoundedModel, Models, shown};
use patch::{Coin, Plan};
use write::{is_new, write_new};

/// Seconds of a week, and of four years.
const WEEK: u64 = 604_800;
const FOUR_YEARS: u64 = 126_144_000;
/// New coin in a second before the first halving: with those after it, three quarters of the chain's cap.
const PER_SECOND: Balance = 3 * HYDRA;

/// What is shown of a new network.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Founded {
    /// Its name.
    name: String,
    /// Its id.
    id: String,
    /// The file for everybody.
    file: PathBuf,
    /// The same for people to read.
    plain_file: PathBuf,
    /// The addresses of its members' accounts.
    members: Vec<String>,
    /// This PC's folder, if it is a member.
    folder: Option<PathBuf>,
    /// What others connect to, as multiaddresses.
    boot_nodes: Vec<String>,
    /// What it trains from the beginning.
    models: Vec<FoundedModel>,
    /// The folders of the data sets that were given: one PC at least has to be started with them, by `hydra up --datasets`, so
    /// that the others get them.
    datasets: Vec<PathBuf>,
    /// What the chain would refuse of models that are added later, and takes from a founder: in words.
    notes: Vec<String>,
}

/// Runs `hydra network new`.
pub async fn new(args: NetworkNewArgs, json: bool) -> Result<(), Error> {
    check_id(&args.id).map_err(Error::BadPlan)?;
    let program = programs::node(args.node.as_deref())?;
    let [file, plain_file] = ["", "-plain"].map(|end| args.out.join(format!("{}{end}.json", args.id)));
    for path in [&file, &plain_file] {
        is_new(path)?;
    }
    let hosts = of_this_pc(&args.this_pc);
    check_hosts(&hosts)?;
    let chosen = models::read(&args.model, &args.dataset)?;
    let members: Vec<Member> = args
        .member
        .iter()
        .map(|path| Member::read(path))
        .collect::<Result<_, _>>()?;
    let kind = args.kind.unwrap_or_else(|| match members.as_slice() {
        [] => kind(&hosts),
        members => kind(&hosts_of(members)),
    });
    if members.is_empty() {
        look_at_this_pc(&args.id, &args.this_pc)?;
    }
    let notes = models::notes(&chosen.genesis);
    announce(&args, &members, &hosts, &chosen);
    for note in &notes {
        output::note(note);
    }
    terminal::consent("Found this network?", args.yes).await?;
    // Before keys are made that would belong to no network.
    files::make_folder(&args.out)?;

    let (home, members) = match members.is_empty() {
        true => {
            let (home, member) = this_pc(&args.id, &args.this_pc, &hosts)?;
            (Some(home), vec![member])
        }
        false => (None, members),
    };
    let Models { genesis, folders } = chosen;
    let (unbonding, emission) = (unbonding(&args), emission(&args));
    let plan = Plan {
        name: args.name,
        id: args.id,
        kind,
        slot: args.slot,
        epoch: args.epoch,
        member_hydra: args.member_hydra,
        bond: args.bond,
        unbonding,
        emission,
        allocations: args.allocate,
        members,
        models: genesis,
    };
    let plain = patch::spec(&node::exported(&program)?, &plan).map_err(Error::BadPlan)?;
    let models = models::founded(&plain)?;
    write_new(&plain_file, &plain)?;
    let raw = match node::raw(&program, &plain_file).and_then(|raw| complete(raw, &plain)) {
        Ok(raw) => raw,
        Err(error) => {
            // It was made a moment ago, and the next try would be refused because of it.
            let _ = fs::remove_file(&plain_file);
            return Err(error);
        }
    };
    write_new(&file, &raw)?;
    if let Some(home) = &home {
        home.keep_spec(&file)?;
        home::note(&home.path);
    }
    let founded = Founded {
        members: plan.members.iter().map(|member| member.account.clone()).collect(),
        boot_nodes: plan
            .members
            .iter()
            .flat_map(|member| member.node_addresses.clone())
            .collect(),
        name: plan.name,
        id: plan.id,
        folder: home.map(|home| home.path),
        file,
        plain_file,
        models,
        datasets: folders,
        notes,
    };
    show(&founded, json)
}

/// Runs `hydra network member`.
pub fn member(args: MemberArgs, json: bool) -> Result<(), Error> {
    check_id(&args.id).map_err(Error::BadPlan)?;
    is_new(&args.out)?;
    let hosts = of_this_pc(&args.this_pc);
    check_hosts(&hosts)?;
    let (home, member) = this_pc(&args.id, &args.this_pc, &hosts)?;
    let value = serde_json::to_value(&member).map_err(|error| Error::BadPlan(error.to_string()))?;
    write_new(&args.out, &value)?;
    home::note(&home.path);
    if json {
        return output::json(&member);
    }
    output::data(&format!(
        "This PC's keys are in {}: back that folder up.\nSend {} to whoever founds the network; it holds no secret.\nOnce you \
         have the network's file:  hydra up --network FILE --base-path {}",
        home.path.display(),
        args.out.display(),
        shell::word(&home.path)
    ))
}

/// Refuses what can't be this PC's part, before anything is made. Returns its folder and its phrase.
fn look_at_this_pc(id: &str, args: &ThisPcArgs) -> Result<(PathBuf, Option<Secret>), Error> {
    let path = home::folder_of(id, args.base_path.as_deref())?;
    let phrase = args.phrase_file.as_deref().map(home::read_phrase).transpose()?;
    let before = Home::check(&path, &wish(id, args, phrase.as_ref()))?;
    // A folder that has a network's file belongs to a network that is founded already.
    if let Some(before) = before
        && before.spec()?.is_some()
    {
        return Err(Error::Exists(before.chain_file()));
    }
    Ok((path, phrase))
}

fn wish<'a>(id: &'a str, args: &'a ThisPcArgs, phrase: Option<&'a Secret>) -> Wish<'a> {
    Wish {
        id,
        name: args.pc_name.as_deref(),
        ports: &args.ports,
        phrase: phrase.map(|phrase| phrase.as_str()),
        validator: true,
    }
}

/// Makes this PC's keys, unless they are there.
fn this_pc(id: &str, args: &ThisPcArgs, hosts: &[String]) -> Result<(Home, Member), Error> {
    let (path, phrase) = look_at_this_pc(id, args)?;
    let home = Home::open_or_make(&path, &wish(id, args, phrase.as_ref()))?.home;
    let keys = home::make_session_keys(&home.keystore())?;
    let member = Member::new(&home, keys, hosts)?;
    Ok((home, member))
}

/// Says what will be, before anything is.
fn announce(args: &NetworkNewArgs, members: &[Member], hosts: &[String], chosen: &Models) {
    let who = match members {
        [] => format!("this PC is its only member, reached at {}", hosts.join(" and ")),
        members => {
            let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
            format!("its members are {}", names.join(", "))
        }
    };
    output::note(&format!(
        "{} ({}): a block every {} s, a session of {} blocks; {who}.\nEach member owns {} HYDRA from the beginning, {} of them at \
         stake; to take stake back takes {} blocks.\n{}",
        args.name,
        args.id,
        args.slot,
        args.epoch,
        amount::exact(args.member_hydra),
        amount::exact(args.bond),
        unbonding(args),
        coin(&emission(args))
    ));
    for model in (0..).zip(&chosen.genesis).map(shown) {
        output::note(&model.line());
    }
    if members.is_empty() && args.this_pc.address.is_empty() {
        output::note(
            "Others can reach it only from the same local network: name its public address with --address.",
        );
    }
}

/// Blocks that unbonding takes: a week of them unless something else was given.
fn unbonding(args: &NetworkNewArgs) -> u32 {
    args.unbonding.unwrap_or_else(|| blocks(args.slot, WEEK))
}

/// How new coin comes: so much a second, and half as much every four years, unless something else was given.
fn emission(args: &NetworkNewArgs) -> Coin {
    Coin {
        per_block: args
            .emission
            .unwrap_or_else(|| PER_SECOND.saturating_mul(args.slot.into())),
        halving: args.halving.unwrap_or_else(|| blocks(args.slot, FOUR_YEARS)),
        bucket: args.bucket,
    }
}

/// That, said.
fn coin(emission: &Coin) -> String {
    let halving = match emission.halving {
        0 => "always".into(),
        blocks => format!("and half as much after every {blocks} blocks"),
    };
    format!(
        "New coin: {} HYDRA a block, {halving}; rewards are paid from what has come, and {} are there from the beginning.",
        amount::exact(emission.per_block),
        amount::exact(emission.bucket)
    )
}

/// So many blocks last these seconds.
fn blocks(slot: u64, seconds: u64) -> u32 {
    let blocks = seconds.checked_div(slot).unwrap_or(seconds);
    u32::try_from(blocks).unwrap_or(u32::MAX)
}

/// The state as the node made it, with everything else as it was planned.
fn complete(raw: Value, plain: &Value) -> Result<Value, Error> {
    let kept = [
        "name",
        "id",
        "protocolId",
        "chainType",
        "bootNodes",
        "trainers",
        "properties",
    ];
    for field in kept {
        if raw[field] != plain[field] {
            return Err(Error::SpecRefused(format!("it gives {field} back otherwise")));
        }
    }
    if raw["genesis"]["raw"].is_null() {
        return Err(Error::SpecRefused("it gives no state back".into()));
    }
    Ok(raw)
}

fn show(founded: &Founded, json: bool) -> Result<(), Error> {
    if json {
        return output::json(founded);
    }
    let with: String = founded
        .datasets
        .iter()
        .map(|folder| format!(" --datasets {}", shell::word(folder)))
        .collect();
    let start = match &founded.folder {
        Some(folder) => format!(
            "This PC's keys are in {}: back that folder up, whoever has it owns this PC's HYDRA.\nStart this PC:  hydra up \
             --base-path {}{with}",
            folder.display(),
            shell::word(folder)
        ),
        None => format!(
            "Each member starts with:  hydra up --network {}",
            shell::word(&founded.file)
        ),
    };
    let models: Vec<String> = founded.models.iter().map(FoundedModel::line).collect();
    let mut said = format!(
        "{} is founded, with {}.\nThe file for everybody who joins:  {}\nThe same to read:  {}\n{start}",
        founded.name,
        models.join("; "),
        founded.file.display(),
        founded.plain_file.display()
    );
    if !with.is_empty() {
        said.push_str(&format!(
            "\nPCs send each other what the models learn from, and one has to have it: the first time, one at least is \
             started with{with}"
        ));
    }
    output::data(&said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_and_the_coin_of_a_second_are_the_same_however_long_a_block_takes() {
        assert_eq!([blocks(10, WEEK), blocks(60, WEEK)], [60_480, 10_080]);
        // All halvings together bring twice the first stretch, and the cap is 1,000,000,000.
        for slot in [1, 2, 10, 60] {
            let per_block = PER_SECOND * Balance::from(slot);
            let all = 2 * per_block * Balance::from(blocks(slot, FOUR_YEARS));
            assert!(
                (700_000_000 * HYDRA..=800_000_000 * HYDRA).contains(&all),
                "{slot}"
            );
        }
        let always = Coin {
            per_block: HYDRA,
            halving: 0,
            bucket: 5 * HYDRA,
        };
        assert_eq!(
            coin(&always),
            "New coin: 1 HYDRA a block, always; rewards are paid from what has come, and 5 are there from the beginning."
        );
    }

    #[test]
    fn a_node_that_forgets_part_of_the_network_is_noticed() {
        let plain = serde_json::json!({ "id": "net", "trainers": ["a"], "bootNodes": [] });
        let mut raw = plain.clone();
        raw["genesis"] = serde_json::json!({ "raw": {} });
        assert!(complete(raw.clone(), &plain).is_ok());
        raw["trainers"] = Value::Null;
        assert!(complete(raw, &plain).is_err());
    }
}
