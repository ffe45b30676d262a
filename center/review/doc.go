// Package review judges again what sites have judged, and lets each verdict raise what it calls for: a matter,
// and one alert for each competence that must know.
//
// It works from a cursor that the store moves together with everything that a record has raised, so it may be
// stopped anywhere and repeats nothing. A verdict whose rule set or judge version this centre does not have
// is taken at its word, marked pending, and judged again once the set is there. One that differs although set
// and judge are the same is an alarm; what the site found still stands beside it.
//
// It never changes a record or a verdict, and never opens a case.
package review
