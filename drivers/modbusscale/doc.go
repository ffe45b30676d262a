// Package modbusscale reads axle scales that keep their events in a ring of Modbus registers, by register
// profile: docs/devices/axle-ring.md.
//
// It promises: an event counts only when both its sequence numbers are the one that was asked for and every
// value can be; a bad one is counted and read again, and given up after three times, which shows as a hole in
// the sequence; what the ring overwrote before or while it was read is never handed on, which shows likewise;
// no event of a boot is handed on twice. An event that waited in the ring while the line was out arrives
// with the time at which it happened. It never invents a reading and never writes to a scale.
package modbusscale
