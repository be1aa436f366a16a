//! `parlance run`: selected scenarios, a place to play them, reports, the exit code.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use judge::{Gates, Outcome, RunInfo, Waiver, exit};
use report::console::Console;
use scenario::engine::{self, Clock, Options, Site};
use scenario::{Library, Scenario, Target};
use tokio::sync::watch;
use trace::Seat;

use crate::args::{self, Refused, Run};
use crate::failure::{Done, Failure};
use crate::outputs::{Extra, Outputs};
use crate::pick;
use crate::site::{Adapter, OwnClient, OwnServer, Remote};
use crate::terminal::Terminal;

/// Plays.
pub fn run(args: &Run, terminal: &Terminal) -> Done {
    let target = match &args.target {
        Some(path) => Some(Target::read(path).map_err(|p| pick::problems(&p, terminal))?),
        None => None,
    };
    let seat = seat(args, target.as_ref())?;
    let library = pick::library(&args.select, terminal)?;
    let last = args
        .last_failed
        .then(|| last_failed(&args.report))
        .transpose()?;
    let mut scenarios = pick::choose(&args.select, &library, Some(seat), last, terminal)?;
    if let Some(shard) = args.shard {
        pick::shard(&mut scenarios, shard);
    }
    if scenarios.is_empty() {
        return Err(Failure::nothing(nothing(args, &library, seat, terminal)?));
    }
    let seed = args.seed.unwrap_or_else(draw);
    if args.shuffle {
        shuffle(&mut scenarios, seed);
    }
    if args.list || args.dry_run {
        return super::list::print_scenarios(&scenarios, args.format, terminal);
    }
    let scenarios = repeated(scenarios, args.repeat);

    let name = target
        .as_ref()
        .map_or("self", |t| t.name.as_str())
        .to_owned();
    let mut waivers = target
        .as_ref()
        .map(|t| t.waivers.clone())
        .unwrap_or_default();
    if let Some(path) = &args.baseline {
        waivers.extend(baseline(path)?);
    }
    let info = RunInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed,
        seat,
        profile: args.profile.name().to_owned(),
        target: name,
        started: now(),
        command: command(args),
        strict: args.strict,
    };
    let console = Console::new(std::io::stderr(), xccos::catalogue(), terminal.options())
        .with_sources(Box::new(sources(&library)));
    let mut outputs = Outputs::open(&args.report, console).map_err(Failure::environment)?;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::environment)?;
    let closing = runtime.block_on(async {
        let site = site(args, target, seat)?;
        let mut options = Options::new(info);
        options.waivers = waivers;
        options.gates = Gates {
            min_coverage: args.min_coverage,
            fail_on: args.fail_on.iter().map(|r| outcome(*r)).collect(),
            target: Some(seat.other()),
            interrupted: false,
        };
        // Scenarios share the users and rooms of a real target; our own peer is a new one for each.
        let jobs = if args.target.is_some() {
            1
        } else {
            processors()
        };
        if args.target.is_none() {
            // Both peers are ours and here, so nobody has to wait for their timers.
            options.clock = Clock::Virtual;
        }
        options.jobs = args.jobs.map_or(jobs, usize::from);
        // The flag multiplies waits, the engine divides by its factor.
        options.time_scale = 1.0 / args.time_scale;
        options.monitor = engine::rules(args.profile.name(), options.time_scale);
        options.timeout = args.timeout;
        options.retries = u32::from(args.retries);
        options.fail_fast = args.fail_fast;
        // A peer with a defect is meant to differ.
        if args.defect.is_empty() {
            options.compare = super::snapshot::compare(
                &args.snapshots,
                &options.info.target,
                seat,
                args.update_snapshots,
            );
        }
        options.interrupt = Some(interrupts());
        Ok::<_, Failure>(
            engine::run(&scenarios, site, &options, &mut |event| {
                outputs.take(&event)
            })
            .await,
        )
    })?;
    // Connections of ours that still linger are of no interest any more.
    runtime.shutdown_background();

    let extra = Extra {
        junit: args.junit.clone(),
        json: args.json.clone(),
        html: args.html.clone(),
        sarif: args.sarif.clone(),
        tap: args.tap.clone(),
    };
    let written = outputs.finish(&xccos::catalogue(), &extra);
    match written {
        Ok(paths) => {
            if !terminal.is_quiet() {
                for path in paths {
                    anstream::eprintln!("reports      {}", path.display());
                }
            }
            Ok(closing.exit_code)
        }
        // What was found outranks a disk that is full.
        Err(error) if closing.exit_code == exit::CONFORMANT => Err(Failure::environment(error)),
        Err(error) => {
            Failure::environment(error).print();
            Ok(closing.exit_code)
        }
    }
}

