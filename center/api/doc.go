// Package api is the centre's HTTP interface for programs: the queue of matters, a matter with its evidence,
// what officers do to it, live events, sites and the audit trail, described by an OpenAPI 3.1 document that
// it serves itself.
//
// It promises: a program acts for one officer and can do what that officer may and its token's scopes allow,
// asked of the store again at every request; what it reads of a matter is noted in the audit trail before it
// is answered, as a look of a person is; an act that was prepared on an older version of a matter is refused
// and writes nothing; whoever asks for "events after id" misses none.
//
// It never answers without a token (but for its own description), never judges and never changes a record.
package api
