//go:build race

package dossier

// everyBit is false under the race detector: one bit of each byte is tried.
const everyBit = false
