package config

import (
	"regexp"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
)

// item is the beginning of `name = value` on a line, in HCL's syntax or nearly.
var item = regexp.MustCompile(`(?m)^[ \t]*"?([\pL_][\pL\pN_.-]*)"?[ \t]*[=:]`)

// hideItems hides the value of each `name = value` for which secret is true. It
// reads lines and no grammar, so that it works on a file with mistakes: a value
// reaches to the next such line.
func hideItems(file *source.File, secret func(name string) bool) {
	found := item.FindAllStringSubmatchIndex(file.Text, -1)
	for i, m := range found {
		if !secret(file.Text[m[2]:m[3]]) {
			continue
		}
		end := len(file.Text)
		if i+1 < len(found) {
			end = found[i+1][0]
		}
		value := file.Text[m[1]:end]
		start := m[1] + len(value) - len(strings.TrimLeft(value, " \t"))
		hide(file, start, m[1]+len(strings.TrimRight(value, " \t\r\n")))
	}
}

func hide(file *source.File, start, end int) {
	file.Hide(source.Span{Start: int32(start), End: int32(end)})
}

// nameBefore returns the name of the item whose value holds a place.
func nameBefore(file *source.File, at source.Place) source.Place {
	name := source.Span{Start: at.Start, End: at.Start}
	for _, m := range item.FindAllStringSubmatchIndex(file.Text, -1) {
		if int32(m[0]) > at.Start {
			break
		}
		name = source.Span{Start: int32(m[2]), End: int32(m[3])}
	}
	return file.Place(name)
}

var (
	userinfo = regexp.MustCompile(`^://([^/?#]*)@`)
	query    = regexp.MustCompile(`[?&;]([A-Za-z0-9_.~%-]+)=([^&;#]+)`)
)

// URLSecrets returns the parts of a text that URLs in it keep secret, as byte
// offsets: the user and password before a host, and the values of parameters
// whose names speak of keys.
func URLSecrets(text string) [][2]int {
	var out [][2]int
	for at := 0; ; {
		i := strings.Index(text[at:], "://")
		if i < 0 {
			return out
		}
		begin := at + i
		end := begin + len("://")
		if n := strings.IndexAny(text[end:], " \t\r\n\"'"); n >= 0 {
			end += n
		} else {
			end = len(text)
		}
		at = end
		if m := userinfo.FindStringSubmatchIndex(text[begin:end]); m != nil && m[2] < m[3] {
			out = append(out, [2]int{begin + m[2], begin + m[3]})
		}
		for _, m := range query.FindAllStringSubmatchIndex(text[begin:end], -1) {
			if speaksOfKeys(text[begin+m[2] : begin+m[3]]) {
				out = append(out, [2]int{begin + m[4], begin + m[5]})
			}
		}
	}
}

// speaksOfKeys reports whether a name says that its value is a secret.
func speaksOfKeys(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"key", "token", "secret", "sig", "passw", "pwd", "auth", "credential"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// WithoutSecrets returns text with a mask for what its URLs keep secret.
func WithoutSecrets(text string) string {
	secrets := URLSecrets(text)
	for i := len(secrets) - 1; i >= 0; i-- {
		text = text[:secrets[i][0]] + diag.Mask + text[secrets[i][1]:]
	}
	return text
}

// HideURLs hides what URLs in a file keep secret.
func HideURLs(file *source.File) {
	for _, s := range URLSecrets(file.Text) {
		hide(file, s[0], s[1])
	}
}
