package datasets

// Peek returns the next row, or why there is none, and leaves it to be read.
func (t *Table) Peek() (Row, error) {
	under := t.next
	row, err := under()
	t.next = func() (Row, error) {
		t.next = under
		return row, err
	}
	return row, err
}
