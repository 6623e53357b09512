"""The memory ring: calling the compiled functions with anything at all may raise and never crashes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

import npgfast as nf
from npgfast import _core

MDP = nf.problems.garnet(3, 2, 2, gamma=0.9, seed=0, termination=0.1)
PI = nf.TabularSoftmax(3, 2, [0.0, 1, 2, 3, 4, 5])
BATCH = nf.exact_batch(MDP, PI)
TWO, NO = np.zeros((2, 2)), np.zeros((2, 2), dtype=bool)
NATIVE, BATCH_NATIVE = PI._native, BATCH._native(PI)
PROBS, LOGS = PI.probs(), PI._table[0].copy()
TABLES = LOGS, PROBS
INT32 = np.zeros(2, np.int32)

PLAYED = _core.rollout(MDP._native, PROBS, 2, 4, 0, 1)


def swapped(arrays: tuple, k: int, value: object) -> tuple:
    return (*arrays[:k], value, *arrays[k + 1 :])


RAW = {
    "float32": lambda: _core.policy_table(NATIVE, np.zeros(6, np.float32), 1),
    "int64": lambda: _core.policy_table(NATIVE, np.zeros(6, np.int64), 1),
    "big_endian": lambda: _core.policy_table(NATIVE, np.zeros(6, ">f8"), 1),
    "strided": lambda: _core.policy_table(NATIVE, np.zeros(12)[::2], 1),
    "short": lambda: _core.policy_table(NATIVE, np.zeros(5), 1),
    "fortran": lambda: _core.log_softmax(np.zeros((2, 3), order="F"), np.ones((2, 3), np.uint8)),
    "not_an_array": lambda: _core.policy_table(NATIVE, [0.0] * 6, 1),
    "none": lambda: _core.policy_table(NATIVE, None, 1),
    "empty_tuple": lambda: _core.policy_table((), np.zeros(6), 1),
    "mask_shape": lambda: _core.log_softmax(np.zeros((2, 3)), np.ones((3, 2), np.uint8)),
    "states_high": lambda: _core.scores(NATIVE, PROBS, np.array([0, 3], np.int32), INT32),
    "states_low": lambda: _core.scores(NATIVE, PROBS, np.array([0, -1], np.int32), INT32),
    "actions_high": lambda: _core.scores(NATIVE, PROBS, INT32, np.array([0, 2], np.int32)),
    "states_int64": lambda: _core.scores(NATIVE, PROBS, INT32.astype(np.int64), INT32),
    "states_2d": lambda: _core.scores(NATIVE, PROBS, INT32[None], INT32),
    "sample_states": lambda: _core.sample_actions(PROBS, np.array([9], np.int32), 0),
    "seed_negative": lambda: _core.sample_actions(PROBS, INT32, -1),
    "counters_wide": lambda: _core.philox(np.zeros((4, 1), np.uint32), np.zeros(2, np.uint32)),
    "counters_key": lambda: _core.philox(np.zeros((4, 4), np.uint32), np.zeros(1, np.uint32)),
    "probabilities_1d": lambda: _core.alias_table(np.ones(3)),
    "mdp_short": lambda: _core.solve(MDP._native[:5], 0.0, 1e-9, 0, 10, 1),
    "mdp_indices": lambda: _core.solve(swapped(MDP._native, 1, MDP._native[1] + 3), 0.0, 1e-9, 0, 10, 1),
    "mdp_indptr": lambda: _core.solve(swapped(MDP._native, 0, MDP._native[0][::-1].copy()), 0.0, 1e-9, 0, 10, 1),
    "mdp_indptr_long": lambda: _core.solve(swapped(MDP._native, 0, MDP._native[0] * 2), 0.0, 1e-9, 0, 10, 1),
    "mdp_horizon": lambda: _core.solve(swapped(MDP._native, 8, -1), 0.0, 1e-9, 0, 10, 1),
    "mdp_gamma": lambda: _core.solve(swapped(MDP._native, 7, "x"), 0.0, 1e-9, 0, 10, 1),
    "evaluate_time": lambda: _core.evaluate(MDP._native, np.full((2, 3, 2), 0.5), np.zeros((2, 3, 2)), 0.0, 0, 1),
    "evaluate_probs": lambda: _core.evaluate(MDP._native, PROBS, LOGS[:2], 0.0, 0, 1),
    "batch_states": lambda: _core.policy_gradient(NATIVE, TABLES, swapped(BATCH_NATIVE, 0, BATCH_NATIVE[0] + 1), 1),
    "batch_length": lambda: _core.policy_gradient(NATIVE, TABLES, swapped(BATCH_NATIVE, 2, BATCH_NATIVE[2][:-1]), 1),
    "batch_short": lambda: _core.policy_gradient(NATIVE, TABLES, BATCH_NATIVE[:4], 1),
    "batch_odd": lambda: _core.policy_gradient(
        NATIVE, TABLES, (*(x[:5].copy() if isinstance(x, np.ndarray) else x for x in BATCH_NATIVE),), 1
    ),
    "kl_tables": lambda: _core.mean_kl((LOGS, PROBS), (LOGS[:, :1].copy(), PROBS[:, :1].copy()), np.ones(3)),
    "kl_tuple": lambda: _core.mean_kl((LOGS, None), (LOGS, PROBS), np.ones(3)),
    "kl_weights": lambda: _core.mean_kl((LOGS, PROBS), (LOGS, PROBS), np.ones(4)),
    "vector": lambda: _core.fisher_vector_product(NATIVE, TABLES, BATCH_NATIVE, np.zeros(7), 0, 0.0, 1),
    "estimator": lambda: _core.fisher_vector_product(NATIVE, TABLES, BATCH_NATIVE, np.zeros(6), "x", 0.0, 1),
    "threads": lambda: _core.fisher_vector_product(NATIVE, TABLES, BATCH_NATIVE, np.zeros(6), 0, 0.0, 0),
    "states_none": lambda: _core.policy_gradient(NATIVE, TABLES, swapped(BATCH_NATIVE, 0, None), 1),
    "n_actions": lambda: _core.policy_table((np.ones((3, 2)), None, 0), np.zeros(0), 1),
    "n_actions_only": lambda: _core.policy_table((None, None, 2), np.zeros(6), 1),
    "surrogate_none": lambda: _core.surrogate(NATIVE, TABLES, swapped(BATCH_NATIVE, 4, None), 0.2, 1),
    "gae_shapes": lambda: _core.gae(TWO, TWO, NO.view(np.uint8), NO.view(np.uint8), np.zeros((3, 2)), 0.9, 0.9, 1),
    "gae_bool": lambda: _core.gae(TWO, TWO, NO, NO, TWO, 0.9, 0.9, 1),
    "fit_cells": lambda: _core.fit_table(np.array([5], np.int32), np.ones(1), np.ones(1), np.zeros(3)),
    "fit_length": lambda: _core.fit_table(INT32, np.ones(1), np.ones(2), np.zeros(3)),
    "least_squares": lambda: _core.least_squares(np.zeros((3, 2)), np.zeros(2), 0.0),
    "baseline": lambda: _core.sample(MDP._native, PROBS, LOGS, 2, 2, 0, 1.0, np.zeros(2), 0.0, 0, 1),
    "baseline_kind": lambda: _core.sample(MDP._native, PROBS, LOGS, 2, 2, 0, 1.0, 3.0, 0.0, 0, 1),
    "envs_negative": lambda: _core.rollout(MDP._native, PROBS, -5, 3, 0, 1),
    "envs_many": lambda: _core.rollout(MDP._native, PROBS, 2**31, 3, 0, 1),
    "steps_many": lambda: _core.rollout(MDP._native, PROBS, 1, 2**31, 0, 1),
    "sums_baseline": lambda: _core.sample_sums(MDP._native, PROBS, LOGS, 2, 2, 0, 1.0, np.zeros(2), 0.0, 0, 1),
    "decode_short": lambda: _core.decode(PLAYED[:3], 2, "states", None, 1),
    "decode_records": lambda: _core.decode(swapped(PLAYED, 0, PLAYED[0][:3].copy()), 2, "states", None, 1),
    "decode_length": lambda: _core.decode(swapped(PLAYED, 1, PLAYED[1] + [[0, 0, 9, 0]]), 2, "states", None, 1),
    "decode_stride": lambda: _core.decode(swapped(PLAYED, 1, PLAYED[1] * [[1, -1, 1, 1]]), 2, "states", None, 1),
    "decode_huge": lambda: _core.decode(swapped(PLAYED, 1, PLAYED[1] + [[0, 2**62, 0, 0]]), 2, "time", None, 1),
    "decode_first": lambda: _core.decode(swapped(PLAYED, 1, PLAYED[1] - [[9, 0, 0, 0]]), 2, "states", None, 1),
    "decode_none": lambda: _core.decode(swapped(PLAYED, 1, PLAYED[1][:0].copy()), 1, "states", None, 1),
    "decode_cuts": lambda: _core.decode(swapped(PLAYED, 2, np.array([[0, 4, 0]])), 2, "next_states", None, 1),
    "decode_cut_env": lambda: _core.decode(swapped(PLAYED, 2, np.array([[-1, 0, 0]])), 2, "next_states", None, 1),
    "decode_bits": lambda: _core.decode(swapped(PLAYED, 3, 29), 2, "states", None, 1),
    "decode_columns": lambda: _core.decode(PLAYED, 3, "states", None, 1),
    "decode_field": lambda: _core.decode(PLAYED, 2, "x", None, 1),
    "decode_table": lambda: _core.decode(swapped(PLAYED, 0, PLAYED[0] | 2**31), 2, "rewards", PROBS, 1),
    "steps_negative": lambda: _core.rollout(MDP._native, PROBS, 1, -3, 0, 1),
    "cg_start": lambda: _core.conjugate_gradient(lambda v: v, np.ones(3), np.zeros(2), 5, 1e-9),
    "cg_image": lambda: _core.conjugate_gradient(lambda v: v[:2], np.ones(3), np.zeros(3), 5, 1e-9),
    "cg_image_list": lambda: _core.conjugate_gradient(lambda v: v.astype("f4"), np.ones(3), np.zeros(3), 5, 1e-9),
}


def name_what_does_not_raise() -> None:
    """Print each name before its call, and what it did unless it raised one of the promised errors."""
    for name, call in RAW.items():
        sys.stdout.write(f"{name} ")
        sys.stdout.flush()
        try:
            result = call()
        except (TypeError, ValueError, IndexError, MemoryError):
            continue
        except Exception as error:  # noqa: BLE001 (any other kind is what this looks for)
            result = error
        sys.stdout.write(f"\nFAULT: {name}: {result!r:.100}\n")


def test_calling_the_core_directly_raises_and_never_crashes(isa):
    # A process of its own: what this looks for would take the whole test run with it.
    done = subprocess.run([sys.executable, __file__, isa], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"signal {-done.returncode} in {done.stdout.split()[-1]}"
    faults = [line for line in done.stdout.splitlines() if line.startswith("FAULT")]
    assert not faults, "\n".join(faults)
    assert all(name in done.stdout for name in RAW)


if __name__ == "__main__":
    _core.activate(sys.argv[1])
    name_what_does_not_raise()
