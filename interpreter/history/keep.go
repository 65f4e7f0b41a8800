package history

import (
	"fmt"
	"strconv"
	"time"
)

// Keep is how long runs are kept. Zero keeps none.
type Keep time.Duration

// Forever keeps runs without a limit.
const Forever Keep = -1

// DefaultKeep is how long runs are kept where nothing says otherwise.
const DefaultKeep = Keep(30 * 24 * time.Hour)

// ParseKeep reads a period as a dspi.hcl writes it: 12h, 30d, 8w, or off.
func ParseKeep(text string) (Keep, error) {
	if text == "off" {
		return 0, nil
	}
	units := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if n := len(text) - 1; n > 0 {
		count, err := strconv.Atoi(text[:n])
		if unit, ok := units[text[n]]; ok && err == nil && count > 0 && count <= 100_000 {
			return Keep(time.Duration(count) * unit), nil
		}
	}
	return 0, fmt.Errorf("%q is no period: it is a number with h, d or w, such as 30d, or off", text)
}
