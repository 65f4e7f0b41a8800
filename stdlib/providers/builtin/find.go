package builtin

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// A finder picks pieces with a form of their own out of a text: addresses, numbers of
// telephones, amounts, dates, names.
type finder func(text string) []string

const atMost = 64 // pieces of one sort that are looked at

var (
	emailForm     = regexp.MustCompile(`[\pL0-9._%+-]+@[\pL0-9-]+(?:\.[\pL0-9-]+)*\.\pL{2,}`)
	urlForm       = regexp.MustCompile(`(?i)\b(?:https?://|www\.)[^\s<>"'«»)\]]+`)
	phoneForm     = regexp.MustCompile(`\+?\(?[0-9](?:[0-9]|[ ().-][ ().-]?){5,18}[0-9]`)
	moneyForm     = regexp.MustCompile(`(?i)(?:[$€£¥]|\b(?:usd|eur|gbp|chf|dollars?|euros?|pounds?)\b)\s?([0-9][0-9,]*(?:\.[0-9]+)?)|\b([0-9][0-9,]*(?:\.[0-9]+)?)\s?(?:[$€£¥]|(?:usd|eur|gbp|chf|dollars?|euros?|pounds?|bucks)\b)`)
	isoDateForm   = regexp.MustCompile(`\b([0-9]{4})-([0-9]{2})-([0-9]{2})\b`)
	dayMonthForm  = regexp.MustCompile(`(?i)\b([0-9]{1,2})(?:st|nd|rd|th)? (?:of )?(` + monthNames + `)\.?,? ([0-9]{4})\b`)
	monthDayForm  = regexp.MustCompile(`(?i)\b(` + monthNames + `)\.? ([0-9]{1,2})(?:st|nd|rd|th)?,? ([0-9]{4})\b`)
	referenceForm = regexp.MustCompile(`#[\pL0-9-]*[0-9][\pL0-9-]*|\b\p{Lu}{1,5}-?[0-9]{3,}(?:-[0-9]+)*\b`)
	saidName      = regexp.MustCompile(`(?:(?i:my name is|my name's|name:|i am|i'm|this is|from:|regards,?|sincerely,?|cheers,?|thanks,?|signed,?)\s+)(\p{Lu}[\p{L}'’-]+(?:\s+\p{Lu}[\p{L}'’.-]+){0,3})`)
	fullName      = regexp.MustCompile(`\b\p{Lu}\p{Ll}+(?:\s+\p{Lu}\.)?\s+\p{Lu}[\p{L}'’-]*\p{Ll}\b`)
)

func findEmails(text string) []string {
	if !strings.Contains(text, "@") {
		return nil
	}
	return distinct(emailForm.FindAllString(text, atMost))
}

func findURLs(text string) []string {
	found := urlForm.FindAllString(text, atMost)
	for i, u := range found {
		found[i] = strings.TrimRight(u, ".,;:!?")
	}
	return distinct(found)
}

func findReferences(text string) []string { return distinct(referenceForm.FindAllString(text, atMost)) }

// findPhones leaves out what is too short, a date, or an amount.
func findPhones(text string) []string {
	var out []string
	for _, p := range phoneForm.FindAllString(text, atMost) {
		digits := strings.Count(strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return 'd'
			}
			return -1
		}, p), "d")
		if digits < 7 || digits > 15 || isoDateForm.MatchString(p) {
			continue
		}
		if strings.Count(p, "(") != strings.Count(p, ")") {
			p = strings.Trim(p, "() ")
		}
		out = append(out, strings.TrimSpace(p))
	}
	return distinct(out)
}

// findAmounts returns sums of money as plain numbers.
func findAmounts(text string) []string {
	var out []string
	for _, m := range moneyForm.FindAllStringSubmatch(text, atMost) {
		v, err := strconv.ParseFloat(strings.ReplaceAll(m[1]+m[2], ",", ""), 64)
		if err == nil {
			out = append(out, strconv.FormatFloat(v, 'f', -1, 64))
		}
	}
	return out
}

