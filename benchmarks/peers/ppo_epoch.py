"""One epoch of PPO's minibatches on a recorded batch: Adam on the clipped surrogate of a linear softmax policy."""

import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from compare import MILLISECONDS, Side, compare, core_arguments, row, target, times

import npgfast as nf
from npgfast import _core
from npgfast.benchmarking.updates import MINIBATCH, minibatches
from npgfast.reference import vectorized as reference

STEPS, ENVS, FEATURES, ACTIONS = 1_000, 100, 8, 4
N = STEPS * ENVS
LEARNING_RATE, CLIP_RANGE, EPSILON = 3e-4, 0.2, 1e-8
SEED = 1


class Recorded:
    """A Gymnasium vector environment of random observations and rewards, for a batch of any shape."""

    def __new__(cls) -> Any:
        import gymnasium

        class Env(gymnasium.vector.VectorEnv):
            num_envs = ENVS
            single_observation_space = gymnasium.spaces.Box(-10.0, 10.0, (FEATURES,), np.float64)
            single_action_space = gymnasium.spaces.Discrete(ACTIONS)
            observation_space = gymnasium.spaces.Box(-10.0, 10.0, (ENVS, FEATURES), np.float64)
            action_space = gymnasium.spaces.MultiDiscrete([ACTIONS] * ENVS)
            metadata = {"autoreset_mode": gymnasium.vector.AutoresetMode.NEXT_STEP}  # noqa: RUF012
            generator = np.random.default_rng(0)

            def reset(self, **_: Any) -> Any:
                return self.generator.normal(size=(ENVS, FEATURES)), {}

            def step(self, _: Any) -> Any:
                never = np.zeros(ENVS, dtype=bool)
                rewards = self.generator.normal(size=ENVS)
                return self.generator.normal(size=(ENVS, FEATURES)), rewards, never, never, {}

        return Env()


def recorded() -> tuple[Any, ...]:
    """Arguments of the core's `improve` in an iteration of PPO without baseline; the advantages are the rewards."""
    start = 0.1 * np.random.default_rng(2).normal(size=FEATURES * ACTIONS)
    policy = nf.LinearSoftmax(nf.features.Linear(FEATURES, bias=False), ACTIONS, start)
    agent = nf.PPO(
        Recorded(),
        policy,
        seed=SEED,
        n_steps=STEPS,
        n_epochs=1,
        batch_size=MINIBATCH,
        learning_rate=LEARNING_RATE,
        clip_range=CLIP_RANGE,
        adam_epsilon=EPSILON,
        normalize_advantages=False,
        gamma=0.0,
        gae_lambda=1.0,
        baseline=None,
        center_advantages=False,
    )
    return tuple(core_arguments("improve", lambda: agent.learn(1)))


def numpy_epoch(arguments: tuple[Any, ...]) -> np.ndarray:
    """Theta after the epoch, by the reference's gradient and Adam's equations, over the minibatches of the core."""
    offsets, observations, actions, rewards, log_probs = arguments[5][:5]
    observations, chosen = (
        np.asarray(observations).reshape(N, FEATURES),
        np.asarray(actions).reshape(N).astype(np.int64),
    )
    assert offsets[-1] == N
    theta = np.array(arguments[6]["theta"][0]).reshape(FEATURES, ACTIONS)
    first, second = np.zeros_like(theta), np.zeros_like(theta)
    for k, part in enumerate(minibatches(N, SEED), 1):
        weights = np.full(part.size, 1.0 / part.size)
        gradient = reference.observed_surrogate_gradient(
            observations[part], chosen[part], weights, rewards[part], 1.0, log_probs[part], CLIP_RANGE, theta
        ).reshape(theta.shape)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        theta = theta + LEARNING_RATE * (first / (1 - 0.9**k)) / (np.sqrt(second / (1 - 0.999**k)) + EPSILON)
    return theta.ravel()


