// Package console is the live board of an authority: sign-in, alerts as they are raised, what was found on
// each, and the acknowledgement by an officer.
//
// It promises: an officer sees alerts of the own competence only, and that is asked of the store again at
// every read, also in a stream that has been open for hours; a live view misses nothing, because the page
// and its stream start from one read of the store and resume from the id of the last event seen; a viewer
// that is too slow is closed rather than buffered for; nothing that was acknowledged is overwritten.
//
// It never judges, never opens a case and never changes a record: what it shows is what was sealed and what
// the centre wrote beside it. Sign-in attempts are limited per address as the connection shows it, so behind
// a proxy all share one address's limit.
package console
