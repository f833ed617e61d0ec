//! `explorer`: goes through every scope with all guards on, then takes each guard out and expects something to break.

use std::process::ExitCode;

use explorer::guards::GUARDS;
use explorer::scope::NAMES;
use explorer::{Guard, Guards, Scope, Search, Size, experiments, report};

const USAGE: &str = "\
usage: explorer [--full] [--scope NAME] [--without GUARD]... [--guards]

Without arguments: every scope at CI size with all guards on, then each guard taken out.
  --full           scopes at full size: some minutes, some gigabytes
  --scope NAME     only this scope
  --without GUARD  without this guard; may be given more than once. Alone: its own experiment, with the steps
  --guards         only the guards, each with the steps of its counterexample
";

/// What is asked for.
struct Asked {
    size: Size,
    scope: Option<String>,
    without: Vec<Guard>,
    guards: bool,
}

fn main() -> ExitCode {
    let asked = match read(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(said) => {
            eprintln!("{said}");
            return ExitCode::from(64);
        }
    };
    let holds = match (&asked.scope, asked.without.as_slice()) {
        (Some(name), _) => scopes(&[name], &asked),
        (None, [guard]) => experiment(*guard, true),
        (None, [_, ..]) => scopes(&NAMES, &asked),
        (None, []) => (asked.guards || scopes(&NAMES, &asked)) & each_guard(asked.guards),
    };
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(mut args: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked { size: Size::Ci, scope: None, without: Vec::new(), guards: false };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--full" => asked.size = Size::Full,
            "--guards" => asked.guards = true,
            "--scope" => {
                let name = args.next().filter(|name| NAMES.contains(&name.as_str()));
                asked.scope = Some(name.ok_or_else(|| format!("--scope takes one of: {}", NAMES.join(", ")))?);
            }
            "--without" => {
                let guard = args.next().and_then(|name| Guard::named(&name));
                let names: Vec<_> = GUARDS.iter().map(|words| words.name).collect();
                asked.without.push(guard.ok_or_else(|| format!("--without takes one of: {}", names.join(", ")))?);
            }
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(asked)
}

/// Goes through scopes; true when all promises hold in all of them.
fn scopes(names: &[&str], asked: &Asked) -> bool {
    let (mut holds, mut states, mut seconds) = (true, 0, 0.0);
    for scope in names.iter().filter_map(|name| Scope::named(name, asked.size)) {
        let found = Search::of(scope, Guards::all_but(&asked.without)).run();
        println!("{}", report::scope(scope.name, &found));
        if let Some(violation) = &found.violation {
            print!("{}", report::counterexample(violation));
        }
        holds &= found.is_exhausted && found.cut == 0;
        states += found.states;
        seconds += found.took.as_secs_f64();
    }
    println!(
        "{states} states in {seconds:.1} s; two of them were taken for one with a chance of {}",
        report::collision_chance(states)
    );
    holds
}

/// Takes each guard out; true when each shows what is expected of it.
fn each_guard(with_steps: bool) -> bool {
    println!("\nwithout a guard:");
    let mut holds = true;
    for guard in experiments::guards().filter(|guard| guard.words().code.is_some()) {
        holds &= experiment(guard, with_steps);
    }
    let finds: Vec<Guard> = experiments::guards().filter(|guard| guard.words().code.is_none()).collect();
    if !finds.is_empty() {
        println!("\nfinds: guards that the model needs and the code does not have yet:");
    }
    for guard in finds {
        holds &= experiment(guard, true);
    }
    holds
}

fn experiment(guard: Guard, with_steps: bool) -> bool {
    let outcome = experiments::run(guard);
    println!("{}", report::guard(&outcome));
    let violation = outcome.broken.as_ref().and_then(|found| found.violation.as_ref());
    if let Some(violation) = violation.filter(|_| with_steps) {
        let words = guard.words();
        println!("    {} ({})", words.what, words.code.unwrap_or("not in the code yet"));
        print!("{}", report::counterexample(violation));
    }
    outcome.holds
}
