"""Writes optuna.json: how far Optuna's samplers come on the functions of functions_test.go.

    python generate_optuna.py            rewrite optuna.json
    python generate_optuna.py --check    only compare; exit 1 if it would change
    python generate_optuna.py --check --seeds 2    only the first two seeds of each

Every run has a fixed seed. Trials, startup points and populations are those of the
Go test. A value is the regret of the best trial or, of two objectives, the
hypervolume of all trials. Beside them stand points of each function with what it is
there, and scipy's values of the Mann-Whitney test, which the Go test compares with its
own.
"""

import concurrent.futures
import json
import math
import os
import pathlib
import sys
import warnings

import numpy as np
import optuna
import scipy
from scipy import stats

WANTED = {"optuna": "5.0.0", "scipy": "1.17.1", "numpy": "2.4.6"}
HERE = pathlib.Path(__file__).parent
SEEDS = 30
STARTUP = 10
POPULATION = 50

HARTMANN_A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
HARTMANN_P = [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991], [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]
HARTMANN_C = [1.0, 1.2, 3.0, 3.2]


def branin(t):
    x, y = t.suggest_float("x", -5, 10), t.suggest_float("y", 0, 15)
    a = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return a**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.39788735772973816


def hartmann6(t):
    x = [t.suggest_float(f"x{i}", 0, 1) for i in range(6)]
    sum_ = 0.0
    for c, a, p in zip(HARTMANN_C, HARTMANN_A, HARTMANN_P):
        sum_ += c * math.exp(-sum(a[j] * (x[j] - p[j] / 10_000) ** 2 for j in range(6)))
    return 3.322368011391339 - sum_


def mixed(t):
    """A choice, an int, a float on a log scale, a float with a step, and two that depend on the choice."""
    kind = t.suggest_categorical("kind", [0, 1, 2])
    depth = t.suggest_int("depth", 1, 20)
    rate = t.suggest_float("rate", 1e-5, 1e-1, log=True)
    warmth = t.suggest_float("warmth", 0, 2, step=0.1)
    value = 0.02 * (depth - 12) ** 2 + 0.5 * (math.log10(rate) + 3) ** 2 + (warmth - 0.7) ** 2 * 0.5
    if kind == 0:
        return value + 0.6
    if kind == 1:
        momentum = t.suggest_float("momentum", 0, 1)
        return value + 2 * (momentum - 0.8) ** 2
    width = t.suggest_int("width", 1, 8)
    return value + 0.2 + 0.05 * abs(width - 5)


def loss(step, i, n):
    """A table that both languages make the same way: the loss of candidate i of n."""
    return ((i * 37 + step * 11) % n) / n


def prompts(t):
    """Three steps with instructions and demos to choose, and a temperature: the usual space of a program."""
    value = 0.0
    picks = []
    for step in range(3):
        i = t.suggest_categorical(f"instructions{step}", list(range(10)))
        d = t.suggest_categorical(f"demos{step}", list(range(9)))
        picks.append((i, d))
        value += loss(step, i, 10) + 0.7 * loss(step + 5, d, 10) + 0.2 * ((i + d) % 3 == 1)
    temperature = t.suggest_float("temperature", 0, 1.5, step=0.1)
    return value + (temperature - 0.6) ** 2 + 0.3 * (picks[0][0] % 2 != picks[2][0] % 2) - MINIMUM_OF_PROMPTS


def minimum_of_prompts():
    best = math.inf
    def one(step, even=None):
        return min(loss(step, i, 10) + 0.7 * loss(step + 5, d, 10) + 0.2 * ((i + d) % 3 == 1)
                   for i in range(10) for d in range(9) if even is None or i % 2 == even)
    for first in (0, 1):
        for last in (0, 1):
            best = min(best, one(0, first) + one(1) + one(2, last) + 0.3 * (first != last))
    return best


MINIMUM_OF_PROMPTS = minimum_of_prompts()


def zdt1(n):
    def f(t):
        x = [t.suggest_float(f"x{i}", 0, 1) for i in range(n)]
        g = 1 + 9 * sum(x[1:]) / (n - 1)
        return x[0], g * (1 - math.sqrt(x[0] / g))
    return f


def hypervolume(points, reference):
    """The area that points dominate before reference; both are minimized."""
    area, low = 0.0, reference[1]
    for x, y in sorted(points):
        if x < reference[0] and y < low:
            area += (reference[0] - x) * (low - y)
            low = y
    return area


def tpe(seed):
    return optuna.samplers.TPESampler(multivariate=True, n_startup_trials=STARTUP, seed=seed)


