package value

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// What texts of a purpose must be: code, templates, keys, and the forms that the
// constraint `format` names.

var fence = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("(?s)```[^\n`]*\n(.*?)(?:\n[ \t]*)?```")
})

// readCode takes the text in the first fence.
func readCode(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	if m := fence().FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return v
}

var templateName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\pL_][\pL\pN_]*$`) })

var errTemplate = errors.New("a template: each { } holds a name, and a brace itself is written {{ or }}")

// readTemplate checks the places of a prompt_template.
func readTemplate(s string, _ bool) (string, error) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '}':
			if i+1 >= len(s) || s[i+1] != '}' {
				return "", errTemplate
			}
			i++
		case s[i] == '{' && i+1 < len(s) && s[i+1] == '{':
			i++
		case s[i] == '{':
			n := strings.IndexByte(s[i:], '}')
			if n < 0 || !templateName().MatchString(s[i+1:i+n]) {
				return "", errTemplate
			}
			i += n
		}
	}
	return s, nil
}

var errKey = errors.New("a key without spaces")

func readKey(s string, lax bool) (string, error) {
	if lax {
		s = strings.TrimSpace(s)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return "", errKey
	}
	return s, nil
}

var formats = sync.OnceValue(func() map[string]func(string) bool {
	matches := func(pattern string) func(string) bool { return regexp.MustCompile(pattern).MatchString }
	const label = `[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?`
	host := matches(`^` + label + `(\.` + label + `)*$`)
	hostname := func(s string) bool { return len(s) <= 253 && host(s) }
	local := matches("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")
	uri := matches(`^[A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+$`)
	return map[string]func(string) bool{
		"email": func(s string) bool {
			name, domain, ok := strings.Cut(s, "@")
			return ok && len(name) <= 64 && local(name) && hostname(domain)
		},
		"uri": func(s string) bool {
			_, err := url.Parse(s)
			return err == nil && uri(s)
		},
		"uuid":     matches(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`),
		"hostname": hostname,
		"ipv4": func(s string) bool {
			a, err := netip.ParseAddr(s)
			return err == nil && a.Is4()
		},
		"ipv6": func(s string) bool {
			a, err := netip.ParseAddr(s)
			return err == nil && a.Is6() && a.Zone() == ""
		},
	}
})
