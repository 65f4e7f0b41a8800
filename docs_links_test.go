package dspi_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

var (
	// codeSpan is code in a page, in which brackets are no link and # is no heading.
	codeSpan = regexp.MustCompile("(?s)```.*?```|``.*?``|`[^`\n]*(?:\n[^`\n]+)?`")
	codeLine = regexp.MustCompile("(?ms)^```.*?^```$")
	heading  = regexp.MustCompile(`(?m)^#{1,6} +(.*?) *#*$`)
	linkText = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// TestLinks: what pages link to is there: the file, and the heading in it.
func TestLinks(t *testing.T) {
	pages := []string{"README.md", "CHANGELOG.md"}
	err := filepath.WalkDir("docs", func(name string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(name) == ".md" {
			pages = append(pages, name)
		}
		return err
	})
	if err != nil || len(pages) < 100 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		for _, problem := range brokenLinks(t, page) {
			t.Error(problem)
		}
	}
}

// TestPagesAreListed: each guide and each recipe is named by the README of its folder.
func TestPagesAreListed(t *testing.T) {
	for _, folder := range []string{"docs/guides", "docs/cookbook"} {
		pages, err := filepath.Glob(folder + "/*.md")
		if err != nil || len(pages) < 8 {
			t.Fatalf("%s: %d pages, %v", folder, len(pages), err)
		}
		list := readPage(t, folder+"/README.md")
		for _, page := range pages {
			if name := filepath.Base(page); name != "README.md" && !strings.Contains(list, "]("+name+")") {
				t.Errorf("%s/README.md does not list %s", folder, name)
			}
		}
	}
}

// TestBrokenLinks: a link that leads nowhere is seen.
func TestBrokenLinks(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"other.md": "# The other\n\n## Its `code` & more\n\n## Twice\n\n## Twice\n\n```sh\n# no heading\n```\n",
		"page.md": "[a](other.md) [b](other.md#the-other) [c](other.md#its-code--more) [d](other.md#twice-1) [e](#here) [f](https://example.com/x)\n" +
			"`[g](none.md)`\n\n# Here\n",
		"wrong.md": "[a](none.md) [b](other.md#none) [c](#none) [d](other.md#no-heading) [e](other.md#twice-2)",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if got := brokenLinks(t, "page.md"); len(got) > 0 {
		t.Errorf("right links are taken for wrong ones: %q", got)
	}
	if got := brokenLinks(t, "wrong.md"); len(got) != 5 {
		t.Errorf("5 links lead nowhere, and these are seen: %q", got)
	}
}

// brokenLinks returns what is wrong with the links of a page.
func brokenLinks(t *testing.T, page string) []string {
	t.Helper()
	var problems []string
	for _, part := range strings.Split(codeSpan.ReplaceAllString(readPage(t, page), ""), "](")[1:] {
		target, _, _ := strings.Cut(part, ")")
		file, anchor, _ := strings.Cut(target, "#")
		if strings.Contains(file, "://") {
			continue
		}
		to := page
		if file != "" {
			to = filepath.Join(filepath.Dir(page), filepath.FromSlash(file))
		}
		if _, err := os.Stat(to); err != nil {
			problems = append(problems, page+" links to "+target+", which is not there")
			continue
		}
		if anchor != "" && path.Ext(to) == ".md" && !slices.Contains(anchors(readPage(t, to)), anchor) {
			problems = append(problems, page+" links to "+target+", and there is no such heading")
		}
	}
	return problems
}

// anchors returns what the headings of a page are called in links, as GitHub makes it:
// letters, digits, - and _ in lower case, with - for spaces, numbered where they repeat.
func anchors(text string) []string {
	var out []string
	seen := map[string]int{}
	for _, m := range heading.FindAllStringSubmatch(codeLine.ReplaceAllString(text, ""), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, linkText.ReplaceAllString(m[1], "$1"))
		n := seen[name]
		seen[name]++
		if n > 0 {
			name += "-" + strconv.Itoa(n)
		}
		out = append(out, name)
	}
	return out
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
