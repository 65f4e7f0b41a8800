package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// Rows is a data set that a function gives, read row by row. The function runs in a
// worker as far as rows are read, and a batch ahead. It is for one goroutine.
type Rows struct {
	f       *Function
	ctx     context.Context
	end     context.CancelFunc
	batches chan []rowOf
	done    chan struct{}
	err     error // once done is closed; nil at the end of the rows

	left   []rowOf
	closed sync.Once
}

// rowOf is a row as the worker sends it.
type rowOf struct {
	values *value.Object
	err    string
}

// Rows begins to read what the function gives.
func (f *Function) Rows(ctx context.Context) *Rows {
	r := &Rows{f: f, batches: make(chan []rowOf), done: make(chan struct{})}
	r.ctx, r.end = context.WithCancel(ctx)
	go func() {
		defer close(r.done)
		h := rowsHost{hostOf(nil), r.batches}
		_, err := f.request(r.ctx, "read_rows", map[string]any{"target": f.Call, "address": f.Address}, h)
		if err != nil {
			err = f.fault(r.ctx, h.stepHost, err)
			var fault *Fault
			if errors.As(err, &fault) {
				err = fault.Diagnostic
			}
		}
		r.err = err
	}()
	return r
}

// Next returns the next row, or a fault of the row alone. The error is io.EOF behind
// the last one; any other says that no further row can be read.
func (r *Rows) Next() (*value.Object, *diag.Diagnostic, error) {
	for len(r.left) == 0 {
		select {
		case r.left = <-r.batches:
		case <-r.done:
			if r.err != nil {
				return nil, nil, r.err
			}
			return nil, nil, io.EOF
		}
	}
	x := r.left[0]
	r.left = r.left[1:]
	if x.err != "" {
		return nil, diag.New("E0618", source.Place{}, "a row of `"+r.f.Call+"`").Say("%s.", x.err), nil
	}
	return x.values, nil, nil
}

// Close ends the reading.
func (r *Rows) Close() error {
	r.closed.Do(func() {
		r.end()
		<-r.done
	})
	return nil
}

// rowsHost takes the batches that a worker sends.
type rowsHost struct {
	functionHost
	batches chan<- []rowOf
}

func (h rowsHost) ask(ctx context.Context, command string, args json.RawMessage) (json.RawMessage, error) {
	if command != "rows" {
		return h.functionHost.ask(ctx, command, args)
	}
	v, err := value.DecodeJSON(args)
	if err != nil {
		return nil, fmt.Errorf("the rows cannot be read: %w", err)
	}
	o, _ := v.(*value.Object)
	list, _ := o.Get("rows")
	rows, _ := list.([]any)
	batch := make([]rowOf, len(rows))
	for i, x := range rows {
		row, _ := x.(*value.Object)
		values, _ := row.Get("row")
		batch[i].values, _ = values.(*value.Object)
		if said, failed := row.Get("error"); failed {
			batch[i].err, _ = said.(string)
		}
	}
	select {
	case h.batches <- batch:
		return json.RawMessage(`{"more":true}`), nil
	case <-ctx.Done():
		return nil, &RemoteError{Kind: "ended", Message: "nobody reads the rows any more"}
	}
}
