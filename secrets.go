package dspi

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/parser/config"
	"github.com/dspi-lang/dspi/stdlib"
)

// A secret can stand in a program's own text: as the default of a sensitive
// variable, as an `api_key`, in a URL. Diagnostics show lines of that text, so
// these parts are hidden in the file as soon as it is read. They are found by
// lines and words, not in the syntax tree: a block with a mistake in it is shown
// most of all, and there may be no tree of it.

// newFile returns a .dsp file whose secrets are hidden.
func newFile(name, text string) *source.File {
	f := source.NewFile(name, text)
	config.HideURLs(f)
	for _, m := range keySetting.FindAllStringIndex(text, -1) {
		hideValue(f, m[1])
	}
	for at := 0; ; {
		i := strings.Index(text[at:], "variable")
		if i < 0 {
			break
		}
		start := at + i
		end := blockEnd(text, start)
		at = start + len("variable")
		if block := text[start:end]; sensitive.MatchString(block) {
			for _, d := range defaultSetting.FindAllStringIndex(block, -1) {
				hideValue(f, start+d[1])
			}
		}
	}
	return f
}

var (
	keySetting     = regexp.MustCompile(`api_?[kK]ey[ \t]*=[ \t]*`)
	defaultSetting = regexp.MustCompile(`default[ \t]*=[ \t]*`)
	// A misspelt `sensitive` is believed, too.
	sensitive = regexp.MustCompile(`(?i)\b(sens|secret)|\bapi_key\b`)
	reference = regexp.MustCompile(`^(env\s*\(|var\.|null\b)`)
)

// blockEnd returns where a block that begins at start ends at the latest: at the
// next line that begins with a kind of declaration.
func blockEnd(text string, start int) int {
	at := start
	for line := range strings.Lines(text[start:]) {
		if at > start && slices.Contains(stdlib.Universe().BlockNames(), firstWord(line)) {
			return at
		}
		at += len(line)
	}
	return len(text)
}

func firstWord(line string) string {
	n := strings.IndexFunc(line, func(r rune) bool { return r < 'a' || r > 'z' })
	if n < 0 {
		return line
	}
	return line[:n]
}

// hideValue hides the value that begins at start: a text to its closing quote or
// the end of its line, a heredoc to the line that ends it, a list or object to the
// end of its line, anything else to the next comma, brace or line. What only names
// a secret stays.
func hideValue(f *source.File, start int) {
	rest := f.Text[start:]
	if rest == "" || reference.MatchString(rest) {
		return
	}
	var n int
	switch {
	case rest[0] == '"' || rest[0] == '\'' || rest[0] == '`':
		n = quotedText(rest)
	case strings.HasPrefix(rest, "<<"):
		n = heredoc(rest)
	default:
		ends := ",}\n#"
		if rest[0] == '[' || rest[0] == '{' {
			ends = "\n"
		}
		if n = strings.IndexAny(rest, ends); n < 0 {
			n = len(rest)
		}
	}
	n = len(strings.TrimRight(rest[:n], " \t\r\n"))
	f.Hide(source.Span{Start: int32(start), End: int32(start + n)})
}

// quotedText returns the length of a text in quotes.
func quotedText(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] != '`':
			i++
		case s[i] == s[0]:
			return i + 1
		case s[i] == '\n' && s[0] != '`':
			return i
		}
	}
	return len(s)
}

// heredoc returns the length of `<<WORD`, its lines and the line that ends it.
func heredoc(s string) int {
	head, _, _ := strings.Cut(s, "\n")
	word := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(head, "<<"), "-"))
	at := len(head)
	for line := range strings.Lines(s[min(at+1, len(s)):]) {
		at += len(line)
		if strings.TrimSpace(line) == word {
			return min(at+1, len(s))
		}
	}
	return len(s)
}

// secretsOf returns what a model is called with and nobody may see: its key, the
// sensitive variables in it and in its URL, and what the URL itself keeps secret,
// also as it is sent.
func secretsOf(m *plan.Model) []string {
	out := slices.Concat(m.Secrets, []string{m.Key})
	for _, s := range config.URLSecrets(m.BaseURL) {
		out = append(out, m.BaseURL[s[0]:s[1]])
	}
	u, err := url.Parse(m.BaseURL)
	if err != nil {
		return out
	}
	if u.User != nil {
		password, _ := u.User.Password()
		out = append(out, password, base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
		if password == "" {
			out = append(out, u.User.Username())
		}
	}
	for _, s := range slices.Clone(out) {
		if plain, err := url.QueryUnescape(s); err == nil {
			out = append(out, plain)
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}
