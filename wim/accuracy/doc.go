// Package accuracy tells how well a site weighs and whom it accuses: it holds what was recorded against what is
// true, and works out the figures that the standards ask for.
//
// Two kinds of standard are kept apart, here as everywhere. COST 323 and ASTM E1318 are statements of confidence:
// such a share of all weighings lies within such a tolerance. OIML R 134 is a hard limit on each single weighing.
// Beside them stand the figures that a driver and an authority ask for: which share of the vehicles that kept to a
// limit was accused, and which share of those that did not was missed.
//
// What is here is statistics: floating-point, for engineers and buyers. None of it has a part in a verdict, and no
// class that comes of it lets a weight be evidence; only a verification certificate does.
//
// Sources. COST 323: tolerances, the formulae between classes, the confidence that each test plan asks for and the
// estimate of the confidence reached, as the open-source OpenWIM/pywim computes them
// (pywim/estimation/accuracy_calculation/cost323.py and its notebook); the text of the specification itself was not
// read. OIML R 134, vehicle mass: the Swiss ordinance SR 941.214, which transposes it; in service double the initial
// error, which is confirmed for class 10 only. Its limits for axles and all tolerances of ASTM E1318 are recalled,
// and every figure that rests on them says so.
//
// The package is pure: it reads no clock and no file, and its memory does not grow with the number of vehicles.
package accuracy
