"""Writes what bm25s finds in the passages of the tour, for TestBM25S.

    generate.py           writes found.json
    generate.py --check   says whether found.json is what would be written

Words are those of dspi: runs of letters and digits, in small letters and without
diacritics. Words in more than half of the passages are left out of queries.
"""
import json
import os
import random
import sys
import unicodedata

import bm25s

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "..", "..", "..", "..", "examples", "tour", "data", "wiki.jsonl")
FOUND = os.path.join(HERE, "found.json")
QUERIES, K = 250, 10


def words(text):
    out, word = [], ""
    for c in unicodedata.normalize("NFD", text) + " ":
        if unicodedata.category(c) == "Mn":
            continue
        if unicodedata.category(c)[0] in "LN":
            word += c.lower()
        elif word:
            out.append(word)
            word = ""
    return out


def main():
    with open(CORPUS, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f if line.strip()]
    passages = [words(r["title"] + " | " + r["text"]) for r in rows]
    counts = {}
    for p in passages:
        for w in set(p):
            counts[w] = counts.get(w, 0) + 1
    chosen = random.Random(9)
    queries = []
    while len(queries) < QUERIES:
        p, q = chosen.choice(passages), chosen.choice(passages)
        usable = sorted({w for w in p if counts[w] <= len(passages) / 2})
        other = sorted({w for w in q if counts[w] <= len(passages) / 2} - set(usable))
        query = chosen.sample(usable, min(len(usable), chosen.randint(2, 5))) + chosen.sample(other, min(len(other), 2))
        queries.append(query)
    index = bm25s.BM25(method="robertson", k1=1.2, b=0.75)
    index.index(passages, show_progress=False)
    out = []
    for query in queries:
        scores = [float(s) for s in index.get_scores(query)]
        best = sorted((s for s in scores if s > 0), reverse=True)[:K]
        least = best[-1] - 1e-4
        # All that may stand among the best: several may have the last score.
        among = {rows[i]["id"]: round(s, 4) for i, s in enumerate(scores) if s > 0 and s >= least}
        out.append({"query": " ".join(query), "scores": [round(s, 4) for s in best], "among": among})
    text = "[\n" + ",\n".join(json.dumps(x, ensure_ascii=False, sort_keys=True) for x in out) + "\n]\n"
    if "--check" in sys.argv[1:]:
        with open(FOUND, encoding="utf-8") as f:
            if f.read() != text:
                sys.exit(FOUND + " is not what bm25s " + bm25s.__version__ + " finds: run generate.py")
        return
    with open(FOUND, "w", encoding="utf-8") as f:
        f.write(text)


main()
