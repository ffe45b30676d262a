// Package serial reads framed axle scales on serial lines, and decodes what static indicators send on them, one file
// a family of dialects: docs/devices/dialects.md.
//
// It promises: a frame counts only when every check of its dialect holds; a bad one is counted and skipped,
// and the next good one is found whatever lies between; a lost line is opened again by itself with growing
// pauses. It never invents a reading and never sends anything to a scale.
package serial