/// Who sits in the other seat.
fn site(args: &Run, target: Option<Target>, seat: Seat) -> Result<Arc<dyn Site>, Failure> {
    let Some(target) = target else {
        let defects = super::defects::named(&args.defect)?;
        return Ok(match seat {
            Seat::Client => Arc::new(OwnServer::new(scenario::site::server_world(), defects)?),
            Seat::Server => {
                let world = scenario::site::world();
                Arc::new(OwnClient::new(world, defects, &args.report)?)
            }
        });
    };
    if seat == Seat::Server {
        let file = args.target.as_deref().unwrap_or(Path::new(""));
        let adapter = Adapter::new(target, file, &args.report).map_err(Failure::usage)?;
        return Ok(Arc::new(adapter));
    }
    let remote = Remote::new(target)?;
    for warning in remote.warnings() {
        warn(&warning);
    }
    Ok(Arc::new(remote))
}

fn seat(args: &Run, target: Option<&Target>) -> Result<Seat, Failure> {
    let wanted = args.seat.map(|seat| match seat {
        args::Seat::Client => Seat::Client,
        args::Seat::Server => Seat::Server,
    });
    let implements = target.and_then(|t| t.implements);
    match (wanted, implements) {
        (Some(seat), Some(same)) if seat == same => Err(Failure::usage(format!(
            "the target implements the {} seat, so the harness cannot take it too; leave --seat out",
            word(seat)
        ))),
        (Some(seat), _) => Ok(seat),
        (None, Some(implements)) => Ok(implements.other()),
        (None, None) => Ok(Seat::Client),
    }
}

fn word(seat: Seat) -> &'static str {
    match seat {
        Seat::Client => "client",
        Seat::Server => "server",
    }
}

/// Ids that did not pass in the stored run.
fn last_failed(dir: &Path) -> Result<Vec<String>, Failure> {
    let path = dir.join("events.ndjson");
    let bytes = std::fs::read(&path).map_err(|e| {
        Failure::usage(format!(
            "--last-failed needs the report of an earlier run: {}: {e}",
            path.display()
        ))
    })?;
    let events = report::ndjson::read(&bytes)
        .map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?;
    let run = report::Run::fold(&events);
    Ok(run
        .scenarios
        .iter()
        .filter(|s| !matches!(s.outcome(), Some(Outcome::Pass | Outcome::Skip)))
        .map(|s| s.info.id.split('#').next().unwrap_or_default().to_owned())
        .collect())
}

fn nothing(
    args: &Run,
    library: &Library,
    seat: Seat,
    terminal: &Terminal,
) -> Result<String, Failure> {
    if library.scenarios.is_empty() {
        return Ok("there are no scenarios".to_owned());
    }
    if args.last_failed {
        return Ok("nothing failed in the run before".to_owned());
    }
    let mut told = format!(
        "no scenario is selected, of {}; `parlance list scenarios` shows them",
        library.scenarios.len()
    );
    for line in pick::why_empty(&args.select, library, seat, terminal)? {
        told.push_str("\n  ");
        told.push_str(&line);
    }
    Ok(told)
}

fn baseline(path: &Path) -> Result<Vec<Waiver>, Failure> {
    let about = |what: String| Failure::usage(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| about(e.to_string()))?;
    let waivers: Vec<Waiver> = serde_saphyr::from_str(&text)
        .map_err(|e| about(format!("this is no list of waivers: {e}")))?;
    match waivers.iter().find_map(Waiver::problem) {
        Some(problem) => Err(about(problem)),
        None => Ok(waivers),
    }
}

