// Package console is the officers' pages: sign-in, the live board of an authority, the queue of matters with
// its search, and the page of one matter with what was found on it, what proves it, what has been done and
// what may be done next.
//
// It promises: an officer sees what the own role, authority and region allow and nothing else, and that is
// asked of the store again at every read, also in a stream that has been open for hours; every look at a
// matter, an alert, a picture or the queue is in the audit trail before it is shown, or is not shown; a live
// view misses nothing, because the page and its stream start from one read of the store and resume from the
// id of the last event seen; a viewer that is too slow is closed rather than buffered for; an act that was
// meant for an older state of a matter is not written, and nothing that an officer typed is lost with it.
//
// It never judges, never opens a case by itself and never changes a record: what it shows is what was sealed
// and what the centre wrote beside it. Sign-in attempts are limited per address as the connection shows it, so
// behind a proxy all share one address's limit.
//
// A page is a view that embeds a *frame, a template between "frame" and "frame-end", its texts in a file of
// texts/zh and one of the same name in texts/en, and its way in: routes and places.
package console
