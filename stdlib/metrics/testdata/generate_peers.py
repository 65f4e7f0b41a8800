"""Writes peers.json: what sacrebleu and rouge-score say of 1,000 random pairs.

    python generate_peers.py            rewrite peers.json
    python generate_peers.py --check    only compare; exit 1 if it would change
"""

import json
import pathlib
import random
import sys

import sacrebleu
from rouge_score import rouge_scorer

WANTED = "2.6.0"
HERE = pathlib.Path(__file__).parent
WORDS = "the cat sat on a mat, 3.5 1,000 e.g. U.S. state-of-the-art it's $5 (no) end. café &amp; &lt;b&gt; \"x\" 10-20 dog; ran / away: 7- Ünïcode -\nx y\nz".split(" ")


def main():
    if sacrebleu.__version__ != WANTED:
        sys.exit(f"sacrebleu {WANTED} is wanted, and this is {sacrebleu.__version__}")
    rng = random.Random(9)
    bleu = sacrebleu.BLEU(effective_order=True)
    rouge = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    out = []
    for _ in range(1000):
        answer = " ".join(rng.choice(WORDS) for _ in range(rng.randint(0, 14)))
        refs = []
        for _ in range(rng.randint(1, 3)):
            words = answer.split(" ")
            for _ in range(rng.randint(0, 5)):
                words[rng.randrange(len(words))] = rng.choice(WORDS)
            refs.append(" ".join(words[: rng.randint(1, len(words) + 1)]))
        out.append({"answer": answer, "expected": refs, "bleu": bleu.sentence_score(answer, refs).score / 100,
                    "rouge_l": rouge.score_multi(refs, answer)["rougeL"].fmeasure})
    text = json.dumps(out, indent=1) + "\n"
    path = HERE / "peers.json"
    if "--check" not in sys.argv[1:]:
        path.write_text(text)
    elif path.read_text() != text:
        sys.exit(f"{path.name} is not what sacrebleu {WANTED} and rouge-score say")


main()
