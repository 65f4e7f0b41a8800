package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/parser/config"
	"github.com/dspi-lang/dspi/stdlib/caches"
	"github.com/spf13/cobra"
)

// cacheVariable is the environment variable that says where replies are kept, over
// what a dspi.hcl says.
const cacheVariable = "DSPI_CACHE"

// cacheFlags are the flags of `dspi cache`.
type cacheFlags struct {
	url   string
	older string
	json  bool
}

var cacheWords = []string{"stats", "clear"}

func cacheCommand(a *app) *cobra.Command {
	var f cacheFlags
	cmd := &cobra.Command{
		Use:   "cache stats|clear",
		Short: "Count the replies that are kept, or remove them",
		Long: `Replies of models are kept, so that the same call is paid once: the same model at
the same endpoint, with the same messages, parameters, tools and form of the reply.
A step's rollout asks anew, and so does dspi run --no-cache. Replies of builtin/…
and scripted/… are not kept, and neither are replies that were cut, and failures.

stats says where they lie and how many there are; clear removes them.

They lie in a file of yours, sqlite:user, for 30 days and up to 512 MB. The block
cache of the dspi.hcl in this folder or the nearest one above says otherwise, then
$DSPI_CACHE, then --url: sqlite:PATH, redis://host:port/number, memory, or off.`,
		Example: `  dspi cache stats
  dspi cache clear --older-than 7d
  dspi cache stats --url redis://localhost:6379/0 --json`,
		Args:      arguments(1, 1, "the word `stats` or `clear`"),
		ValidArgs: cacheWords,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case !slices.Contains(cacheWords, args[0]):
				return wrong("dspi cache knows no `%s`", args[0]).say("It is followed by `stats` or `clear`.").near(args[0], cacheWords)
			case args[0] == "clear":
				return a.clearCache(cmd.Context(), f)
			case f.older != "":
				return wrong("--older-than belongs to dspi cache clear")
			}
			return a.cacheStats(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "", "the `address` of the cache")
	flags.StringVar(&f.older, "older-than", "", "with clear: what was kept longer ago than a `period`: 12h, 7d, 8w")
	jsonFlag(cmd, &f.json, "print one JSON object")
	return cmd
}

// cacheAt returns where replies are kept: by a flag, the environment, or the
// settings of a project.
func (a *app) cacheAt(url string, settings *dspi.Settings) dspi.CacheAt {
	at := dspi.FindCache(settings)
	for _, from := range []struct{ url, source string }{{url, "--url"}, {a.getenv(cacheVariable), cacheVariable}} {
		if from.url != "" {
			at.URL, at.Dir, at.Source = from.url, "", from.source
			break
		}
	}
	return at
}

// foundCache returns the cache that the command line speaks of.
func (a *app) foundCache(f cacheFlags) (dspi.CacheAt, error) {
	settings, diags := dspi.LoadSettings("any.dsp") // in the current folder
	if diags.HasErrors() {
		return dspi.CacheAt{}, diags
	}
	at := a.cacheAt(f.url, settings)
	if at.URL == "memory" || at.URL == "memory:" {
		return at, wrong("the cache `memory` ends with its process").say("There is nothing to count or remove. That it is `memory` comes from %s.", at.Source)
	}
	return at, nil
}

// cacheShown is what `dspi cache stats` shows.
type cacheShown struct {
	URL     string     `json:"url"`
	Source  string     `json:"source"` // what says so: "--url", "DSPI_CACHE", the path of a dspi.hcl, "built in"
	File    string     `json:"file"`   // "" when it is no file
	Entries int        `json:"entries"`
	Bytes   int64      `json:"bytes"`
	MaxSize int64      `json:"max_size"`
	TTL     int64      `json:"ttl_seconds"` // 0: as long as there is room
	Hits    int64      `json:"hits"`
	Misses  int64      `json:"misses"`
	Oldest  *time.Time `json:"oldest"` // null when there is nothing
	Newest  *time.Time `json:"newest"`
}

func (a *app) cacheStats(ctx context.Context, f cacheFlags) error {
	at, err := a.foundCache(f)
	if err != nil {
		return err
	}
	shown := cacheShown{
		URL: at.String(), Source: at.Source, File: at.File(a.getenv), MaxSize: at.MaxSize, TTL: int64(at.TTL / time.Second),
	}
	if !missing(shown.File) {
		c, err := a.openCache(at)
		if err != nil {
			return err
		}
		if c != nil {
			defer c.Close()
			s, err := c.Stats(ctx)
			if err != nil {
				return a.cacheFault(at, err)
			}
			shown.Entries, shown.Bytes, shown.Hits, shown.Misses = s.Entries, s.Bytes, s.Hits, s.Misses
			if s.Entries > 0 {
				oldest, newest := s.Oldest.UTC(), s.Newest.UTC()
				shown.Oldest, shown.Newest = &oldest, &newest
			}
		}
	}
	if f.json {
		return a.writeJSON(shown)
	}
	fmt.Fprint(a.out, shown.text())
	return nil
}