def with_sb3(layers: list[int]) -> Callable[[], Any]:
    """`PPO.train()` on its filled buffer, one epoch: its update trains a value function of the same size as well."""
    import gymnasium
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.logger import Logger
    from stable_baselines3.common.vec_env import DummyVecEnv

    class Stub(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-10.0, 10.0, (FEATURES,), np.float32)
        action_space = gymnasium.spaces.Discrete(ACTIONS)

        def reset(self, **_: Any) -> Any:
            return np.zeros(FEATURES, np.float32), {}

        def step(self, _: Any) -> Any:
            return np.zeros(FEATURES, np.float32), 0.0, False, False, {}

    torch.set_num_threads(1)  # faster than two for minibatches of this size
    warnings.filterwarnings("ignore", message="You have specified a mini-batch size")
    model = PPO(
        "MlpPolicy",
        DummyVecEnv([Stub] * ENVS),
        n_steps=STEPS,
        batch_size=MINIBATCH,
        n_epochs=1,
        policy_kwargs={"net_arch": layers},
        device="cpu",
        seed=0,
    )
    model.set_logger(Logger(folder=None, output_formats=[]))
    generator, buffer = np.random.default_rng(0), model.rollout_buffer
    buffer.reset()
    buffer.observations[:] = generator.normal(size=buffer.observations.shape)
    buffer.actions[:] = generator.integers(0, ACTIONS, buffer.actions.shape)
    buffer.advantages[:] = generator.normal(size=buffer.advantages.shape)
    buffer.returns[:] = generator.normal(size=buffer.returns.shape)
    with torch.no_grad():
        flat = torch.as_tensor(buffer.observations.reshape(N, FEATURES))
        _, logs, _ = model.policy.evaluate_actions(flat, torch.as_tensor(buffer.actions.reshape(N)))
    buffer.log_probs[:] = logs.numpy().reshape(buffer.log_probs.shape)
    buffer.pos, buffer.full = STEPS, True
    filled = {name: array.copy() for name, array in vars(buffer).items() if isinstance(array, np.ndarray)}

    def call() -> Any:
        buffer.generator_ready = False  # flattened by the epoch before
        for name, array in filled.items():
            setattr(buffer, name, array)
        model.train()

    return call


def ppo_epoch(limits: dict[str, Any]) -> dict[str, Any]:
    arguments = recorded()
    expected = numpy_epoch(arguments)
    epochs = 11

    def npgfast(n_epochs: int) -> Callable[[], Any]:
        def call() -> Any:
            copied = deepcopy(arguments[6])
            options = {**arguments[1], "n_epochs": n_epochs}
            _core.improve(arguments[0], options, *arguments[2:6], copied)
            return copied["theta"][0]

        return call

    def with_numpy() -> Callable[[], Any]:
        return lambda: numpy_epoch(arguments)

    def check(name: str, theta: Any) -> None:
        if name in ("npgfast, update of 1 epoch", "NumPy"):
            np.testing.assert_allclose(theta, expected, rtol=0.0, atol=1e-10, err_msg=name)

    sides = compare(
        [
            Side("npgfast, update of 1 epoch", lambda: npgfast(1)),
            Side(f"npgfast, update of {epochs} epochs", lambda: npgfast(epochs), work=epochs),
            Side("NumPy", with_numpy),
            Side("SB3 PPO.train, linear", lambda: with_sb3([]), ("stable_baselines3", "torch")),
            Side("SB3 PPO.train, 2 x 64 units", lambda: with_sb3([64, 64]), ("stable_baselines3", "torch")),
        ],
        MILLISECONDS,
        check,
        5,
    )
    one, many = (sides[name] for name in list(sides)[:2])
    sides = {"npgfast": {"skipped": "not measured"}, **sides}
    if "median" in one and "median" in many:  # what is done once for an update cancels
        spent = {key: (many[key] - one[key]) / (epochs - 1) for key in ("min", "median")}
        ours = {"work": 1.0, "repeats": one["repeats"], "value": 1e3 * spent["median"], "best": 1e3 * spent["min"]}
        sides["npgfast"] = {**spent, **ours}
    rates = limits[max(limits, key=int)]
    data = 8 * N * (FEATURES + 3)
    flops = 4 * N * FEATURES * ACTIONS
    bound = max(data / rates["bandwidth"]["read"], flops / limits["1"]["fma"]["float64"])
    return row(
        "PPO epoch, linear softmax, minibatches of 256, Adam",
        f"n = {N:,}, {FEATURES} features, {ACTIONS} actions; npgfast: ({epochs} epochs - 1) / {epochs - 1}",
        MILLISECONDS,
        sides,
        (1e3 * bound, f"one reading of {data / 1e6:.1f} MB; minibatches follow each other, so one thread"),
        [
            target(
                "at least 50 x SB3's update",
                times(sides, "SB3 PPO.train, linear", "SB3 PPO.train, 2 x 64 units"),
                50.0,
                at_least=True,
            )
        ],
    )
