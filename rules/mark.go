package rules

import "github.com/axlegate/axlegate/wim"

// mark is a set of values that the inputs of a limit's cases may have: a few bits for each input. What is known has
// one bit of its field, what is open all that it can be. A row lists the values with which it does not apply, so
// one AND tells that it surely applies.
type mark uint32

// The values, by field.
const (
	markRigid mark = 1 << iota
	markArticulated
	markDrawbar
	markCentreAxle
	markRoadTrain

	markDrive1
	markDrive2
	markDrive3
	markDrive4
	markDrive5
	markDrive6
	markDrive7
	markDrive8

	markAir
	markOtherSuspension

	markSingle
	markDual
	markWide

	markDriven
	markFree

	markMotor
	markTrailer

	markSteering
	markFixed

	markTandems
	markNoTandems
)

// The fields.
const (
	markTrain      = markArticulated | markDrawbar | markCentreAxle | markRoadTrain
	markConfig     = markRigid | markTrain
	markDrive      = (markDrive8<<1 - 1) &^ (markDrive1 - 1)
	markSuspension = markAir | markOtherSuspension
	markTyres      = markSingle | markDual | markWide
	markPower      = markDriven | markFree
	markUnit       = markMotor | markTrailer
	markSteer      = markSteering | markFixed
	markPair       = markTandems | markNoTandems
	markAll        = markNoTandems<<1 - 1
)

// field is one input of a case. The order is that in which an open one is named as the cause of Unknown.
type field uint8

const (
	fieldConfig field = iota
	fieldDrive
	fieldSuspension
	fieldTyres
	fieldPower
	fieldUnit
	fieldSteer
	fieldPair    // whether a run is two tandems
	fieldRoad    // not in the mark: classes of road have a word of their own
	fieldSpacing // a range, not a set
	fields
)

// of gives a field's bits; the last two have none.
func (f field) of() mark {
	switch f {
	case fieldConfig:
		return markConfig
	case fieldDrive:
		return markDrive
	case fieldSuspension:
		return markSuspension
	case fieldTyres:
		return markTyres
	case fieldPower:
		return markPower
	case fieldUnit:
		return markUnit
	case fieldSteer:
		return markSteer
	case fieldPair:
		return markPair
	case fieldRoad, fieldSpacing, fields:
	}
	return 0
}

// why names an open field as the cause of Unknown.
func (f field) why() string {
	switch f {
	case fieldConfig:
		return whyConfiguration
	case fieldDrive:
		return whyDriveAxles
	case fieldSuspension:
		return whySuspension
	case fieldTyres:
		return whyTyres
	case fieldPower:
		return whyDriven
	case fieldUnit:
		return whyUnit
	case fieldSteer:
		return whySteering
	case fieldPair:
		return whyTandems
	case fieldRoad:
		return whyRoad
	case fieldSpacing, fields:
	}
	return whySpacing
}

// possible tells whether values may be this vehicle's although some field of it is denied altogether.
func possible(have, deny mark) bool {
	left := have &^ deny
	return left&markConfig != 0 && left&markDrive != 0 && left&markSuspension != 0 && left&markTyres != 0 &&
		left&markPower != 0 && left&markUnit != 0 && left&markSteer != 0 && left&markPair != 0
}

// markOfDrive gives the bit of so many drive axles; all of them for none known.
func markOfDrive(n uint8) mark {
	switch {
	case n == 0:
		return markDrive
	case n > 8:
		return markDrive8
	}
	return markDrive1 << (n - 1)
}

func markOfTyres(t wim.Tyres) mark {
	switch t {
	case wim.SingleTyres:
		return markSingle
	case wim.DualTyres:
		return markDual
	case wim.WideTyres:
		return markWide
	case wim.TyresUnknown:
	}
	return markTyres
}

func markOfSuspension(s wim.Suspension) mark {
	switch s {
	case wim.AirSuspension:
		return markAir
	case wim.OtherSuspension:
		return markOtherSuspension
	case wim.SuspensionUnknown:
	}
	return markSuspension
}

func markOfCombination(c wim.Combination) mark {
	switch c {
	case wim.Articulated:
		return markArticulated
	case wim.Drawbar:
		return markDrawbar
	case wim.CentreAxle:
		return markCentreAxle
	case wim.RoadTrain:
		return markRoadTrain
	case wim.CombinationUnknown:
	}
	return markTrain
}
