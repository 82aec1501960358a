//! The program `quintet`: arguments in, answers out. It knows the engine and nothing below it.

mod arguments;
mod commands;
mod failure;
mod output;
mod progress;
mod render;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    match Arguments::try_parse_from(&words) {
        Err(error) => failure::usage(&error, arguments::asks_for_json(&words)),
        Ok(arguments) => match commands::run(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(arguments::asks_for_json(&words)),
        },
    }
}
