// Package capture keeps what went over a device's line, with its times, as a file that can be read with any editor and played again.
//
// A capture is NDJSON: a head, then one entry a line, in the order in which the bytes came. It holds whatever the device said: plates,
// pictures, and the passwords and secret paths that were shown to it.
package capture
