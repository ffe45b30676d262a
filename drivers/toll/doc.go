// Package toll takes what toll and checkpoint systems say of vehicles: transactions of entries, exits, gantries and turn-backs, and
// static weighings. They come as files in a folder, as pushes over HTTP or as messages of a queue, in JSON, CSV or XML; what stands
// where, in which unit, and what each code means is a page of YAML.
//
// It promises that each transaction is handed on by the system's own name, so that one that comes twice counts once; that a message is
// acknowledged, or its file set aside, only when all in it is committed or refused; and that a field that is missing or cannot be read
// exactly, or a code that the page does not name, refuses its transaction with the reason and none of its neighbours.
//
// It judges nothing, links nothing and never guesses a unit, a time zone or a code.
package toll
