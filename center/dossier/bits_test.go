//go:build !race

package dossier

// everyBit makes the tests of single bits try all eight of each byte; the race detector would make that minutes.
const everyBit = true
