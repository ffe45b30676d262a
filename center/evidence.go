package center

import (
	"errors"

	"github.com/axlegate/axlegate/wim"
)

// ErrPruned says that retention has removed the records' bytes: there is nothing left to prove.
var ErrPruned = errors.New("retention has removed the records of this matter")

// Evidence is all that the store holds to prove a matter's accounts with: what a dossier is made of.
type Evidence struct {
	File
	// Epoch is the store's, as receipts name it.
	Epoch uint64
	// Records are the matter's accounts, what toll and checkpoint systems said of its vehicle, and of each chain that they stand in what tells who signed and by what
	// the site worked: its start, its key rotations and the configuration in force. By chain and sequence.
	Records []SealedRecord
}

// SealedRecord is one record with the segment that signs it.
type SealedRecord struct {
	Ref      wim.RecordRef
	Kind     wim.RecordKind
	Raw      []byte   // as sealed
	Segment  string   // JWS that signs it, with its neighbours as digests
	Key      string   // id of the key under which the signature held
	Received wim.Time // the centre's clock when it was stored
	Whole    bool     // the centre holds its chain up to it without a hole
}
