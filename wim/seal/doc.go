// Package seal makes records tamper-evident: it links each record to the one before it by digest, signs
// runs of records as segments and signs the centre's receipts, all as JWS (RFC 7515).
//
// It promises: what Open accepts is exactly what Record sealed, bit for bit; a segment is only believed
// under a key that its caller trusts for that site; a receipt only under the centre's pinned key. It never
// reads a clock or a network, and it is the only room that signs.
package seal
