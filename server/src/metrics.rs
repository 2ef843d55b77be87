//! Figures for Prometheus.

use std::time::Duration;

use prometheus::{Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

use crate::error::{Error, Result};

/// What is counted.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    decisions: IntCounterVec,
    ledger: IntGauge,
}

impl Metrics {
    /// All at zero.
    ///
    /// # Errors
    /// Only if a name were taken twice.
    pub fn new() -> std::result::Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let requests =
            IntCounterVec::new(Opts::new("licit_http_requests_total", "Requests"), &["method", "path", "status"])?;
        let options = HistogramOpts::new("licit_http_request_seconds", "Time to answer")
            .buckets(vec![0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0]);
        let seconds = HistogramVec::new(options, &["method", "path"])?;
        let decisions =
            IntCounterVec::new(Opts::new("licit_decisions_total", "Decisions of the gate"), &["verdict", "recorded"])?;
        let ledger = IntGauge::new("licit_ledger_entries", "Entries in the ledger")?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(decisions.clone()))?;
        registry.register(Box::new(ledger.clone()))?;
        Ok(Self { registry, requests, seconds, decisions, ledger })
    }

    /// Count a request.
    pub fn request(&self, method: &str, path: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[method, path, &status.to_string()]).inc();
        self.seconds.with_label_values(&[method, path]).observe(took.as_secs_f64());
    }

    /// Count a decision.
    pub fn decision(&self, verdict: &str, recorded: bool) {
        self.decisions.with_label_values(&[verdict, if recorded { "yes" } else { "no" }]).inc();
    }

    /// The figures as text.
    ///
    /// # Errors
    /// Only if they could not be printed.
    pub fn text(&self, ledger: u64) -> Result<String> {
        self.ledger.set(i64::try_from(ledger).unwrap_or(i64::MAX));
        let mut bytes = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut bytes)
            .map_err(|e| Error::Internal(format!("metrics: {e}")))?;
        String::from_utf8(bytes).map_err(|e| Error::Internal(format!("metrics: {e}")))
    }
}
