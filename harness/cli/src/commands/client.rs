//! `parlance client --driver`: the reference client on stdin and stdout.

use std::sync::Arc;

use judge::exit;
use peer::driver::{self, Disturbed, Reference};
use sip::net::fault::FaultKind;

use crate::args;
use crate::failure::{Done, Failure};

/// Serves lines until stdin ends.
pub fn client(args: &args::Client) -> Done {
    let defects = super::defects::named(&args.defect)?;
    if args
        .fault
        .iter()
        .any(|f| matches!(f.kind, FaultKind::Status(..)))
    {
        return Err(Failure::usage(
            "--fault status is for a server; a client's wrong answers are defects (`parlance list defects client/`)",
        ));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::environment)?;
    let served = runtime.block_on(async {
        let options = driver::Options {
            seed: args.seed.unwrap_or_else(super::run::draw),
            wall: jiff::Timestamp::now(),
            faults: defects.client_faults(),
            ..driver::Options::default()
        };
        let reference = Reference::new(options, Disturbed(args.fault.clone()));
        driver::serve(Arc::new(reference), tokio::io::stdin(), tokio::io::stdout()).await
    });
    // Reading stdin may hold a thread for ever.
    runtime.shutdown_background();
    match served {
        // Whoever drove us went away; there is nobody to complain to.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::environment(e)),
        _ => Ok(exit::CONFORMANT),
    }
}
