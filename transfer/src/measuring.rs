//! Metrics in CloudWatch's embedded format: lines on standard output that CloudWatch reads figures out of. Nothing is asked of any
//! service, and where nobody calls [`Measuring::start`] a measurement is one look at a variable.

use std::io;

use metrics_cloudwatch_embedded::{Builder, Collector};

/// Collects what this process measures, until it is written out.
#[derive(Clone, Copy)]
pub struct Measuring(&'static Collector);

/// Metrics cannot be collected.
#[derive(Debug, thiserror::Error)]
#[error("the metrics cannot be collected: {0}")]
pub struct NotMeasured(String);

impl Measuring {
    /// Collects from now on, in this namespace, with the installation's name as the dimension `stage`.
    ///
    /// # Errors
    /// The process collects already.
    pub fn start(namespace: String, stage: String) -> Result<Self, NotMeasured> {
        let builder = Builder::new().cloudwatch_namespace(namespace).with_dimension("stage", stage);
        builder.init().map(Self).map_err(|error| NotMeasured(error.to_string()))
    }

    /// Writes what was measured since the last time: a line for each set of dimensions.
    pub fn write_out(self) {
        if let Err(error) = self.0.flush(io::stdout().lock()) {
            tracing::warn!(%error, "the metrics could not be written");
        }
    }
}
