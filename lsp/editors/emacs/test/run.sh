#!/bin/sh
# Runs probe.el in a batch Emacs, and looks at the server's exit status and stderr.
#
#     run.sh EMACS DSPI
set -eu
emacs=$1 dspi=$(realpath "$2")
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/project" "$work/home"
cat >"$work/dspi" <<END
#!/bin/sh
if [ "\$1" != lsp ]; then exec '$dspi' "\$@"; fi
'$dspi' "\$@" 2>>'$work/stderr'
echo \$? >>'$work/status'
END
chmod +x "$work/dspi"
cat >"$work/project/rag.dsp" <<'END'
program rag {
  question: string -> answer: string # a remark
  predict respond {
    instructions = <<EOT
      "program" is no keyword { here
    EOT
    passages: list[string], question: string -> answer: string
    inputs { passages = [questoin] }
  }
  predict   unused { question: string -> other: string }
}

test paris {
  program = program.rag
  inputs { question = "Größe 😀?" }
  assert { that = len(answer) > 0 }
}
END
cat >"$work/project/tone.dsp" <<'END'
variable tone: string { default = "kind" }
END
echo '# settings' >"$work/project/dspi.hcl"
echo 'a = 1' >"$work/project/my.dspi.hcl"
export DSPI_SERVER="$work/dspi" DSPI_FILE="$work/project/rag.dsp" NO_COLOR=1 HOME="$work/home" LC_ALL=C.UTF-8
timeout 100 "$emacs" --batch -L "$here" -l "$here/test/probe.el" </dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
  [ -s "$work/status" ] && break
  sleep 0.2
done
[ "$(cat "$work/status")" = 0 ] || { echo "the server ended with $(cat "$work/status")"; exit 1; }
[ ! -s "$work/stderr" ] || { echo "the server said:"; cat "$work/stderr"; exit 1; }