def tpe_group(seed):
    return optuna.samplers.TPESampler(multivariate=True, group=True, n_startup_trials=STARTUP, seed=seed)


def nsga2(seed):
    return optuna.samplers.NSGAIISampler(population_size=POPULATION, seed=seed)


def nsga2_sbx(seed):
    from optuna.samplers import nsgaii
    return optuna.samplers.NSGAIISampler(population_size=POPULATION, seed=seed, crossover=nsgaii.SBXCrossover(), mutation=nsgaii.PolynomialMutation())


# Name, function, trials, objectives, samplers.
RUNS = [
    ("branin", branin, 100, 1, [tpe]),
    ("hartmann6", hartmann6, 150, 1, [tpe]),
    ("mixed", mixed, 100, 1, [tpe, tpe_group]),
    ("prompts", prompts, 100, 1, [tpe]),
    ("zdt1_10", zdt1(10), 150, 2, [tpe]),
    ("branin", branin, 500, 1, [nsga2, nsga2_sbx]),
    ("hartmann6", hartmann6, 1000, 1, [nsga2, nsga2_sbx]),
    ("mixed", mixed, 500, 1, [nsga2]),
    ("prompts", prompts, 500, 1, [nsga2]),
    ("zdt1_30", zdt1(30), 2000, 2, [nsga2, nsga2_sbx]),
]
REFERENCE = (1.1, 1.1)
REFERENCE_TPE = (1.1, 6.0)


def run(job):
    index, sampler, seed = job
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    name, f, trials, objectives, samplers = RUNS[index]
    study = optuna.create_study(sampler=samplers[sampler](seed), directions=["minimize"] * objectives)
    study.optimize(f, n_trials=trials)
    if objectives == 1:
        return study.best_value
    return hypervolume([t.values for t in study.trials], REFERENCE_TPE if samplers[sampler] is tpe else REFERENCE)


def optuna_runs(seeds):
    jobs = [(i, s, seed) for i, r in enumerate(RUNS) for s in range(len(r[4])) for seed in range(seeds)]
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        values = list(pool.map(run, jobs, chunksize=3))
    out = {}
    for (i, s, _), value in zip(jobs, values):
        name, _, trials, objectives, samplers = RUNS[i]
        key = (name, trials, samplers[s].__name__)
        out.setdefault(key, {"function": name, "trials": trials, "sampler": samplers[s].__name__, "objectives": objectives, "values": []})["values"].append(value)
    return list(out.values())


def samples():
    """Points and values of each function, so that both languages are seen to have the same ones."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    out = {}
    for name, f, _, objectives, _ in RUNS:
        if name not in out:
            study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1), directions=["minimize"] * objectives)
            study.optimize(f, n_trials=20)
            out[name] = [{"point": t.params, "values": list(t.values)} for t in study.trials]
    return out


def mann_whitney():
    out = []
    rng = np.random.default_rng(5)
    for n, m, shift, digits in [(5, 7, 0, 3), (30, 30, 0.3, 3), (30, 30, 0, 1), (12, 30, -0.5, 0), (30, 30, 1.5, 2)]:
        a, b = np.round(rng.normal(shift, 1, n), digits), np.round(rng.normal(0, 1, m), digits)
        p = stats.mannwhitneyu(a, b, alternative="greater", method="asymptotic").pvalue
        out.append({"a": a.tolist(), "b": b.tolist(), "p": float(p)})
    return out


def near(a, b):
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(near(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(near, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
    return a == b


def main():
    for module in (optuna, scipy, np):
        if module.__version__ != WANTED[module.__name__]:
            sys.exit(f"{module.__name__} {WANTED[module.__name__]} is wanted, and this is {module.__version__}")
    some = int(sys.argv[sys.argv.index("--seeds") + 1]) if "--seeds" in sys.argv else SEEDS
    made = {"versions": WANTED, "seeds": SEEDS, "startup": STARTUP, "population": POPULATION, "reference": REFERENCE, "reference_tpe": REFERENCE_TPE,
            "samples": samples(), "runs": optuna_runs(some), "mann_whitney": mann_whitney()}
    made = json.loads(json.dumps(made))
    target = HERE / "optuna.json"
    if "--check" in sys.argv[1:]:
        kept = json.loads(target.read_text())
        for r in kept["runs"]:
            r["values"] = r["values"][:some]
        if not near(kept, made):
            sys.exit("optuna.json is not what Optuna finds: run generate_optuna.py and look at the difference")
        return
    target.write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
