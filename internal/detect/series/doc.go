// Package series watches one number over time, such as latency, cost or length,
// and says when it behaves as it never did.
//
// What for: a value can be odd in four ways: it stands where it never stood
// (level), it moved as it never moved (jump), it is more restless than ever
// (activity), or it does something ordinary in an order that never occurred
// (pattern). A Detector watches all four and says which it was.
//
// Who calls it: live detectors, one Detector a series; `reeve bench nab`.
//
// Promises: no look into the future and nothing to be told in advance, neither
// range nor length; one pass, no allocation a value, at most 8 KiB a series, the
// same answers for the same values. A Detector belongs to one goroutine.
//
// How it fails: NaN and infinite values are passed over and change nothing.
//
// Start reading at Detector.Look; surprise.go has the distribution of sizes,
// pattern.go the memory of orders.
package series
