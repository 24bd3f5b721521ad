//! Rows into predictions: learners, metrics, calibration, explanations, artifacts.
