//! Reports as folds over the event stream.