/// The command line without selection, for the lines that repeat one scenario.
fn command(args: &Run) -> Vec<String> {
    let mut line = vec!["parlance".to_owned(), "run".to_owned()];
    let mut flag = |name: &str, value: Option<String>| {
        line.push(name.to_owned());
        line.extend(value);
    };
    let path = |p: &Path| Some(p.display().to_string());
    if let Some(target) = &args.target {
        flag("--target", path(target));
    }
    if let Some(dir) = &args.select.scenarios {
        flag("--scenarios", path(dir));
    }
    if let (Some(seat), None) = (args.seat, &args.target) {
        let seat = match seat {
            args::Seat::Client => "client",
            args::Seat::Server => "server",
        };
        flag("--seat", Some(seat.to_owned()));
    }
    for defect in &args.defect {
        flag("--defect", Some(defect.clone()));
    }
    if args.profile == args::Profile::Published {
        flag("--profile", Some("published".to_owned()));
    }
    if args.strict {
        flag("--strict", None);
    }
    if args.time_scale != 1.0 {
        flag("--time-scale", Some(args.time_scale.to_string()));
    }
    if let Some(limit) = args.timeout {
        flag("--timeout", Some(format!("{}ms", limit.as_millis())));
    }
    if let Some(baseline) = &args.baseline {
        flag("--baseline", path(baseline));
    }
    if args.snapshots != Path::new("fixtures/snapshots") {
        flag("--snapshots", path(&args.snapshots));
    }
    line
}

fn sources(library: &Library) -> impl Fn(&str) -> Option<String> + Send + use<> {
    let known: std::collections::HashMap<String, Arc<scenario::Source>> = library
        .scenarios
        .iter()
        .flat_map(|s| std::iter::once(&s.source).chain(s.steps.iter().map(|step| &step.source)))
        .map(|source| (source.name.clone(), Arc::clone(source)))
        .collect();
    move |name| known.get(name).map(|source| source.text.clone())
}

fn repeated(scenarios: Vec<Arc<Scenario>>, times: u16) -> Vec<Arc<Scenario>> {
    if times <= 1 {
        return scenarios;
    }
    (1..=times)
        .flat_map(|n| {
            scenarios.iter().map(move |scenario| {
                let mut copy = Scenario::clone(scenario);
                copy.id = format!("{}#{n}", scenario.id);
                Arc::new(copy)
            })
        })
        .collect()
}

/// Fisher-Yates.
fn shuffle(scenarios: &mut [Arc<Scenario>], seed: u64) {
    use sip::Ids as _;
    let mut random = sip::Seeded::new(seed);
    for i in (1..scenarios.len()).rev() {
        let j = (random.bits() % (i as u64 + 1)) as usize;
        scenarios.swap(i, j);
    }
}

/// A seed that is short enough to be typed.
pub fn draw() -> u64 {
    RandomState::new().hash_one(std::process::id()) % 1_000_000
}

fn now() -> String {
    let fixed = std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|s| s.parse().ok())
        .and_then(|s| jiff::Timestamp::from_second(s).ok());
    let now = fixed.unwrap_or_else(jiff::Timestamp::now);
    format!("{now:.0}")
}

fn outcome(refused: Refused) -> Outcome {
    match refused {
        Refused::Warn => Outcome::Warn,
        Refused::Inconclusive => Outcome::Inconclusive,
        Refused::Skip => Outcome::Skip,
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Becomes true at the first Ctrl-C; the second ends the process at once.
pub fn interrupts() -> watch::Receiver<bool> {
    let (raise, raised) = watch::channel(false);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        let _ = raise.send(true);
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
    });
    raised
}

/// A warning that nobody should miss.
pub fn warn(text: &str) {
    let style = anstyle::AnsiColor::Yellow.on_default().bold();
    anstream::eprintln!("{style}warning{style:#}: {text}");
}
