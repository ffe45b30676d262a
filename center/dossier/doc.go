// Package dossier puts a matter's evidence into one archive that a court's expert can check alone, and checks it.
//
// A dossier holds the sealed records of one matter with the signatures that cover them, the pictures, the rule set,
// the keys and what the officers did; neighbouring records appear as digests only. The centre signs the list of
// all files. The same input gives the same bytes, and Verify refuses an archive in which one bit is another.
//
// What is proven rests on the sites' signatures where it can, and on the centre's word where it must; the report
// keeps the two apart and says what no dossier can prove. Verify needs no network, no clock and no store.
// docs/dossier.md shows the same steps with openssl and jq.
package dossier
