// Package profile takes what laser units measure of vehicles: length, width and height. How a unit words that is a page of YAML
// (configs/devices, kind dimensions), because no maker's layout was found published; how its messages come is lines over TCP, or pushes
// over HTTP.
//
// A message is a whole size or none: a value that cannot be read makes the message count as bad. Which vehicle a size belongs to, the
// site decides.
package profile
