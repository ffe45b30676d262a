package wim

import "strings"

// PlateForm is what the form of a plate's text says of it. It says nothing of whether such a plate was issued.
type PlateForm string

// The forms of GA 36-2018, and the one of countries whose forms are not known here.
const (
	NoForm         PlateForm = ""                 // fits none
	OrdinaryForm   PlateForm = "ordinary"         // province, office, five characters
	TrailerForm    PlateForm = "trailer"          // province, office, four characters, 挂
	SpecialForm    PlateForm = "special"          // as a trailer's, with 学, 警, 港, 澳 or 领
	NewEnergySmall PlateForm = "new-energy-small" // a type letter, a letter or digit, four digits
	NewEnergyLarge PlateForm = "new-energy-large" // five digits, a type letter
	ForeignForm    PlateForm = "foreign"          // Latin letters and digits with a digit among them
)

const (
	provinces = "京津沪渝冀晋蒙辽吉黑苏浙皖闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新"
	// energyTypes are the letters of vehicles with batteries and of others (GA 36-2018; which are which is recalled
	// and does not matter here).
	energyTypes = "DABCEFGHJK"
)

// FormOfPlate classifies normalised text. Plates of armed police and forces, embassies, civil aviation and
// emergency vehicles have schemes of their own that are not known here: they have no form.
func FormOfPlate(text string) PlateForm {
	r := []rune(text)
	if len(r) == 0 || !strings.ContainsRune(provinces, r[0]) {
		return foreignForm(r)
	}
	if len(r) != 7 && len(r) != 8 || r[1] < 'A' || r[1] > 'Z' {
		return NoForm
	}
	serial := r[2:]
	if len(serial) == 6 {
		switch {
		case strings.ContainsRune(energyTypes, serial[0]) && serialChar(serial[1]) && all(serial[2:], digit):
			return NewEnergySmall
		case all(serial[:5], digit) && strings.ContainsRune(energyTypes, serial[5]):
			return NewEnergyLarge
		}
		return NoForm
	}
	if !all(serial[:4], serialChar) {
		return NoForm
	}
	switch last := serial[4]; {
	case serialChar(last):
		return OrdinaryForm
	case last == '挂':
		return TrailerForm
	case strings.ContainsRune("学警港澳领", last):
		return SpecialForm
	}
	return NoForm
}

func foreignForm(r []rune) PlateForm {
	if len(r) < 3 || len(r) > 10 {
		return NoForm
	}
	digits := 0
	for _, c := range r {
		switch {
		case digit(c):
			digits++
		case c < 'A' || c > 'Z':
			return NoForm
		}
	}
	if digits == 0 {
		return NoForm
	}
	return ForeignForm
}

func digit(r rune) bool { return r >= '0' && r <= '9' }

// serialChar tells whether a character stands in serials: I and O do not (GA 36-2018).
func serialChar(r rune) bool { return digit(r) || r >= 'A' && r <= 'Z' && r != 'I' && r != 'O' }

func all(r []rune, is func(rune) bool) bool {
	for _, c := range r {
		if !is(c) {
			return false
		}
	}
	return true
}

// lookAlike is the character that stands for all that cameras take for one another. Which they are is
// experience (recalled), not a standard's.
func lookAlike(r rune) rune {
	switch r {
	case 'O', 'D', 'Q':
		return '0'
	case 'I', 'L':
		return '1'
	case 'Z':
		return '2'
	case 'S':
		return '5'
	case 'G':
		return '6'
	case 'B':
		return '8'
	}
	return r
}

// FoldPlate replaces each character of normalised text by the one that stands for its look-alikes. Texts that
// fold to the same may be one plate; it is a key to search by, never a plate.
func FoldPlate(text string) string { return strings.Map(lookAlike, text) }

// The costs of PlateDistance, in quarters of a character.
const (
	costLookAlike = 1 // one character taken for its look-alike
	costProvince  = 2 // a province character that was not read: cameras made for other countries have none
	costCharacter = 4 // any other character too much, too few or another
)

// PlateDistance is how far two normalised texts lie apart, in quarters of a character: the least sum of look-alikes
// (1), provinces not read (2) and characters otherwise missing or different (4) that leads from one to the other. It is
// a metric: 0 for equal texts only, the same in both directions, and never longer by way of a third.
func PlateDistance(a, b string) int {
	y := []rune(b)
	row := make([]int, len(y)+1) // distances of the part of a so far to each beginning of b
	for j, c := range y {
		row[j+1] = row[j] + gap(c)
	}
	for _, c := range a {
		diagonal := row[0]
		row[0] += gap(c)
		for j, d := range y {
			here := min(diagonal+swap(c, d), row[j+1]+gap(c), row[j]+gap(d))
			diagonal, row[j+1] = row[j+1], here
		}
	}
	return row[len(y)]
}

func gap(r rune) int {
	if strings.ContainsRune(provinces, r) {
		return costProvince
	}
	return costCharacter
}

func swap(a, b rune) int {
	switch {
	case a == b:
		return 0
	case lookAlike(a) == lookAlike(b):
		return costLookAlike
	}
	return costCharacter
}
