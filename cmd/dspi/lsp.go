package main

import (
	"errors"
	"io"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lsp"
	"github.com/dspi-lang/dspi/lsp/snapshot"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/spf13/cobra"
)

// lspCommand is `dspi lsp`.
func lspCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lsp",
		Short: "Serve an editor: the language server",
		Long: `Speaks the Language Server Protocol over standard input and output. Editors
start it by themselves. It reads files, and starts no Python and asks no network.

The exit status is 0 when the editor said shutdown and exit, else 1.`,
		Example: `  dspi lsp`,
		Args:    arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s := lsp.New(lsp.Options{
				Version: moduleVersion(),
				Options: snapshot.Options{
					Universe: stdlib.Universe(), Columns: dspi.Columns, Passages: dspi.PassageColumns,
					Read: func(path string) (string, error) { return dspi.ReadText(path, path) },
				},
			})
			if code := s.Serve(cmd.Context(), stdio{a.in, a.out}); code != 0 {
				return &exit{code: exitFailed}
			}
			return nil
		},
	}
	// Editors add it to every server.
	cmd.Flags().Bool("stdio", true, "speak over standard input and output: the only way, and the default")
	return cmd
}

// stdio is standard input and output as one stream.
type stdio struct {
	io.Reader
	io.Writer
}

// Close ends the reading, where the input can be closed.
func (s stdio) Close() error {
	var errs []error
	if c, ok := s.Reader.(io.Closer); ok {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
