// Package serial reads framed axle scales on serial lines, and static indicators on serial lines and behind terminal
// servers, one file a family of dialects: docs/devices/dialects.md.
//
// It promises: a frame counts only when every check of its dialect holds; a bad one is counted and skipped,
// and the next good one is found whatever lies between; a lost line is opened again by itself with growing
// pauses. It never invents a reading, never sends anything to an axle scale, and sends to
// an indicator only what asks for a weight.
package serial
