use serde_json::json;

use super::{entrance, told};
use crate::cli::{Shared, exit};
use crate::database_url::database_url;
use crate::file::{self, Plan};
use crate::orders::Entrance;

/// Print the address that clients use, with its password.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The database, when there are more than one.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The address of the Plimsoll that runs, else the one that the file says.
pub(super) fn run(shared: &Shared, arguments: &Arguments) -> u8 {
    let all = match entrance::running(shared) {
        Ok(all) => all,
        Err(reason) => match file::load(shared.path(&None), shared.state()) {
            Ok(plan) => match written(&plan) {
                Ok(all) => all,
                Err(why) => {
                    eprintln!("{reason}\n{why}");
                    return exit::FAILED;
                }
            },
            Err(problems) => {
                eprint!("{problems}");
                return exit::USAGE;
            }
        },
    };
    told(entrance::choose(all, arguments.name.as_deref()).map(|one| {
        let url = database_url(&one);
        let Entrance { name, address, user, password, database, .. } = one;
        let text = if arguments.json {
            let (host, port) = (address.ip(), address.port());
            json!({ "name": name, "url": url, "host": host, "port": port, "user": user, "password": password, "database": database })
                .to_string()
        } else {
            url
        };
        crate::cli::print(&format!("{text}\n"));
    }))
}

/// The doors as they will be: one with a port of its own choice has no address yet.
fn written(plan: &Plan) -> Result<Vec<Entrance>, String> {
    let one = |door: &sql::Plan| {
        let address = door.listen.address;
        if address.port() == 0 {
            return Err(format!("`sql.{}` takes a free port when Plimsoll starts", door.name));
        }
        let (user, password, database) = match door.users.get(&door.user).filter(|_| door.primary.is_some()) {
            Some(password) => (door.user.clone(), password.0.to_string(), door.database.clone()),
            None => {
                let postgres::Credentials { user, password, database, .. } = postgres::Credentials::of(&plan.state, &door.name)?;
                (user, password, database)
            }
        };
        let address = crate::assemble::reachable(address);
        Ok(Entrance { name: door.name.to_string(), address, user, password, database, programs: None, major: None })
    };
    plan.sql.iter().map(one).collect()
}
