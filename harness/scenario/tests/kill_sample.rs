//! The kill matrix in a sampled form: the whole runs as `make kill-matrix`.

use scenario::Library;
use scenario::kill::{Sample, matrix};

#[test]
fn a_sample_of_the_defects_is_found() {
    let sample = Sample {
        every: 61,
        ..Sample::default()
    };
    let matrix = matrix(&Library::built_in(), &sample);
    let missed: Vec<String> = matrix
        .unexplained()
        .map(|r| format!("{} ({})", r.defect, r.requirement))
        .collect();
    assert!(matrix.rows.len() >= 10, "{} defects", matrix.rows.len());
    assert!(missed.is_empty(), "{missed:?}");
}
