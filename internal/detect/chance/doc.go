// Package chance has the probabilities that detectors stand on: tails of
// distributions, intervals, the choice among many tests, and the calibration of
// a score to "so many alarms a week".
//
// What for: people set how many alarms they bear, not thresholds. Something must
// turn that into a threshold on a score whose distribution nobody knows.
//
// Who calls it: the other packages of detect, provenance and the benches.
//
// Promises: pure functions of their arguments; Calibrator takes constant memory
// and no allocation a value. Nothing here is safe for concurrent use but the
// functions.
//
// How it fails: it does not; arguments outside a function's domain give NaN or
// the nearest end, as each says.
//
// Start reading at Calibrator, then NegativeBinomial and BetaBinomial.
package chance
