// Package stat is the arithmetic behind figures that people decide on: how far a
// share, a mean, a ratio or a quantile may be off, how surprising a count is, and
// whether a stream falls short of a target although somebody looks at it all day.
//
// What for: a figure without an interval invites reading noise as news, and a
// threshold that is looked at often cries wolf. Both are avoided in one place.
//
// Who calls it: kpi for each figure, objective for budgets and alerts, bench for
// repeatability.
//
// Promises: pure functions of counts and sums, without state but Sequence's;
// intervals are two-sided at 95 % unless the name says otherwise. What cannot be
// said (no observations) is the widest interval or ok false, never a guess.
//
// How it fails: it does not; arguments outside their range are clamped.
//
// Where it is from: Wilson (1927), with the worked values of Newcombe,
// "Two-sided confidence intervals for the single proportion" (Statistics in
// Medicine 17, 1998); Student's t by the incomplete beta function; ratio of means
// by the delta method (Cochran, Sampling Techniques, 1977, chapter 6); quantiles
// by order statistics (David and Nagaraja, 2003, section 7.1); pass^k of Yao et
// al., "tau-bench" (2024); entropy with Miller and Madow's correction (1955);
// sequences by mixtures of likelihood ratios (Robbins, "Statistical methods
// related to the law of the iterated logarithm", 1970; Howard, Ramdas, McAuliffe
// and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences",
// 2021), bounded by Ville's inequality.
//
// Start reading at Wilson, then Sequence in sequence.go.
package stat
