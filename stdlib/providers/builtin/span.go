package builtin

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A questionKind is what a question asks for.
type questionKind int

const (
	asksThing  questionKind = iota // which, what: a name, or what is said of it
	asksPerson                     // who
	asksTime                       // when, which year
	asksNumber                     // how many, how much
	asksPlace                      // where
	asksReason                     // why
	asksWhole                      // how, yes or no: the sentence
)

var questionWord = regexp.MustCompile(`(?i)\b(who|whom|whose|when|where|why|which|what|how (?:many|much|old|long|far|tall|high|big|large|deep|wide|fast|heavy|often)|how)\b`)

var asksForTime = regexp.MustCompile(`(?i)^\s*(?:\S+\s+)?(year|date|day|month|century|decade|time)\b`)

// A query is a question as far as spans need it.
type query struct {
	kind    questionKind
	asked   map[string]bool // its stems
	counted string          // the stem after "how many"
	measure bool            // how tall, how far: a number with a unit
}

func readQuery(question string) query {
	q := query{kind: kindOf(question), asked: map[string]bool{}}
	for _, w := range readWords(question) {
		q.asked[w.stem] = true
	}
	if m := questionWord.FindStringIndex(question); m != nil {
		q.measure = q.kind == asksNumber && !strings.HasSuffix(strings.ToLower(question[m[0]:m[1]]), "many") && !strings.HasSuffix(strings.ToLower(question[m[0]:m[1]]), "much")
		if ws := readWords(cutText(question[m[1]:], 100)); len(ws) > 0 {
			q.counted = ws[0].stem
		}
	}
	return q
}

func kindOf(question string) questionKind {
	m := questionWord.FindStringIndex(question)
	if m == nil {
		return asksWhole
	}
	switch w := strings.ToLower(question[m[0]:m[1]]); w {
	case "who", "whom", "whose":
		return asksPerson
	case "when":
		return asksTime
	case "where":
		return asksPlace
	case "why":
		return asksReason
	case "how":
		return asksWhole
	case "which", "what":
		if asksForTime.MatchString(question[m[1]:]) {
			return asksTime
		}
		return asksThing
	}
	return asksNumber
}

var (
	dateSpan = regexp.MustCompile(`(?i)\b(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}(?:st|nd|rd|th)? (?:of )?` + monthNames + `,? [0-9]{4}|` + monthNames + ` [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4}|` +
		`[0-9]{1,2}(?:st|nd|rd|th)? (?:of )?` + monthNames + `|` + monthNames + ` (?:[0-9]{4}|[0-9]{1,2})|(?:c\. ?|circa )?[12][0-9]{3}s?|[0-9]{1,2}(?:st|nd|rd|th) century|[0-9]{1,2}:[0-9]{2}(?: ?[ap]m)?|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b`)
	numberSpan = regexp.MustCompile(`(?i)[$€£]?[0-9][0-9,]*(?:\.[0-9]+)?(?:\s?(?:%|percent|million|billion|thousand|hundred))?|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|thousand|million|dozen)\b`)
	unitAfter  = regexp.MustCompile(`^\s?(?:km|kilometres|kilometers|metres|meters|m|cm|mm|miles|feet|ft|inches|kg|kilograms|grams|g|tonnes|tons|pounds|litres|liters|years|months|weeks|days|hours|minutes|seconds|dollars|euros|degrees|mph|km/h)\b`)
	because    = regexp.MustCompile(`(?i)\b(?:because(?: of)?|due to|since|as a result of|in order to|thanks to)\s+(.+?)[.!?]*$`)
	placeSpan  = regexp.MustCompile(`\b(?:in|at|near|from|to|on|of|inside|outside|through|into)\s+((?:the\s+)?(?:\p{Lu}[\p{L}\p{N}'’-]*)(?:(?:\s+(?:of|de|la|del|the|and))?\s+\p{Lu}[\p{L}\p{N}'’-]*)*)`)
	nameSpan   = regexp.MustCompile(`\p{Lu}[\p{L}\p{N}'’.&-]*(?:(?:\s+(?:of|de|la|le|van|von|der|del|da|the|and the))?\s+\p{Lu}[\p{L}\p{N}'’&-]*)*`)
)

const monthNames = `(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)`

// span returns the part of a sentence that answers the question, or "" when nothing of
// the kind stands there.
func (q query) span(sentence string) string {
	asked := q.asked
	switch q.kind {
	case asksTime:
		return firstNew(dateSpan.FindAllString(sentence, -1), asked)
	case asksNumber:
		return q.numberIn(sentence)
	case asksReason:
		if m := because.FindStringSubmatch(sentence); m != nil {
			return m[1]
		}
	case asksPlace:
		var places []string
		for _, m := range placeSpan.FindAllStringSubmatch(sentence, -1) {
			places = append(places, m[1])
		}
		return firstNew(places, asked)
	case asksPerson, asksThing:
		if n := nameIn(sentence, asked); n != "" {
			return n
		}
		if q.kind == asksThing {
			return restOf(sentence, asked)
		}
	}
	return ""
}

