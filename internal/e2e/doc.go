// Package e2e drives the real binaries from the simulator's ground truth to the centre's store and board:
// with the link cut, processes killed and devices failing on the way. It has no code outside tests.
package e2e
