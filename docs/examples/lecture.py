"""The statements of the natural-policy-gradient lecture, each checked by running it.

Run with ``python docs/examples/lecture.py``; it ends with an error if a statement does not hold.
"""

import numpy as np

import npgfast as nf
from npgfast import theory

MDP = nf.problems.garnet(12, 3, 4, gamma=0.9, seed=1)
GENERATOR = np.random.default_rng(1)


def random_policy() -> nf.TabularSoftmax:
    """A tabular policy with normal logits."""
    return nf.TabularSoftmax(12, 3, 0.5 * GENERATOR.normal(size=(12, 3)))


def say(statement: str, holds: bool, number: str) -> None:
    """Print a statement with the number that shows it."""
    print(f"{'holds' if holds else 'FAILS':<6} {statement:<66} {number}")
    if not holds:
        raise SystemExit(1)


def gradient_and_surrogate(old: nf.TabularSoftmax, new: nf.TabularSoftmax) -> None:
    """The policy gradient theorem, the performance difference and the two surrogates."""
    identity = theory.check_gradient(MDP, old)
    say("Policy gradient theorem: grad J = L E[A score]", identity.holds, f"{identity.discrepancy:.1e}")
    identity = theory.performance_difference(MDP, new, old)
    say("Performance difference: J' - J = L' E'[A]", identity.holds, f"{identity.discrepancy:.1e}")
    check = theory.check_surrogate(MDP, old, new)
    say("Surrogate: its gradient at the old policy is grad J", check.holds, f"{check.gradient_discrepancy:.1e}")
    say(
        "PPO: the clipped surrogate is never above it", check.clipped_value <= check.value, f"{check.clip_fraction:.2f}"
    )
    views = theory.gradient_step_views(MDP, old, 0.1)
    say("Two views of a gradient step: regularised, and in an L2 ball", views.holds, f"{views.discrepancy:.1e}")


def kl_and_fisher(old: nf.TabularSoftmax) -> None:
    """Fisher as the curvature of KL, over states and over trajectories."""
    identity = theory.check_fisher(MDP, old)
    say("Fisher matrix = Hessian of the mean KL", identity.holds, f"{identity.discrepancy:.1e}")
    batch = nf.exact_batch(MDP, old)
    x = GENERATOR.normal(size=old.n_params)
    for scale in (1e-1, 1e-2, 1e-3):
        step = scale * x
        quadratic = 0.5 * step @ nf.fisher_vector_product(old, batch, step)
        ratio = nf.kl_divergence(old, old.with_theta(old.theta + step), batch) / quadratic
        say(f"KL / (x'Fx / 2) for |x| ~ {scale:g}", abs(ratio - 1.0) < 10.0 * scale, f"{ratio:.6f}")
    ending = nf.problems.frozen_lake(gamma=1.0)
    first, second = (nf.TabularSoftmax(16, 4, 0.3 * GENERATOR.normal(size=(16, 4))) for _ in range(2))
    identity = theory.trajectory_kl(ending, first, second)
    say("gamma = 1: KL over trajectories = L times mean KL", identity.holds, f"{identity.discrepancy:.1e}")
    discounted = theory.trajectory_kl(ending.replace(gamma=0.9), first, second)
    say("gamma < 1: it is not", not discounted.holds, f"{discounted.discrepancy:.1e}")


def natural_gradient(policy: nf.TabularSoftmax) -> None:
    """Regression view, Hedge at every state, invariance."""
    regression = theory.regression_view(MDP, policy)
    say("Lemma 1: F^+ grad J = L w*, w* the compatible regression", regression.holds, f"{regression.discrepancy:.1e}")
    views = theory.check_views(MDP, policy)
    say("pinv, regression, CG and closed form agree", views.holds, f"{views.largest:.1e}")
    soft = theory.soft_policy_iteration_view(MDP, policy, 0.5)
    say("Lemma 2: tabular NPG = soft policy iteration", soft.holds, f"{soft.policy_discrepancy:.1e}")
    say("  but F^+ grad J is not L A itself", soft.raw_discrepancy > 1e-3, f"{soft.raw_discrepancy:.1e}")
    regret = theory.hedge_regret(MDP, 0.05, 50)
    say(
        "Hedge at every state: regret within its bound",
        regret.holds,
        f"{np.max(regret.actual / regret.bound):.2f} of it",
    )
    features = GENERATOR.normal(size=(12, 3, 6))
    linear = nf.LogLinear(features, 0.3 * GENERATOR.normal(size=6))
    change = theory.check_reparametrization(MDP, linear, GENERATOR.normal(size=(6, 6)), GENERATOR.normal(size=6))
    say("NPG does not depend on linear coordinates", change.holds, f"{change.policy_discrepancy:.1e}")
    say("  plain policy gradient does", change.pg_policy_discrepancy > 1e-3, f"{change.pg_policy_discrepancy:.1e}")
    bound = theory.npg_rate_bound(MDP, 0.1, 100)
    worst = np.max(np.asarray(bound.actual) / np.asarray(bound.bound))
    say("NPG: gap within log A / (eta T) + 1 / ((1 - gamma)^2 T)", bound.holds, f"{worst:.2f} of it")


def trust_regions(policy: nf.TabularSoftmax) -> None:
    """TRPO's step and the runs themselves."""
    region = theory.trust_region_multiplier(MDP, policy, max_kl=0.01)
    say("TRPO: the step solves the Lagrangian", region.holds, f"{region.stationarity:.1e}")
    say(
        "TRPO: the accepted step keeps KL <= max_kl and improves",
        region.accepted_kl <= 0.01,
        f"{region.accepted_kl:.5f}",
    )
    lake = nf.problems.frozen_lake(gamma=0.99)
    for name, agent in (
        ("NPG", nf.NaturalPolicyGradient(lake, step_size=1.0)),
        ("TRPO", nf.TRPO(lake, max_kl=0.1)),
        ("PPO", nf.PPO(lake)),
    ):
        result = agent.learn(200)
        gap = float(result.final("gap")[0]) / result.optimum.objective
        say(f"exact {name} reaches the optimum of FrozenLake", gap < 1e-3, f"gap {abs(gap):.0e}")


def samples(policy: nf.TabularSoftmax) -> None:
    """What estimates from whole episodes promise."""
    scores = theory.z_scores(MDP, policy, 200, n_episodes=20, seed=1)
    largest = float(np.max(np.abs(scores.gradient)))
    say("Sampled gradients are unbiased: |z| over 36 components", largest < 4.5, f"{largest:.1f}")


def main() -> None:
    """Check all statements."""
    old, new = random_policy(), random_policy()
    gradient_and_surrogate(old, new)
    kl_and_fisher(old)
    natural_gradient(old)
    trust_regions(old)
    samples(old)


if __name__ == "__main__":
    main()
