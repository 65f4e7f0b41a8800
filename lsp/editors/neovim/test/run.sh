#!/bin/sh
# Runs probe.lua in a Neovim, and looks at the server's exit status and stderr.
#
#     run.sh NVIM DSPI [PARSER]
#
# PARSER is a folder with parser/dspi.so; without it the colours are those of
# syntax/dspi.vim. With DSPI_SETUP=1 a Neovim that has vim.lsp.enable is set up as
# those before it are.
set -eu
nvim=$1 dspi=$(realpath "$2") parser=${3:-}
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/project"
cat >"$work/dspi" <<END
#!/bin/sh
if [ "\$1" != lsp ]; then exec '$dspi' "\$@"; fi
'$dspi' "\$@" 2>>'$work/stderr'
echo \$? >>'$work/status'
END
chmod +x "$work/dspi"
cat >"$work/project/rag.dsp" <<'END'
program rag {
  question: string -> answer: string
  predict respond {
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
export DSPI_SERVER="$work/dspi" DSPI_FILE="$work/project/rag.dsp" NO_COLOR=1
export XDG_STATE_HOME="$work/state" XDG_CACHE_HOME="$work/cache" XDG_DATA_HOME="$work/data" XDG_CONFIG_HOME="$work/config"
[ -z "$parser" ] || export DSPI_PARSER="$parser"
timeout 60 "$nvim" --headless -u NONE -i NONE -n \
  --cmd "set runtimepath^=$here${parser:+,$parser}" --cmd 'filetype plugin indent on' \
  -c "luafile $here/test/probe.lua" </dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
  [ -s "$work/status" ] && break
  sleep 0.2
done
[ "$(cat "$work/status")" = 0 ] || { echo "the server ended with $(cat "$work/status")"; exit 1; }
[ ! -s "$work/stderr" ] || { echo "the server said:"; cat "$work/stderr"; exit 1; }
