package corpus

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus/frontmatter"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus/html"
)

// Facts gives what their authors say about the first texts of the corpus, at most n:
// nil or empty for one that says nothing. Only the start of each is read. A text that cannot be
// read is left out: what is wrong with it is said when the index is made.
func (c *Corpus) Facts(ctx context.Context, n int, give func(*value.Object)) error {
	some := *c
	some.most = n
	files, err := some.Files(ctx)
	if err != nil {
		return err
	}
	for _, f := range files[:min(n, len(files))] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if facts, err := startFacts(f); err == nil {
			give(facts)
		}
	}
	return nil
}

var errNoText = errors.New("a file of rows")

// startFacts reads the facts of one text.
func startFacts(f File) (*value.Object, error) {
	ending := strings.ToLower(path.Ext(f.Name))
	switch {
	case isRows(f.Name):
		return nil, errNoText
	case isMarkdown(f.Name), ending == ".html", ending == ".htm", ending == ".xhtml":
	default:
		return nil, nil
	}
	in, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, frontmatter.Most+64))
	if err != nil {
		return nil, err
	}
	data = []byte(strings.TrimPrefix(string(data), "\ufeff"))
	if !isMarkdown(f.Name) {
		page, err := html.Read([]byte(strings.ToValidUTF8(string(data), "\ufffd")))
		if err != nil {
			return nil, err
		}
		return without(metaFacts(page.Meta)), nil
	}
	facts, _, err := factsOf(strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n"), f)
	return without(facts), err
}

// without leaves out what is known of every text.
func without(facts *value.Object) *value.Object {
	out := &value.Object{}
	for name, v := range facts.All() {
		if !slices.Contains(ownFacts, name) {
			out.Set(name, v)
		}
	}
	return out
}
