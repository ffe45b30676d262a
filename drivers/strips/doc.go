// Package strips weighs with bare strip sensors: it reads the samples of a digitiser, in the blocks of docs/samples.md, and has
// wim/signal make axles of them.
//
// It promises that nothing is weighed across samples that are missing: what stood on the strips then is left out of the numbers of the
// readings, so that the site seals a gap; that a block which is not whole is passed over and the next one found; and that samples of
// strips that lie elsewhere than configured are refused.
package strips
