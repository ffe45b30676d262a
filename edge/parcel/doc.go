// Package parcel lets a site work by what the centre sends down: rule sets, tables, settings.
//
// A manifest names the whole of it. Its parcels are fetched by digest, kept encrypted, tried, and activated together
// between two vehicles; what a site then works by it seals as a record, which is also its answer to the centre.
//
// It promises that nothing unsigned, incomplete or unreadable is ever activated; that a manifest older than the one it
// has changes nothing; that what does not do well within its probation is taken back; and that after a kill at any
// moment the site works by what its last sealed configuration record says, or by what it was about to seal. It never
// stops the weighing: what cannot be fetched or loaded leaves what is active as it is.
package parcel
