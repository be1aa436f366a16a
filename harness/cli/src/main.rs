/*! The `parlance` program: flags in, exit code out.

Everything a library could own lives in one; a command here turns its flags
into a call and the result into an exit code of [`judge::exit`].
*/

mod args;
mod commands;
mod failure;
mod outputs;
mod pick;
mod site;
mod terminal;
mod watch;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = args::parse();
    match cli.console.color {
        args::Color::Auto => {}
        args::Color::Always => anstream::ColorChoice::Always.write_global(),
        args::Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    match commands::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code())
        }
    }
}
