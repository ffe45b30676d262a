// Package rules judges a passage: Judge(set, facts) → verdict.
//
// A rule set is dated data (Load), compiled to flat tables: limits with their article, source, dates and
// status, per competence. Judge checks every limit against one set of facts and says, per competence, what
// was found (outcome) and what that may be used for (standing).
//
// It promises: the same set, judge version and facts give the same verdict on every machine, years later;
// a deduction for the instrument's error is taken before any finding; every limit that applies is shown and
// not only the first that is broken; a missing input that decides is Unknown with its branches, never a
// guess. Judge never fails, never panics, allocates nothing once the verdict's slices have grown, and
// never reads a clock, a file or a network. It never decides a penalty: that is an officer's.
package rules
