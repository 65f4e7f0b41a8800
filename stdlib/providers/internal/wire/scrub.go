package wire

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The longest message, and the longest start of a foreign body in one, in characters.
const (
	maxMessage = 600
	maxStart   = 200
)

// redacted stands where a secret was.
const redacted = "[redacted]"

// shortest is the length from which a secret is replaced wherever it stands. A
// shorter one ("ollama", "none") is replaced only as a whole word.
const shortest = 8

// secretsOf returns the texts that must appear in no error, the longest first: the
// keys, the password and the secret-looking query values of the URL, each also as URLs
// and JSON would write it.
func secretsOf(u *url.URL, keys ...string) []string {
	found := keys
	if password, ok := u.User.Password(); ok {
		found = append(found, password)
	} else {
		found = append(found, u.User.Username()) // some services take a token alone
	}
	for name, values := range u.Query() {
		if holdsSecret(name) {
			found = append(found, values...)
		}
	}
	var all []string
	for _, s := range found {
		quoted, _ := json.Marshal(s)
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), strings.Trim(string(quoted), `"`)} {
			if form != "" && !slices.Contains(all, form) {
				all = append(all, form)
			}
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// holdsSecret reports whether a query parameter's name says that its value is one.
func holdsSecret(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"key", "token", "secret", "sig", "password", "auth"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// clean makes text that came from outside fit for a message: one line, no control
// characters, no secrets.
func (e *Endpoint) clean(text string) string {
	// What is cut off later need not be cleaned, so a body of megabytes costs nothing.
	const enough = 16 << 10
	if len(text) > enough {
		text = text[:enough]
	}
	return scrub(printable(text), e.secrets)
}

// cleanError returns err, or a plain error with its text when that text held a secret.
func (e *Endpoint) cleanError(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if safe := scrub(text, e.secrets); safe != text {
		return errors.New(safe)
	}
	return err
}

// printable puts text on one line and drops what a terminal would obey.
func printable(text string) string {
	var b strings.Builder
	blank := false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			blank = b.Len() > 0
			continue
		case r == utf8.RuneError, unicode.Is(unicode.Cf, r), !unicode.IsPrint(r):
			continue
		case blank:
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// scrub replaces the secrets in text, also one whose end was cut off with the text's.
func scrub(text string, secrets []string) string {
	for _, s := range secrets {
		if len(s) >= shortest {
			text = strings.ReplaceAll(text, s, redacted)
		} else {
			text = replaceWord(text, s)
		}
	}
	for _, s := range secrets {
		for n := len(s) - 1; n >= shortest; n-- {
			if strings.HasSuffix(text, s[:n]) {
				return text[:len(text)-n] + redacted
			}
		}
	}
	return text
}

// replaceWord replaces word in text where no letter or digit touches it.
func replaceWord(text, word string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, word)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(word):])
		b.WriteString(text[:i])
		if isWord(before) || isWord(after) {
			b.WriteString(word)
		} else {
			b.WriteString(redacted)
		}
		text = text[i+len(word):]
	}
}

func isWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// withStart adds the start of a body to what is said about it.
func withStart(problem, body string) string {
	switch {
	case body == "":
		return problem
	case problem == "":
		return cut(body, maxStart)
	}
	return problem + "; it begins: " + cut(body, maxStart)
}

// cut shortens text to n characters.
func cut(text string, n int) string {
	seen := 0
	for i := range text {
		if seen == n {
			return text[:i] + " …"
		}
		seen++
	}
	return text
}
