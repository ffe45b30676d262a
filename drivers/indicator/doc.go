// Package indicator reads static weighing instruments on Modbus: indicators of weighbridges and weight transmitters on
// which a vehicle that was directed off the road is weighed again, standing. What lies in which register says a
// profile: docs/devices/indicator.md.
//
// It promises: a weight is the number that the instrument tells, in whole kilograms and exactly, or there is none; a
// float counts only when it is the nearest one to a decimal of as many places as the profile says; the weights and
// the conditions of one indication come from one answer; an instrument that answers but whose heartbeat stands still
// is down. It never invents a reading, and writes only what Zero and Tare are asked for.
package indicator
