// Package wim is the vocabulary of weigh-in-motion enforcement: quantities, instruments, readings,
// vehicles, plates, facts, findings, verdicts and the records that carry them, together with the two
// pure steps that turn axle events into a vehicle (Assembler) and a vehicle into a class (Classify).
//
// It promises: integers in named units everywhere, UTC nanoseconds for time, and a result that depends
// only on arguments. It never reads a clock, a file or a network, and imports only the standard library,
// so every other room may lean on it.
package wim
