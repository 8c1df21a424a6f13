package content

// nationalID is an identity number that can be checked, or one whose form is
// its own. Bare digits are taken only where two check digits leave few chances:
//
//	ES DNI, NIE   8 digits (or X, Y, Z and 7) and a check letter
//	FR NIR        13 digits and two check digits (mod 97)
//	IT CF         16 letters and digits, the last a check
//	BE            9 digits and two check digits, as 85.07.30-033.28
//	BR CPF        9 digits and two check digits, as 111.444.777-35
//	PL PESEL      a birthday, 4 digits and a check digit
//	SE            a birthday, -, 3 digits and Luhn's check digit
//	GB NINO       two letters, 6 digits, A to D: its form alone
//	US SSN        3-2-4 digits with hyphens and a range that is issued: its form alone
func nationalID(run []byte) int {
	for _, f := range [...]func([]byte) int{spanish, french, italian, belgian, brazilian, polish, swedish, british, american} {
		if n := f(run); n > 0 {
			return n
		}
	}
	return 0
}

// fits reports whether run begins with a form: 9 is a digit, A a capital
// letter, anything else itself.
func fits(run []byte, form string) bool {
	if len(run) < len(form) {
		return false
	}
	for i := range len(form) {
		c := run[i]
		switch form[i] {
		case '9':
			if !digit(c) {
				return false
			}
		case 'A':
			if c < 'A' || c > 'Z' {
				return false
			}
		default:
			if c != form[i] {
				return false
			}
		}
	}
	return true
}

// value is the number that the digits of run are; others are left out.
func value(run []byte) (v int64) {
	for _, c := range run {
		if digit(c) {
			v = v*10 + int64(c-'0')
		}
	}
	return v
}

func spanish(run []byte) int {
	const letters = "TRWAGMYFPDXBNJZSQVHLCKE"
	switch {
	case fits(run, "99999999A") && run[8] == letters[value(run[:8])%23]:
		return 9
	case fits(run, "A9999999A") && run[0] >= 'X':
		if v := int64(run[0]-'X')*10_000_000 + value(run[1:8]); run[8] == letters[v%23] {
			return 9
		}
	}
	return 0
}

func french(run []byte) int {
	var d [15]byte
	n := 0
	for i, c := range run {
		switch {
		case digit(c):
			d[n] = c
			if n++; n == len(d) {
				month := value(d[3:5])
				if (d[0] == '1' || d[0] == '2') && (month >= 1 && month <= 12 || month >= 20 && month <= 42) && value(d[5:7]) > 0 && 97-value(d[:13])%97 == value(d[13:]) {
					return i + 1
				}
				return 0
			}
		case c != ' ' || i == 0:
			return 0
		}
	}
	return 0
}

func italian(run []byte) int {
	if !fits(run, "AAAAAA99A99A999A") {
		return 0
	}
	odd := [36]int{
		1, 0, 5, 7, 9, 13, 15, 17, 19, 21, // digits
		1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
	}
	sum := 0
	for i, c := range run[:15] {
		v := int(c - '0')
		if !digit(c) {
			v = int(c-'A') + 10
		}
		switch {
		case i%2 == 0:
			sum += odd[v]
		case v >= 10:
			sum += v - 10
		default:
			sum += v
		}
	}
	if run[15] == byte('A'+sum%26) {
		return 16
	}
	return 0
}

func belgian(run []byte) int {
	if !fits(run, "99.99.99-999.99") || !date(value(run[3:5]), value(run[6:8])) {
		return 0
	}
	n, check := value(run[:12]), value(run[13:15])
	if 97-n%97 == check || 97-(2_000_000_000+n)%97 == check {
		return 15
	}
	return 0
}

func date(month, day int64) bool { return month >= 1 && month <= 12 && day >= 1 && day <= 31 }

func brazilian(run []byte) int {
	if !fits(run, "999.999.999-99") {
		return 0
	}
	d := onlyDigits(run[:14])
	same := true
	for _, c := range d[:11] {
		same = same && c == d[0]
	}
	check := func(n int) byte {
		sum := 0
		for i := range n {
			sum += int(d[i]-'0') * (n + 1 - i)
		}
		return byte('0' + sum*10%11%10)
	}
	if same || d[9] != check(9) || d[10] != check(10) {
		return 0
	}
	return 14
}

func polish(run []byte) int {
	if !fits(run, "99999999999") || !date(value(run[2:4])%20, value(run[4:6])) {
		return 0
	}
	sum := 0
	for i, w := range [10]int{1, 3, 7, 9, 1, 3, 7, 9, 1, 3} {
		sum += int(run[i]-'0') * w
	}
	if byte('0'+(10-sum%10)%10) == run[10] {
		return 11
	}
	return 0
}

func swedish(run []byte) int {
	n := 11
	switch {
	case fits(run, "99999999-9999"):
		run = run[2:]
		n = 13
	case !fits(run, "999999-9999"):
		return 0
	}
	if day := value(run[4:6]); !date(value(run[2:4]), day) && !date(value(run[2:4]), day-60) {
		return 0
	}
	d := onlyDigits(run[:11])
	for i := range d {
		d[i] -= '0'
	}
	if luhn(d[:10]) {
		return n
	}
	return 0
}

func british(run []byte) int {
	text, n := run, 9
	if fits(run, "AA 99 99 99 A") {
		text, n = []byte{run[0], run[1], run[3], run[4], run[6], run[7], run[9], run[10], run[12]}, 13
	}
	if !fits(text, "AA999999A") || text[8] > 'D' {
		return 0
	}
	for _, c := range text[:2] {
		if c == 'D' || c == 'F' || c == 'I' || c == 'Q' || c == 'U' || c == 'V' {
			return 0
		}
	}
	switch string(text[:2]) {
	case "BG", "GB", "NK", "KN", "TN", "NT", "ZZ":
		return 0
	}
	if text[1] == 'O' {
		return 0
	}
	return n
}

func american(run []byte) int {
	if !fits(run, "999-99-9999") {
		return 0
	}
	area := value(run[:3])
	if area == 0 || area == 666 || area >= 900 || value(run[4:6]) == 0 || value(run[7:11]) == 0 {
		return 0
	}
	switch string(run[:11]) {
	case "078-05-1120", "219-09-9999", "123-45-6789": // printed in advertisements and examples
		return 0
	}
	return 11
}
