package main

import "testing"

func TestRanges(t *testing.T) {
	for _, tt := range []struct {
		text string
		want string // as written again; "" for an error
		in   []int
		out  []int
		of10 int
	}{
		{"7", "7", []int{7}, []int{6, 8}, 1},
		{"1-3, 5", "1-3,5", []int{1, 2, 3, 5}, []int{4, 6}, 4},
		{"8-", "8-", []int{8, 9, 1_000_000}, []int{7}, 3},
		{"0", "", nil, nil, 0},
		{"3-1", "", nil, nil, 0},
		{"a", "", nil, nil, 0},
		{"1,,2", "", nil, nil, 0},
		{"-3", "", nil, nil, 0},
	} {
		r, err := parseRanges(tt.text)
		if (err != nil) != (tt.want == "") {
			t.Errorf("%q: error %v", tt.text, err)
			continue
		}
		if err != nil {
			continue
		}
		if got := r.String(); got != tt.want {
			t.Errorf("%q is written %q, want %q", tt.text, got, tt.want)
		}
		for _, n := range tt.in {
			if !r.has(n) {
				t.Errorf("%q lacks %d", tt.text, n)
			}
		}
		for _, n := range tt.out {
			if r.has(n) {
				t.Errorf("%q has %d", tt.text, n)
			}
		}
		if got := r.count(10); got != tt.of10 {
			t.Errorf("%q chooses %d of 10, want %d", tt.text, got, tt.of10)
		}
	}
	var all ranges
	if !all.has(5) || all.count(10) != 10 || all.from(4).String() != "4-" {
		t.Errorf("the nil ranges is not every row")
	}
	if got := (ranges{}).add(3).add(4).add(7).join(ranges{{8, 9}}).String(); got != "3-4,7-9" {
		t.Errorf("added: %s", got)
	}
	if got := (ranges{{2, 5}, {9, 12}}).from(4).String(); got != "4-5,9-12" {
		t.Errorf("from 4: %s", got)
	}
}
