// Package intake takes what sites send: it verifies, stores once and receipts.
//
// It promises: nothing is stored as a site's record, and nothing is receipted, that is not signed by a key
// enrolled for the site whose topic it came on, bit for bit as signed; a receipt is sent only after the store
// has the records durably, and names only what is contiguous; a receipt that did not get through is sent
// again; what cannot be believed or read is set aside within bounds, counted, and blocks nothing. When the
// store cannot write, HandleMessages says so by an error and the messages must come again.
//
// Several centres may share the work: Duty holds the slots of this one by leases.
//
// Messages come in batches, and batches that meet are stored by one transaction. Whatever is set aside among
// them, and whoever leaves while it runs, the others are stored all the same.
//
// It never judges, never edits and never asks a site for anything: a site learns all from receipts.
package intake
