"""Writes statistics.json: what scipy says of the statistics of this package.

    python generate.py            rewrite statistics.json
    python generate.py --check    only compare; exit 1 if it would change
"""

import json
import math
import pathlib
import sys

import numpy as np
import scipy
from scipy import optimize, stats

WANTED = "1.17.1"
HERE = pathlib.Path(__file__).parent


def wilson():
    out = []
    for n in (1, 2, 5, 10, 37, 50, 100, 1000, 12345):
        for k in sorted({0, 1, n // 10, n // 3, n // 2, n - 1, n}):
            if 0 <= k <= n:
                ci = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
                out.append({"k": k, "n": n, "low": float(ci.low), "high": float(ci.high)})
    return out


def mcnemar():
    out = []
    for b, c in [(0, 0), (0, 1), (1, 5), (5, 1), (10, 10), (3, 17), (40, 61), (250, 300), (1000, 900)]:
        p = 1.0 if b + c == 0 else stats.binomtest(min(b, c), b + c, 0.5).pvalue
        out.append({"b": b, "c": c, "p": float(min(1, p))})
    return out


def paired():
    """Clopper and Pearson's limits of the share of rows that changed for the better and
    Wilson's of the share that changed, put together by MOVER: the extremes of their
    product on the ellipse."""
    out = []
    for b, c, n in [(12, 2, 50), (2, 12, 50), (3, 0, 6), (0, 6, 10), (10, 10, 40), (1, 0, 300), (61, 40, 600), (9, 1, 10), (130, 90, 3000), (17, 3, 20), (5, 0, 5)]:
        m = b + c
        share = stats.binomtest(b, m).proportion_ci(0.95, method="exact")
        rate = stats.binomtest(m, n).proportion_ci(0.95, method="wilson")
        way, p = (b - c) / m, m / n
        ends = []
        for sign in (1, -1):
            found = []
            for x in (2 * share.low - 1 - way, 2 * share.high - 1 - way):
                for y in (rate.low - p, rate.high - p):
                    f = lambda t: sign * (way + x * math.cos(t)) * (p + y * math.sin(t))
                    grid = np.linspace(0, math.pi / 2, 2001)
                    k = int(np.argmin([f(t) for t in grid]))
                    best = optimize.minimize_scalar(f, bounds=(grid[max(k - 1, 0)], grid[min(k + 1, 2000)]), method="bounded", options={"xatol": 1e-13})
                    found.append(min(best.fun, f(grid[k])))
            ends.append(sign * min(found))
        test = float(min(1, stats.binomtest(b, m, 0.5).pvalue))
        assert (ends[0] > 0 or ends[1] < 0) == (test < 0.05), (b, c, n)
        out.append({"b": b, "c": c, "n": n, "low": float(ends[0]), "high": float(ends[1]), "share_low": float(share.low), "share_high": float(share.high)})
    return out


def permutation():
    out = []
    rng = np.random.default_rng(7)
    for n, shift in [(3, 0.5), (6, 0.1), (8, 0.0), (10, 0.3), (12, 0.6), (12, 0.05)]:
        diffs = np.round(rng.normal(shift, 0.5, n), 3)
        # Every difference that is not 0 takes both signs.
        signs = np.array(np.meshgrid(*[[-1, 1]] * n)).reshape(n, -1).T
        ours = stats.permutation_test((diffs, np.zeros(n)), lambda x, y: np.mean(x - y),
                                      permutation_type="samples", n_resamples=np.inf, alternative="two-sided")
        exact = np.mean(np.abs(signs @ diffs) >= abs(diffs.sum()) - 1e-10)
        assert math.isclose(ours.pvalue, exact, abs_tol=1e-12), (ours.pvalue, exact)
        out.append({"diffs": diffs.tolist(), "p": float(ours.pvalue)})
    return out


def bca():
    """Intervals with so many resamples that chance does not show much; the deviation
    of the mean says what a difference is to be measured by."""
    out = []
    rng = np.random.default_rng(11)
    samples = {
        "normal": rng.normal(0.6, 0.2, 40), "skewed": rng.exponential(1.0, 60),
        "small": rng.uniform(0, 1, 12), "bounded": np.clip(rng.normal(0.9, 0.2, 150), 0, 1), "few values": rng.choice([0, 0.5, 1], 80),
    }
    for name, xs in samples.items():
        xs = np.round(xs, 4)
        ci = stats.bootstrap((xs,), np.mean, n_resamples=99_999, method="BCa", batch=2_000, rng=np.random.default_rng(3)).confidence_interval
        out.append({"name": name, "xs": xs.tolist(), "low": float(ci.low), "high": float(ci.high), "error": float(xs.std(ddof=1) / math.sqrt(len(xs)))})
    return out


def detectable():
    out = []
    for sd, n in [(0.5, 50), (0.2, 200), (1.3, 1000)]:
        d = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * sd / math.sqrt(n)
        out.append({"sd": sd, "n": n, "d": float(d)})
    return out


def main():
    if scipy.__version__ != WANTED:
        sys.exit(f"scipy {WANTED} is wanted, and this is {scipy.__version__}")
    made = {"scipy": WANTED, "wilson": wilson(), "mcnemar": mcnemar(), "paired": paired(), "permutation": permutation(), "bca": bca(), "detectable": detectable()}
    text = json.dumps(made, indent=1) + "\n"
    path = HERE / "statistics.json"
    if "--check" not in sys.argv[1:]:
        path.write_text(text)
    elif path.read_text() != text:
        sys.exit(f"{path.name} is not what scipy {WANTED} says")


main()