// firstNew returns the first candidate with a word that the question does not have.
func firstNew(candidates []string, asked map[string]bool) string {
	for _, c := range candidates {
		for _, w := range readWords(c) {
			if !asked[w.stem] && !minor()[w.stem] {
				return strings.TrimSpace(c)
			}
		}
	}
	return ""
}

// nameIn returns the capitalised words of a sentence that the question does not have:
// of several, the one that stands nearest to a word of the question.
func nameIn(sentence string, asked map[string]bool) string {
	var shared []int
	for _, w := range readWords(sentence) {
		if asked[w.stem] && !minor()[w.stem] {
			shared = append(shared, w.start)
		}
	}
	best, nearestAt := "", -1
	for _, m := range nameSpan.FindAllStringIndex(sentence, -1) {
		start, end := m[0], m[1]
		start, end = trimName(sentence, start, end, asked)
		if start >= end {
			continue
		}
		distance := len(sentence)
		for _, at := range shared {
			d := max(at-end, start-at, 0)
			distance = min(distance, d)
		}
		if m[0] == 0 && !strings.Contains(sentence[start:end], " ") && isPlainStart(sentence[start:end]) {
			distance += len(sentence) // the capital may be only the sentence's
		}
		if nearestAt < 0 || distance < nearestAt {
			best, nearestAt = sentence[start:end], distance
		}
	}
	return best
}

// trimName takes words of the question and function words off the ends of a name.
func trimName(sentence string, start, end int, asked map[string]bool) (int, int) {
	words := readWords(sentence[start:end])
	for len(words) > 0 && (asked[words[0].stem] || minor()[words[0].stem]) {
		words = words[1:]
	}
	for len(words) > 0 {
		last := words[len(words)-1]
		if !asked[last.stem] && !minor()[last.stem] {
			break
		}
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return start, start
	}
	return start + words[0].start, start + words[len(words)-1].end
}

// isPlainStart reports whether a first word looks like a common one.
func isPlainStart(w string) bool {
	lower := strings.ToLower(w)
	r, _ := utf8.DecodeLastRuneInString(lower)
	return len(english().words[stem(lower)]) > 0 || r == 's' || !unicode.IsLetter(r)
}

var yearBefore = regexp.MustCompile(`(?i)\b(?:in|since|by|of|from|until|before|after|to|` + monthNames + `)\s+$`)

// numberIn returns the number that stands nearest to what is counted. Years are none.
func (q query) numberIn(sentence string) string {
	at := -1
	for _, w := range readWords(sentence) {
		if w.stem == q.counted {
			at = w.start
			break
		}
	}
	best, nearestAt := "", -1
	for _, m := range numberSpan.FindAllStringIndex(sentence, -1) {
		text := strings.TrimRight(sentence[m[0]:m[1]], ", ")
		if ws := readWords(text); len(ws) == 0 || q.asked[ws[0].stem] {
			continue
		}
		unit := unitAfter.FindString(sentence[m[0]+len(text):])
		if unit == "" && (q.measure || len(text) == 4 && (text[0] == '1' || text[0] == '2') && yearBefore.MatchString(sentence[max(0, m[0]-12):m[0]])) {
			continue
		}
		distance := m[0]
		if at >= 0 {
			distance = max(at-m[1], (m[0]-at)*2, 0)
		}
		if nearestAt < 0 || distance < nearestAt {
			best, nearestAt = text+unit, distance
		}
	}
	return best
}

// restOf returns what a sentence says that the question does not: its longest run of
// other words, if that is a phrase and not most of a sentence.
func restOf(sentence string, asked map[string]bool) string {
	words := readWords(sentence)
	bestStart, bestEnd, bestCount := 0, 0, 0
	for i := 0; i < len(words); {
		if asked[words[i].stem] || minor()[words[i].stem] {
			i++
			continue
		}
		j, count := i, 0
		last := i
		for j < len(words) && !asked[words[j].stem] && !strings.ContainsAny(sentence[words[i].start:words[j].end], ",;:") {
			if !minor()[words[j].stem] {
				count++
				last = j
			} else if copulas[words[j].text] {
				break
			}
			j++
		}
		if count >= bestCount && count > 0 {
			bestStart, bestEnd, bestCount = words[i].start, words[last].end, count
		}
		i = max(j, i+1)
	}
	if bestCount == 0 || bestCount > 6 {
		return ""
	}
	return sentence[bestStart:bestEnd]
}

var copulas = map[string]bool{"is": true, "are": true, "was": true, "were": true, "be": true, "been": true, "has": true, "have": true, "had": true}