// missing reports whether path names a file that is not there.
func missing(path string) bool {
	if path == "" {
		return false
	}
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// text returns what is shown for people.
func (c *cacheShown) text() string {
	rows := [][]string{{"cache", c.URL + ", from " + c.Source}}
	if c.URL == "off" {
		return columnsOf(append(rows, []string{"", "no reply is kept"}))
	}
	if c.File != "" {
		rows = append(rows, []string{"file", c.File})
	}
	size := bytesShown(c.Bytes) + " of " + bytesShown(c.MaxSize)
	kept := "as long as there is room"
	if c.TTL > 0 {
		kept = periodShown(time.Duration(c.TTL) * time.Second)
	}
	rows = append(rows, []string{"replies", fmt.Sprint(c.Entries)}, []string{"size", size}, []string{"kept for", kept})
	if all := c.Hits + c.Misses; all > 0 {
		rows = append(rows, []string{"hits", fmt.Sprintf("%d of %d (%d %%)", c.Hits, all, c.Hits*100/all)})
	}
	if c.Oldest != nil {
		const form = "2006-01-02 15:04:05"
		rows = append(rows, []string{"oldest", c.Oldest.Local().Format(form)}, []string{"newest", c.Newest.Local().Format(form)})
	}
	return columnsOf(rows)
}

// bytesShown writes a size with the unit that makes it short.
func bytesShown(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB"}
	f, i := float64(n), 0
	for f >= 1000 && i < len(units)-1 {
		f, i = f/1000, i+1
	}
	if i == 0 || f >= 10 {
		return fmt.Sprintf("%.0f %s", f, units[i])
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}

// periodShown writes a period as a dspi.hcl can say it, in words.
func periodShown(d time.Duration) string {
	if day := 24 * time.Hour; d%day == 0 {
		return plural(int(d/day), "day")
	}
	return plural(int(d/time.Hour), "hour")
}

func (a *app) clearCache(ctx context.Context, f cacheFlags) error {
	at, err := a.foundCache(f)
	if err != nil {
		return err
	}
	var before time.Time
	if f.older != "" {
		age, ok := config.Period(f.older)
		if !ok || age == 0 {
			return wrong("--older-than cannot be %q", f.older).say("It is a number with h, d or w, such as 7d.")
		}
		before = time.Now().Add(-age)
	}
	removed, err := a.removeCached(ctx, at, before)
	if err != nil {
		return err
	}
	if f.json {
		return a.writeJSON(struct {
			URL     string `json:"url"`
			File    string `json:"file"`
			Removed int    `json:"removed"`
		}{at.String(), at.File(a.getenv), removed})
	}
	text := "1 reply removed"
	if removed != 1 {
		text = fmt.Sprintf("%d replies removed", removed)
	}
	fmt.Fprintf(a.err, "%s from %s\n", text, at)
	return nil
}

// removeCached removes what was kept before a time, the zero time for everything. A
// damaged file is deleted, if everything is to go.
func (a *app) removeCached(ctx context.Context, at dspi.CacheAt, before time.Time) (int, error) {
	path := at.File(a.getenv)
	if missing(path) {
		return 0, nil
	}
	c, err := at.Open(a.getenv)
	n := 0
	if err == nil && c != nil {
		n, err = c.Clear(ctx, before)
		err = errors.Join(err, c.Close())
	}
	if caches.Damaged(err) && before.IsZero() {
		a.note("%s was damaged, and is deleted", path)
		return 0, caches.Remove(path)
	}
	if err != nil {
		return 0, a.cacheFault(at, err)
	}
	return n, nil
}

// openCache opens a cache; it is nil when it is off.
func (a *app) openCache(at dspi.CacheAt) (cache.Cache, error) {
	c, err := at.Open(a.getenv)
	if err != nil {
		return nil, a.cacheFault(at, err)
	}
	return c, nil
}

// cacheFault words why a cache does not work.
func (a *app) cacheFault(at dspi.CacheAt, err error) error {
	if caches.Damaged(err) {
		again := ""
		if at.Source == "--url" {
			again = " --url " + at.String()
		}
		return &exit{code: exitFailed, err: wrong("the cache %s is damaged", at).say("%v.", err).
			hint("to delete it, and lose what can be paid for again: dspi cache clear%s", again)}
	}
	return &exit{code: exitFailed, err: wrong("the cache %s does not work", at).say("%s.", strings.TrimRight(err.Error(), "."))}
}
