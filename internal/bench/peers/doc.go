// Package peers measures rules.Judge beside general engines: expr, CEL and OPA. It holds tests only and is a module of
// its own, so that the product depends on none of them.
//
// What is compared is the same full answer. Every engine judges the same vehicles by the same limits and gives every finding
// whole (competence, limit, article, scope, axle, measured, deducted, permitted, excess, ratio, band, outcome, reasons) and for
// each competence the outcome, the standing and its reasons. A test compares all answers about all ten thousand vehicles,
// field by field; `make bench` runs it before anything is timed.
//
// No engine is held back, and what is doubtful is decided for the peers:
//
//   - rules.Judge is given wim.Facts and looks up certificate, licences and axles itself. It asks besides what a permit, a
//     flag, a missing licence or an unknown configuration would change; the others are told that all is known.
//   - The others are given plain figures: licences looked up, masses added up, what the instrument's error takes off worked
//     out, all in values of the engine's own kind, made before the clock runs.
//   - Compiled programs run on one reused machine; findings are built by functions of the host into memory that is reused;
//     Go adds up what the findings come to for each competence. A struct is expr's environment: a map or a pointer was slower.
//   - OPA's query is prepared. It gives a list of figures for each finding, and the words of the rows are added outside the
//     clock. Evaluated in part beforehand it was no faster.
//   - The collector runs seldom and finds no other engine's vehicles.
//
// expr and CEL are measured in more than one form. "expr" and "CEL" have the law in the language (which row, what it
// permits, the excess and its band), with the fastest calls of the host that were found. "expr,as-documented" is the same law with
// findings by expr.Function, which its documentation calls the fastest way. In "picks-rows-only" the language
// chooses rows, and comparing and grading, half of a law, are Go code: the least that such an engine can be used for.
//
// The ratios that the benchmark prints are to rules.Judge in the same run.
package peers
