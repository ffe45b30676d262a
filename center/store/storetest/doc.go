// Package storetest is the contract that every store of the centre must pass, whatever database lies below,
// and the sealed records to try it with. It is for tests only.
//
// It promises nothing to a running centre and is never imported by one.
package storetest