// findDates returns the dates that can be told without guessing, as YYYY-MM-DD.
func findDates(text string) []string {
	type hit struct {
		at   int
		date string
	}
	var hits []hit
	add := func(at int, year, month, day string) {
		m, d := monthNumber(month), 0
		if n, err := strconv.Atoi(day); err == nil {
			d = n
		}
		if m < 1 || m > 12 || d < 1 || d > daysIn[m] || d == 29 && m == 2 && !leap(year) {
			return
		}
		date := year + "-" + twoDigits(m) + "-" + twoDigits(d)
		i := len(hits)
		for i > 0 && hits[i-1].at > at {
			i--
		}
		hits = append(hits[:i], append([]hit{{at, date}}, hits[i:]...)...)
	}
	for _, m := range isoDateForm.FindAllStringSubmatchIndex(text, atMost) {
		add(m[0], text[m[2]:m[3]], text[m[4]:m[5]], text[m[6]:m[7]])
	}
	for _, m := range dayMonthForm.FindAllStringSubmatchIndex(text, atMost) {
		add(m[0], text[m[6]:m[7]], text[m[4]:m[5]], text[m[2]:m[3]])
	}
	for _, m := range monthDayForm.FindAllStringSubmatchIndex(text, atMost) {
		add(m[0], text[m[6]:m[7]], text[m[2]:m[3]], text[m[4]:m[5]])
	}
	out := make([]string, 0, len(hits))
	for _, h := range hits {
		out = append(out, h.date)
	}
	return distinct(out)
}

var daysIn = [13]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func leap(year string) bool {
	y, err := strconv.Atoi(year)
	return err == nil && y%4 == 0 && (y%100 != 0 || y%400 == 0)
}

// monthNumber reads a month's name or number; 0 for neither.
func monthNumber(s string) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	if len(s) < 3 {
		return 0
	}
	i := strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(s[:3]))
	return i/3 + 1
}

func twoDigits(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// findNames returns the name that a writer gives, else full names that stand there.
func findNames(text string) []string {
	var out []string
	for _, m := range saidName.FindAllStringSubmatch(text, atMost) {
		first := readWords(m[1])
		if len(first) > 0 && !minor()[first[0].stem] && len(english().words[first[0].stem]) == 0 {
			out = append(out, strings.Join(strings.Fields(m[1]), " "))
		}
	}
	for _, n := range fullName.FindAllString(text, atMost) {
		ws := readWords(n)
		common := false
		for _, w := range ws {
			common = common || minor()[w.stem] || len(english().words[w.stem]) > 0
		}
		if !common {
			out = append(out, strings.Join(strings.Fields(n), " "))
		}
	}
	return distinct(out)
}

func distinct(items []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range items {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// finderFor returns what looks for values of a place with this name and shape, nil
// when its name asks for nothing that has a form of its own.
func finderFor(name string, s *shape) finder {
	switch s.format {
	case "email":
		return findEmails
	case "uri", "url":
		return findURLs
	case "date":
		return findDates
	}
	words := strings.Fields(strings.ToLower(splitName(name)))
	if len(words) == 0 {
		return nil
	}
	last := strings.TrimSuffix(words[len(words)-1], "s")
	if s.kind == intKind || s.kind == floatKind {
		switch last {
		case "amount", "price", "cost", "fee", "money", "sum", "total", "refund", "payment", "salary", "budget":
			return findAmounts
		}
		return nil
	}
	if s.kind != stringKind {
		return nil
	}
	before := ""
	if len(words) > 1 {
		before = words[len(words)-2]
	}
	switch last {
	case "email", "mail":
		return findEmails
	case "phone", "telephone", "mobile", "fax":
		return findPhones
	case "url", "link", "website", "homepage":
		return findURLs
	case "date", "deadline", "birthday":
		return findDates
	case "amount", "price":
		return findAmounts
	case "addres", "address": // the plural's s may be gone
		if before == "email" || before == "mail" {
			return findEmails
		}
	case "number":
		switch before {
		case "phone", "telephone", "mobile", "fax", "contact":
			return findPhones
		case "order", "reference", "ticket", "invoice", "booking", "tracking", "customer", "case":
			return findReferences
		}
	case "id", "reference":
		return findReferences
	case "name":
		switch before {
		case "", "full", "customer", "sender", "person", "contact", "client", "user", "author", "patient", "employee":
			return findNames
		}
	case "sender", "person", "customer", "author":
		return findNames
	}
	return nil
}
